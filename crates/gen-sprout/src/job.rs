use std::{collections::BTreeMap, path::PathBuf};

use datagen::{
    DatasetName, RandomSplit, RawTable, Recipe, SourcePart,
    cli::{GenArgs, Raw},
};
use dataset::{Prices, Source};
use tracing::{info, warn};

use crate::{
    args::{Args, Variant},
    config::{Config, PartRows, built_in},
    files::{find_in_folder, find_on_hub},
    models::Models,
    shard::{Bytes, Shard},
    table,
};

/// How to split a source without parts. Every source has parts, but a recipe needs the numbers.
const SPLIT: RandomSplit = RandomSplit {
    test_size: 0.2,
    seed: 42,
};

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Job {
    variant: Variant,
    config: Config,
    config_source: Source,
    prices: Option<PathBuf>,
    source: Option<PathBuf>,
    name: DatasetName,
    shared: GenArgs,
}

impl Job {
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let built_in = built_in(args.variant);
        let (config, config_source) = args.configured.settings(built_in, Config::check)?;
        let shared = args.configured.shared;
        Ok(Self {
            variant: args.variant,
            config,
            config_source,
            prices: args.prices,
            source: args.source,
            name: shared.name_or(args.variant.dataset_name())?,
            shared,
        })
    }

    /// Downloads, reads, checks, costs, writes and embeds what is missing.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let found = match &self.source {
            Some(folder) => find_in_folder(folder)?,
            None => find_on_hub(&self.config.repo, self.shared.output.quiet)?,
        };
        let open = |(part, path): &(SourcePart, PathBuf)| Ok((*part, Shard::open(path)?));
        // All footers first: a file that does not fit is refused before any is read.
        let shards = found.files.iter().map(open);
        let shards = shards.collect::<anyhow::Result<Vec<_>>>()?;
        let own_prices = self.prices.as_deref().map(Prices::read).transpose()?;
        let config_path = &self.config_source.path;
        let models = Models::new(&self.config, config_path, own_prices.as_ref(), &shards)?;
        let mut sources = vec![self.config_source.clone()];
        // Prices decide the costs in the data set, so other prices make a different one.
        sources.extend(self.prices.as_deref().map(Source::of).transpose()?);
        sources.extend(found.sources);
        let options = [("variant".to_owned(), self.variant.dataset_name().to_owned())];
        let recipe = Recipe {
            name: self.name.clone(),
            pair: models.pair.clone(),
            split: SPLIT,
            sources,
            options: BTreeMap::from(options),
            made_by: concat!("gen-sprout ", env!("CARGO_PKG_VERSION")).to_owned(),
            group: None,
        };
        // Answers are nine tenths of the bytes: without this message, reading so little of the files would look like a mistake.
        let read = || {
            log_bytes(&shards);
            let (table, read_notes) = table::read(&found.place, shards, &models.names)?;
            let mut notes = models.notes;
            notes.extend(read_notes);
            if found.is_of_hub || models.are_those_published {
                notes.extend(self.note_on_rows(&table));
            }
            Ok(Raw {
                table,
                prices: Some(models.prices),
                notes,
                extras: Vec::new(),
            })
        };
        datagen::cli::run(&self.shared, recipe, read)
    }

    /// A note if the files have other numbers of rows than the published ones; `table` is complete, before `--limit`.
    fn note_on_rows(&self, table: &RawTable) -> Option<String> {
        let parts = table.parts.as_deref().unwrap_or_default();
        let n_of = |part| parts.iter().filter(|&&other| other == part).count();
        let found = PartRows {
            train: n_of(SourcePart::Train),
            validation: n_of(SourcePart::Validation),
            test: n_of(SourcePart::Test),
        };
        let expected = self.config.n_rows;
        if found == expected {
            return None;
        }
        let words = |rows: PartRows| {
            format!(
                "{} train, {} validation and {} test rows",
                rows.train, rows.validation, rows.test
            )
        };
        // Noted and not refused: another edition of the files is usable, but cannot reproduce published numbers.
        let note = format!(
            "expected the {} of the published files, found {}",
            words(expected),
            words(found)
        );
        warn!("{note}");
        Some(note)
    }
}

fn log_bytes(shards: &[(SourcePart, Shard)]) {
    let mut sum = Bytes::default();
    for (_, shard) in shards {
        let Bytes { read, all } = shard.bytes();
        sum.read += read;
        sum.all += all;
    }
    info!(
        "reading {:.1} of {:.1} MB: answers are left out",
        sum.read as f64 / 1e6,
        sum.all as f64 / 1e6
    );
}
