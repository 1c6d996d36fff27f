use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use cli_support::{usage_error, with_hint};
use datagen::{
    DatasetName, Error as MakeError, PriceList, RandomSplit, RawTable, Recipe,
    cli::{GenArgs, Raw},
};
use dataset::{KeptColumns, Pair, Source};
use decision_log::LogFiles;
use tables::{Error as TableError, Files, Format as TableFormat, Kind, Kinds, Table};
use tracing::warn;

use crate::{
    args::{Args, Format},
    contract::{Filter, kind, raw_table},
    log,
    long::{Long, Wide, pivot},
    pattern::Pattern,
};

/// Share of test rows, as in CARROT's own splits.
const TEST_SIZE: f64 = 0.2;
/// Seed of the split, as in CARROT's own splits.
const SEED: u32 = 42;

/// What the command line asks for, checked as far as it can be without the table.
#[derive(Debug)]
pub(crate) struct Job {
    input: PathBuf,
    format: Option<TableFormat>,
    long: Option<Long>,
    prices: Option<PathBuf>,
    name: DatasetName,
    pair: Option<Pair>,
    split: RandomSplit,
    asks_for_random_split: bool,
    group: Option<String>,
    /// Prompts to read, if not all.
    sample: Option<NonZeroUsize>,
    /// Columns to keep; no two are the same.
    kept: Vec<String>,
    options: BTreeMap<String, String>,
    filter: Filter,
    shared: GenArgs,
}

