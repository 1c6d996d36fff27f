use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context as _;
use cli_support::usage_error;
use datagen::{
    DatasetName, Error as MakeError, PriceList, RandomSplit, Request, Summary, Tally, make,
};
use dataset::{Pair, Source};
use tracing::warn;

use crate::{
    args::{Args, Format},
    columns::Wanted,
    contract::{Filter, raw_table},
    pattern::Pattern,
    read,
};

/// Share of test rows, as in CARROT's own splits.
const TEST_SIZE: f64 = 0.2;
/// Seed of the split, as in CARROT's own splits.
const SEED: u32 = 42;

/// What the command line asks for, checked as far as it can be without the table.
#[derive(Debug)]
pub(crate) struct Job {
    input: PathBuf,
    format: Format,
    prices: Option<PathBuf>,
    name: DatasetName,
    pair: Option<Pair>,
    split: RandomSplit,
    asks_for_random_split: bool,
    filter: Filter,
    data_dir: PathBuf,
}

impl Job {
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let format = match args.format {
            Some(format) => format,
            None => read::format_of(&args.input)?,
        };
        let pair = args.small.zip(args.large);
        Ok(Self {
            format,
            input: args.input,
            prices: args.prices,
            name: args.name,
            pair: pair.map(|(small, large)| Pair { small, large }),
            asks_for_random_split: args.test_size.is_some() || args.seed.is_some(),
            split: RandomSplit {
                test_size: args.test_size.unwrap_or(TEST_SIZE),
                seed: args.seed.unwrap_or(SEED),
            },
            filter: Filter {
                excluded_models: args.exclude_model,
                excluded_tasks: args.exclude_task.into_iter().map(Pattern::new).collect(),
                limit: args.limit.map(usize::from),
            },
            data_dir: args.data_dir.data_dir,
        })
    }

    /// Reads, checks, splits and writes.
    pub(crate) fn run(self) -> anyhow::Result<Summary> {
        let prices = self.prices.as_deref().map(PriceList::read).transpose()?;
        let wanted = Wanted {
            excluded_models: &self.filter.excluded_models,
        };
        let columns = read::read(&self.input, self.format, wanted)?;
        let (table, notes) = raw_table(&self.input, columns, &self.filter)?;
        if table.parts.is_some() && self.asks_for_random_split {
            warn!(
                "`{}` has a column `split`: --test-size and --seed change nothing",
                self.input.display()
            );
        }
        let mut sources = vec![Source::of(&self.input)?];
        sources.extend(self.prices.as_deref().map(Source::of).transpose()?);
        let request = Request {
            name: self.name,
            pair: self.pair,
            split: self.split,
            sources,
            made_by: concat!("gen-custom ", env!("CARGO_PKG_VERSION")).to_owned(),
            options: BTreeMap::new(),
            notes,
        };
        let made = make(table, prices.as_ref(), request).map_err(blame)?;
        let dir = made
            .write(&self.data_dir)
            .with_context(|| format!("failed to write the data set `{}`", made.info.name))?;
        let mut tally = Tally::new(made.info.models.len());
        tally.add(&made.train);
        tally.add(&made.test);
        Ok(tally.summary(&made.info, &dir))
    }
}

/// Tells a command line that cannot be meant from a table that is wrong.
fn blame(error: MakeError) -> anyhow::Error {
    match error {
        MakeError::NoPriceList { .. } => usage_error(format!("{error}; name one with --prices")),
        MakeError::UnknownPairModel { .. } | MakeError::PairOfOne { .. } => {
            usage_error(format!("--small, --large: {error}"))
        }
        MakeError::NoKnownScore { .. } => anyhow::anyhow!("{error} with --exclude-model"),
        other => other.into(),
    }
}
