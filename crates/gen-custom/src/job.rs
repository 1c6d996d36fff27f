use std::{collections::BTreeMap, path::PathBuf};

use cli_support::usage_error;
use datagen::{
    DatasetName, Error as MakeError, PriceList, RandomSplit, Recipe,
    cli::{GenArgs, Raw},
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
    options: BTreeMap<String, String>,
    filter: Filter,
    shared: GenArgs,
}

impl Job {
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let format = match args.format {
            Some(format) => format,
            None => read::format_of(&args.input)?,
        };
        // The other generators have one source each, and so a usual name. Here two tables under one name would overwrite each other.
        let name = match &args.shared.name {
            Some(name) => name.clone(),
            None => {
                return Err(usage_error(
                    "--name is required: the data set has no default name",
                ));
            }
        };
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
            prices: args.prices,
            name,
            pair: pair.map(|(small, large)| Pair { small, large }),
            asks_for_random_split: args.test_size.is_some() || args.seed.is_some(),
            split,
            options,
            filter: Filter {
                excluded_models: args.exclude_model,
                excluded_tasks: args.exclude_task.into_iter().map(Pattern::new).collect(),
            },
            shared: args.shared,
        })
    }

    /// Reads, checks, splits, writes and embeds what is missing.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut sources = vec![Source::of(&self.input)?];
        sources.extend(self.prices.as_deref().map(Source::of).transpose()?);
        let recipe = Recipe {
            name: self.name.clone(),
            pair: self.pair.clone(),
            split: self.split,
            sources,
            options: self.options.clone(),
            made_by: concat!("gen-custom ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        datagen::cli::run(&self.shared, recipe, || self.read()).map_err(blame)
    }

    fn read(&self) -> anyhow::Result<Raw> {
        let prices = self.prices.as_deref().map(PriceList::read).transpose()?;
        let wanted = Wanted {
            excluded_models: &self.filter.excluded_models,
        };
        let columns = read::read(&self.input, self.format, wanted)?;
        let (table, notes) = raw_table(&self.input, columns, &self.filter)?;
        // The table has its own parts, which are kept: a random split would mix them.
        if table.parts.is_some() && self.asks_for_random_split {
            warn!(
                "`{}` has a column `split`: --test-size and --seed have no effect",
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
}

/// Adds the flag that helps, and separates a mistake on the command line, exit code 2, from one in the table.
fn blame(error: anyhow::Error) -> anyhow::Error {
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