impl Job {
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let format = format(&args)?;
        // The other generators have one source each, and so a usual name. Here two tables under one name would overwrite each other.
        let name = match &args.shared.name {
            Some(name) => name.clone(),
            None => {
                return Err(usage_error(
                    "--name is required: the data set has no default name",
                ));
            }
        };
        let kept = kept(args.keep, args.group.as_deref())?;
        let pair = args.small.zip(args.large);
        let split = RandomSplit {
            test_size: args.test_size.unwrap_or(TEST_SIZE),
            seed: args.seed.unwrap_or(SEED),
        };
        // Recorded only if given, so that an option added later does not make older data sets differ.
        let mut options = BTreeMap::new();
        for (key, values) in [
            ("exclude-task", args.exclude_task.join(",")),
            ("exclude-model", args.exclude_model.join(" ")),
            (
                "long",
                args.long.as_ref().map_or(String::new(), Long::to_string),
            ),
            ("keep", kept.join(",")),
            ("group", args.group.clone().unwrap_or_default()),
            (
                "sample",
                args.sample.map_or(String::new(), |n| n.to_string()),
            ),
            ("delimiter", character(args.delimiter)),
            ("escape", character(args.escape)),
            (
                "test-size",
                args.test_size
                    .map_or(String::new(), |share| share.to_string()),
            ),
            (
                "seed",
                args.seed.map_or(String::new(), |seed| seed.to_string()),
            ),
        ] {
            if !values.is_empty() {
                options.insert(key.to_owned(), values);
            }
        }
        Ok(Self {
            format,
            input: args.input,
            long: args.long,
            prices: args.prices,
            name,
            pair: pair.map(|(small, large)| Pair { small, large }),
            asks_for_random_split: args.test_size.is_some()
                || args.seed.is_some()
                || args.group.is_some(),
            split,
            group: args.group,
            sample: args.sample,
            options,
            kept,
            filter: Filter {
                excluded_models: args.exclude_model,
                excluded_tasks: args.exclude_task.into_iter().map(Pattern::new).collect(),
            },
            shared: args.shared,
        })
    }

    /// Reads, checks, splits, writes and embeds what is missing.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let files = Files::find(&self.input, self.format).map_err(|error| blame(error.into()))?;
        let log = log::find(&self.input, &files)?;
        if log.is_some() && self.long.is_some() {
            return Err(usage_error(format!(
                "--long: `{}` is a decision log, whose columns are known",
                self.input.display()
            )));
        }
        let paths: Vec<&Path> = match &log {
            Some(log) => log.paths().iter().map(PathBuf::as_path).collect(),
            None => files.paths().collect(),
        };
        let sources = paths.into_iter().chain(self.prices.as_deref());
        let sources = sources.map(Source::of).collect::<Result<_, _>>()?;
        let recipe = Recipe {
            name: self.name.clone(),
            pair: self.pair.clone(),
            split: self.split,
            sources,
            options: self.options.clone(),
            made_by: concat!("gen-custom ", env!("CARGO_PKG_VERSION")).to_owned(),
            group: self.group.clone(),
        };
        datagen::cli::run(&self.shared, recipe, || self.read(&files, log.as_ref())).map_err(blame)
    }

    fn read(&self, files: &Files, log: Option<&LogFiles>) -> anyhow::Result<Raw> {
        let prices = self.prices.as_deref().map(PriceList::read).transpose()?;
        let (table, notes) = match (&self.long, log) {
            (_, Some(log)) => {
                let excluded = &self.filter.excluded_models;
                let read = log::read(&self.input, log, &self.kept, excluded, self.sample)?;
                let (table, notes) = self.raw_of_wide(read.wide)?;
                (table, [read.notes, notes].concat())
            }
            (None, None) => {
                let excluded = &self.filter.excluded_models;
                let kind = |column: &str| match self.kept.iter().any(|kept| kept == column) {
                    true => Some(Kind::Any),
                    false => kind(column, excluded),
                };
                let read = self.read_table(files, &kind, "id")?;
                let (mut table, mut notes) =
                    raw_table(&self.input, read.table, &self.filter, &self.kept)
                        .map_err(|error| of_sample(error, self.sample))?;
                if let Some(rows) = read.rows {
                    for row in &mut table.row_numbers {
                        *row = rows[*row - 1] + 1;
                    }
                }
                notes.extend(read.note);
                (table, notes)
            }
            (Some(long), None) => {
                let kind = |column: &str| {
                    let is_kept = self.kept.iter().any(|kept| kept == column);
                    long.kind(column).or(is_kept.then_some(Kind::Any))
                };
                let read = self.read_table(files, &kind, long.id())?;
                let pivoted = pivot(&self.input, long, &read.table, &self.kept)
                    .map_err(|error| of_sample(error, self.sample))?;
                let first_rows = match &read.rows {
                    Some(rows) => (pivoted.first_rows.iter())
                        .map(|&row| rows[row - 1] + 1)
                        .collect(),
                    None => pivoted.first_rows,
                };
                let (table, mut notes) = self.raw_of_wide(Wide {
                    table: pivoted.table,
                    first_rows,
                })?;
                notes.extend(read.note);
                (table, notes)
            }
        };
        // The table has its own parts, which are kept: a random split would mix them.
        if table.parts.is_some() && self.asks_for_random_split {
            warn!(
                "`{}` has a column `split`: --test-size, --seed and --group have no effect on it",
                self.input.display()
            );
        }
        Ok(Raw {
            table,
            prices,
            notes,
            extras: Vec::new(),
        })
    }

    /// Reads the table, or the rows of a sample of the prompts that a column tells apart.
    fn read_table(&self, files: &Files, kinds: Kinds<'_>, id: &str) -> anyhow::Result<Read> {
        let Some(n) = self.sample else {
            return Ok(Read {
                table: Table::read(files, kinds)?,
                rows: None,
                note: None,
            });
        };
        let sampled = Table::read_sample(files, kinds, id, n)?;
        // Said in any case: a later run on a table that has grown may leave some out.
        let note = format!(
            "--sample {n}: {} prompts by the hash of their ids, {} of {} rows",
            sampled.n_values,
            sampled.rows.len(),
            sampled.n_rows
        );
        Ok(Read {
            table: sampled.table,
            rows: Some(sampled.rows),
            note: Some(note),
        })
    }

    /// The raw table of one that was made here, whose rows are known by where they came from.
    fn raw_of_wide(&self, wide: Wide) -> anyhow::Result<(RawTable, Vec<String>)> {
        let Wide { table, first_rows } = wide;
        let (mut table, notes) = raw_table(&self.input, table, &self.filter, &self.kept)?;
        for row in &mut table.row_numbers {
            *row = first_rows[*row - 1];
        }
        Ok((table, notes))
    }
}

