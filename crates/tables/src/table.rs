use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use untrusted_files::Budget;

use crate::{Error, Files, Format, Result, csv, files::Part, jsonl, parquet, text};

/// What a column is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; whole numbers, as ids often are, count as text.
    Text,
    /// Numbers; truth values count as 1 and 0.
    Number,
    /// Whatever it holds, shown as text: text as it is, numbers by their shortest digits, truth values as `true` and `false`, dates and times
    /// as ISO 8601 writes them, with a `Z` where the writer said that they are of a time zone.
    Any,
}

/// What to read a column as, by its name; none for a column that is left alone.
pub type Kinds<'a> = &'a dyn Fn(&str) -> Option<Kind>;

/// The columns of a table as far as they were wanted, in memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The file or folder, for messages.
    pub path: PathBuf,
    /// All columns, wanted or not, in the file's order.
    pub names: Vec<String>,
    /// The number of rows.
    pub n_rows: usize,
    /// Columns of text, or shown as text. None is null; in CSV that is nothing between two separators, and `""` is an empty text.
    pub texts: HashMap<String, Vec<Option<String>>>,
    /// Columns of numbers. NaN is null; all others are finite.
    pub numbers: HashMap<String, Vec<f64>>,
}

impl Table {
    /// Reads the wanted columns of a table, its part files one after the other, with [`Budget::get`] as its budget.
    ///
    /// # Errors
    /// Every [`Error`]: each names the file, and the column and the row where there is one.
    pub fn read(files: &Files, kinds: Kinds<'_>) -> Result<Self> {
        Self::read_within(files, kinds, Budget::get())
    }

    /// Reads a table that may take so much memory.
    ///
    /// # Errors
    /// As for [`Table::read`].
    pub fn read_within(files: &Files, kinds: Kinds<'_>, budget: Budget) -> Result<Self> {
        let mut all: Option<Self> = None;
        let mut types = TextTypes::default();
        let mut n_bytes = 0_u64;
        for part in &files.parts {
            let mut piece = match files.format {
                Format::Csv { delimiter, escape } => {
                    csv::read(&part.path, delimiter, escape, kinds, budget)?
                }
                Format::JsonLines => jsonl::read(&part.path, kinds, budget)?,
                Format::Parquet => parquet::read(&part.path, kinds, budget, &mut types)?,
            };
            // Spark writes an empty file for a part without rows, even of CSV with headers.
            if piece.names.is_empty() {
                continue;
            }
            piece.add_partitions(part, kinds)?;
            n_bytes = n_bytes.saturating_add(piece.n_bytes());
            budget
                .check("its columns", n_bytes)
                .map_err(Error::over_budget(&files.path))?;
            match &mut all {
                None => all = Some(piece),
                Some(all) => all.append(piece, files.format)?,
            }
        }
        let mut all = all.unwrap_or_default();
        all.path.clone_from(&files.path);
        Ok(all)
    }

    /// Whether the table has a column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.names.iter().any(|name| name == column)
    }

    /// The columns that the names of folders give. What the file itself says comes first.
    pub(crate) fn add_partitions(&mut self, part: &Part, kinds: Kinds<'_>) -> Result<()> {
        for (key, value) in &part.partitions {
            if self.has(key) {
                continue;
            }
            self.names.push(key.clone());
            match kinds(key) {
                Some(Kind::Text | Kind::Any) => {
                    let column = vec![value.clone(); self.n_rows];
                    self.texts.insert(key.clone(), column);
                }
                Some(Kind::Number) => {
                    let text = value.as_deref().unwrap_or_default();
                    let number = text::number(&part.path, key, 1, text)?;
                    self.numbers.insert(key.clone(), vec![number; self.n_rows]);
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Adds the rows of another part, which has to have the same columns.
    pub(crate) fn append(&mut self, mut part: Self, format: Format) -> Result<()> {
        // A key that a line of JSON lacks is null there, so a part may lack it too.
        if format != Format::JsonLines {
            self.check_columns(&part)?;
        }
        let (n_old, n_new) = (self.n_rows, self.n_rows + part.n_rows);
        for (name, column) in &mut self.texts {
            column.extend(part.texts.remove(name).unwrap_or_default());
            column.resize(n_new, None);
        }
        for (name, column) in &mut self.numbers {
            column.extend(part.numbers.remove(name).unwrap_or_default());
            column.resize(n_new, f64::NAN);
        }
        for (name, column) in part.texts {
            let all = vec![None; n_old].into_iter().chain(column).collect();
            self.texts.insert(name, all);
        }
        for (name, column) in part.numbers {
            let all = vec![f64::NAN; n_old].into_iter().chain(column).collect();
            self.numbers.insert(name, all);
        }
        for name in part.names {
            if !self.has(&name) {
                self.names.push(name);
            }
        }
        self.n_rows = n_new;
        Ok(())
    }

    fn check_columns(&self, part: &Self) -> Result<()> {
        let lacks = |this: &Self, other: &Self| {
            let wanted = other.texts.keys().chain(other.numbers.keys());
            let mut missing: Vec<&String> = wanted.filter(|name| !this.has(name)).collect();
            missing.sort();
            let column = (*missing.first()?).clone();
            Some(Error::PartColumns {
                path: this.path.clone(),
                other: other.path.clone(),
                column,
            })
        };
        if let Some(error) = lacks(part, self).or_else(|| lacks(self, part)) {
            return Err(error);
        }
        Ok(())
    }

    /// Leaves out the rows that are not kept; one truth value for each.
    pub(crate) fn retain(&mut self, is_kept: &[bool]) {
        fn retain<T>(column: &mut Vec<T>, is_kept: &[bool]) {
            let mut kept = is_kept.iter();
            column.retain(|_| kept.next().is_some_and(|it| *it));
            column.shrink_to_fit();
        }
        for column in self.texts.values_mut() {
            retain(column, is_kept);
        }
        for column in self.numbers.values_mut() {
            retain(column, is_kept);
        }
        self.n_rows = is_kept.iter().filter(|it| **it).count();
    }

    pub(crate) fn n_bytes(&self) -> u64 {
        let texts = self.texts.values().flatten();
        let texts: usize = texts
            .map(|text| text.as_ref().map_or(0, String::len) + size_of::<Option<String>>())
            .sum();
        (texts + self.numbers.len() * self.n_rows * size_of::<f64>()) as u64
    }

    /// An empty one.
    pub(crate) fn of(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            ..Self::default()
        }
    }
}

/// Whether each column of text holds whole numbers, and the first part that says so: `7` and `007` are one id in one part and two in another.
#[derive(Debug, Default)]
pub(crate) struct TextTypes(HashMap<String, (bool, PathBuf)>);

impl TextTypes {
    /// Refuses a column that is another thing in another part.
    pub(crate) fn note(&mut self, part: &Path, column: &str, is_whole: bool) -> Result<()> {
        let new = || (is_whole, part.to_owned());
        let (before, first) = self.0.entry(column.to_owned()).or_insert_with(new);
        if *before == is_whole {
            return Ok(());
        }
        let (text, numbers) = match is_whole {
            true => (first.as_path(), part),
            false => (part, first.as_path()),
        };
        Err(Error::PartTypes {
            column: column.to_owned(),
            text: text.to_owned(),
            numbers: numbers.to_owned(),
        })
    }
}
