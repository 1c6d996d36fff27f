//! A sample of a table, taken while it is read: memory for what is kept, whatever the length of the table.

use std::{collections::BTreeSet, num::NonZeroUsize, path::PathBuf};

use sha2::{Digest as _, Sha256};
use untrusted_files::Budget;

use crate::{
    Error, Files, Format, Result, Table, csv, jsonl, parquet,
    rows::{MAX_CHUNK, MAX_ROW},
    table::{Kinds, TextTypes},
};

/// Rows that are read at a time.
const ROWS_PER_CHUNK: usize = 4096;

/// So many texts of those that are offered, chosen by their hashes alone: neither their order nor how often each comes matters, and a smaller
/// sample is a part of a larger one.
///
/// ```text
/// hash(text) = the first 16 bytes of SHA-256, the highest first
/// sample     = the n texts of the lowest hashes
/// ```
///
/// Memory: some 32 bytes for each text of the sample.
#[derive(Debug, Clone)]
pub struct Sampler {
    n: usize,
    lowest: BTreeSet<u128>,
}

impl Sampler {
    /// A sample of so many texts.
    pub fn new(n: NonZeroUsize) -> Self {
        Self {
            n: n.get(),
            lowest: BTreeSet::new(),
        }
    }

    /// Offers a text. False if it is not in the sample, and never will be.
    pub fn offer(&mut self, text: &str) -> bool {
        let hash = hash(text);
        let is_full = self.lowest.len() == self.n;
        if is_full && self.lowest.last().is_none_or(|&last| hash > last) {
            return false;
        }
        if self.lowest.insert(hash) && is_full {
            self.lowest.pop_last();
        }
        true
    }

    /// Whether a text that was offered is still in the sample.
    pub fn holds(&self, text: &str) -> bool {
        self.lowest.contains(&hash(text))
    }

    /// How many texts are in the sample.
    pub fn n_held(&self) -> usize {
        self.lowest.len()
    }
}

fn hash(text: &str) -> u128 {
    let digest = Sha256::digest(text.as_bytes());
    u128::from_be_bytes(*digest.first_chunk().expect("it has 32 bytes"))
}

/// Some rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledTable {
    /// The rows of the sample, in the table's order.
    pub table: Table,
    /// Where each is in the table, from 0.
    pub rows: Vec<usize>,
    /// How many rows the table has.
    pub n_rows: usize,
    /// How many values of the column are in the sample.
    pub n_values: usize,
}

impl Table {
    /// Reads the rows of `n` values of a column, which has to be read as text ([`Sampler`]), and of null: all rows of each of these values. Only they,
    /// and some more that the sample held for a time, have to fit in [`Budget::get`].
    ///
    /// # Errors
    /// As for [`Table::read`].
    pub fn read_sample(
        files: &Files,
        kinds: Kinds<'_>,
        column: &str,
        n: NonZeroUsize,
    ) -> Result<SampledTable> {
        let mut reader = Reader {
            path: files.path.clone(),
            format: files.format,
            column,
            sampler: Sampler::new(n),
            all: None,
            rows: Vec::new(),
            n_rows: 0,
            n_bytes: 0,
            n_left: 0,
        };
        let mut types = TextTypes::default();
        for part in &files.parts {
            let mut take = |mut chunk: Self| {
                chunk.add_partitions(part, kinds)?;
                reader.take(chunk)
            };
            match files.format {
                Format::Csv { delimiter, escape } => {
                    let budget = Budget::of(MAX_ROW);
                    let rows = csv::Rows::open(&part.path, delimiter, escape, budget, false)?;
                    if let Some(mut rows) = rows {
                        read_csv(&mut rows, kinds, &mut take)?;
                    }
                }
                Format::JsonLines => {
                    let lines = jsonl::Lines::open(&part.path, Budget::of(MAX_ROW), false)?;
                    read_lines(lines, &part.path, kinds, &mut take)?;
                }
                Format::Parquet => {
                    parquet::read_chunks(&part.path, kinds, &mut types, ROWS_PER_CHUNK, &mut take)?;
                }
            }
        }
        Ok(reader.finish())
    }
}

/// Hands over the rows of a CSV file, at least once, so that the header is known.
fn read_csv(
    rows: &mut csv::Rows,
    kinds: Kinds<'_>,
    take: &mut dyn FnMut(Table) -> Result<()>,
) -> Result<()> {
    let mut is_last = false;
    while !is_last {
        let mut columns = rows.columns(kinds);
        let (first, mut n_bytes) = (rows.n_rows(), 0);
        while rows.n_rows() - first < ROWS_PER_CHUNK && n_bytes < MAX_CHUNK {
            if !rows.next()? {
                is_last = true;
                break;
            }
            rows.push_to(&mut columns)?;
            n_bytes += rows.n_bytes();
        }
        take(rows.table(columns, rows.n_rows() - first))?;
    }
    Ok(())
}