/// A table that was read.
struct Read {
    table: Table,
    /// Of a sample, where each row is in the whole table, from 0.
    rows: Option<Vec<usize>>,
    note: Option<String>,
}

/// Says which rows an error counts.
fn of_sample(error: anyhow::Error, sample: Option<NonZeroUsize>) -> anyhow::Error {
    match sample {
        Some(n) => error.context(format!(
            "the sample of `--sample {n}` cannot be used, in which rows are counted"
        )),
        None => error,
    }
}

/// The columns to keep: those that are named, and the one that groups are told by.
fn kept(mut columns: Vec<String>, group: Option<&str>) -> anyhow::Result<Vec<String>> {
    let group = group.filter(|&group| group != "task" && !columns.iter().any(|it| it == group));
    columns.extend(group.map(str::to_owned));
    for (i, column) in columns.iter().enumerate() {
        KeptColumns::check_name(column)
            .map_err(|error| usage_error(format!("--keep, --group: {error}")))?;
        if columns[..i].contains(column) {
            return Err(usage_error(format!("--keep: `{column}` is given twice")));
        }
    }
    Ok(columns)
}

/// The format that the command line names, if it does.
fn format(args: &Args) -> anyhow::Result<Option<TableFormat>> {
    let named = match args.format {
        Some(Format::Csv) => Some(TableFormat::CSV),
        Some(Format::Jsonl) => Some(TableFormat::JsonLines),
        Some(Format::Parquet) => Some(TableFormat::Parquet),
        None => None,
    };
    if args.delimiter.is_none() && args.escape.is_none() {
        return Ok(named);
    }
    // These two say by themselves that it is CSV, under whatever extension.
    let usual = named.or_else(|| TableFormat::of(&args.input));
    match usual.unwrap_or(TableFormat::CSV) {
        TableFormat::Csv { delimiter, .. } => Ok(Some(TableFormat::Csv {
            delimiter: args.delimiter.unwrap_or(delimiter),
            escape: args.escape,
        })),
        _ => Err(usage_error(format!(
            "--delimiter and --escape are for CSV, and `{}` is another format",
            args.input.display()
        ))),
    }
}

fn character(byte: Option<u8>) -> String {
    byte.map_or(String::new(), |byte| (byte as char).to_string())
}

/// Adds the flag that helps, and separates a mistake on the command line, exit code 2, from one in the table.
fn blame(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<TableError>() {
        Some(TableError::UnknownFormat { .. }) => {
            return usage_error(format!("{error}; name the format with --format"));
        }
        Some(TableError::Delimiter { found: '\t', .. }) => {
            return with_hint(error, "give `--delimiter tab`");
        }
        Some(TableError::Delimiter { found, .. }) => {
            let hint = format!("give `--delimiter '{found}'`");
            return with_hint(error, &hint);
        }
        Some(
            TableError::Quote {
                has_backslash_quotes: true,
                ..
            }
            | TableError::FieldCount {
                has_backslash_quotes: true,
                ..
            },
        ) => return with_hint(error, "read it with `--escape '\\'`"),
        _ => {}
    }
    match error.downcast_ref::<MakeError>() {
        Some(MakeError::NoPriceList { .. }) => {
            usage_error(format!("{error}; name one with --prices"))
        }
        Some(MakeError::UnknownPairModel { .. } | MakeError::PairOfOne { .. }) => {
            usage_error(format!("--small, --large: {error}"))
        }
        Some(MakeError::NoKnownScore { .. }) => anyhow::anyhow!("{error} with --exclude-model"),
        _ => error,
    }
}