fn read_lines(
    mut lines: jsonl::Lines,
    path: &std::path::Path,
    kinds: Kinds<'_>,
    take: &mut dyn FnMut(Table) -> Result<()>,
) -> Result<()> {
    let mut line = Vec::new();
    let mut is_last = false;
    while !is_last {
        let mut table = Table::of(path);
        let (mut seen, mut n_bytes) = (std::collections::HashSet::new(), 0);
        while table.n_rows < ROWS_PER_CHUNK && n_bytes < MAX_CHUNK {
            if !lines.next(&mut line)? {
                is_last = true;
                break;
            }
            jsonl::add(&mut table, &mut seen, lines.n_rows(), &line, kinds)?;
            n_bytes += line.len();
        }
        jsonl::fill(&mut table);
        // An empty file has no columns.
        if table.n_rows > 0 {
            take(table)?;
        }
    }
    Ok(())
}

struct Reader<'a> {
    path: PathBuf,
    format: Format,
    column: &'a str,
    sampler: Sampler,
    all: Option<Table>,
    rows: Vec<usize>,
    n_rows: usize,
    /// Of what has been taken since rows were last left out, and of what was left then.
    n_bytes: u64,
    /// Rows that were left then.
    n_left: usize,
}

impl Reader<'_> {
    fn take(&mut self, mut chunk: Table) -> Result<()> {
        let first = self.n_rows;
        self.n_rows += chunk.n_rows;
        if let Some(values) = chunk.texts.get(self.column) {
            let offer = |value: &Option<String>| match value {
                // What refuses a null is to see it.
                None => true,
                Some(value) => self.sampler.offer(value),
            };
            let is_kept: Vec<bool> = values.iter().map(offer).collect();
            let kept = is_kept.iter().enumerate().filter(|(_, is_kept)| **is_kept);
            self.rows.extend(kept.map(|(row, _)| first + row));
            chunk.retain(&is_kept);
        } else {
            self.rows.extend(first..self.n_rows);
        }
        self.n_bytes = self.n_bytes.saturating_add(chunk.n_bytes());
        match &mut self.all {
            None => self.all = Some(chunk),
            Some(all) => all.append(chunk, self.format)?,
        }
        let budget = Budget::get();
        let is_much = budget.check("its columns", self.n_bytes).is_err();
        if is_much || self.rows.len() > 2 * self.n_left.max(ROWS_PER_CHUNK) {
            self.leave_out();
            budget
                .check("its columns", self.n_bytes)
                .map_err(Error::over_budget(&self.path))?;
        }
        Ok(())
    }

    /// Leaves out the rows that the sample no longer holds.
    fn leave_out(&mut self) {
        let Some(all) = &mut self.all else { return };
        if let Some(values) = all.texts.get(self.column) {
            let holds = |value: &Option<String>| match value {
                None => true,
                Some(value) => self.sampler.holds(value),
            };
            let is_kept: Vec<bool> = values.iter().map(holds).collect();
            let mut kept = is_kept.iter();
            self.rows.retain(|_| kept.next().is_some_and(|it| *it));
            all.retain(&is_kept);
        }
        self.n_bytes = all.n_bytes();
        self.n_left = self.rows.len();
    }

    fn finish(mut self) -> SampledTable {
        self.leave_out();
        let mut table = self.all.unwrap_or_default();
        table.path = self.path;
        SampledTable {
            table,
            rows: self.rows,
            n_rows: self.n_rows,
            n_values: self.sampler.n_held(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n: usize, texts: &[&str]) -> Vec<String> {
        let mut sampler = Sampler::new(NonZeroUsize::new(n).expect("above 0"));
        let offered: Vec<&str> = (texts.iter().copied())
            .filter(|text| sampler.offer(text))
            .collect();
        let mut held: Vec<String> = (offered.into_iter())
            .filter(|text| sampler.holds(text))
            .map(str::to_owned)
            .collect();
        held.sort();
        held.dedup();
        assert_eq!(held.len(), sampler.n_held());
        held
    }

    #[test]
    fn a_sample_depends_on_the_texts_alone() {
        let texts: Vec<String> = (0..100).map(|i| format!("prompt {i}")).collect();
        let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let found: Vec<Vec<String>> = [1, 7, 60, 100, 200].map(|n| sample(n, &texts)).into();
        assert_eq!(
            found.iter().map(Vec::len).collect::<Vec<_>>(),
            [1, 7, 60, 100, 100]
        );
        for pair in found.windows(2) {
            assert!(pair[0].iter().all(|text| pair[1].contains(text)));
        }
        texts.reverse();
        let twice = [&texts[..], &texts[20..50]].concat();
        assert_eq!(sample(60, &twice), found[2]);
    }

    /// As anyone else can compute it: `printf 'prompt 7' | sha256sum`.
    #[test]
    fn the_hash_is_the_first_half_of_sha256() {
        assert_eq!(hash(""), 0xe3b0_c442_98fc_1c14_9afb_f4c8_996f_b924);
    }
}
