use std::{collections::BTreeMap, path::PathBuf};

use datagen::{
    DatasetName, PriceList, RandomSplit, Recipe,
    cli::{Extra, GenArgs, Raw},
    licences_found,
};
use dataset::Source;
use serde_json::json;
use tracing::warn;

use crate::{
    args::Args,
    config::{BUILT_IN, Config, PartRows},
    files::{Found, find_in_folder, find_on_hub},
    table::{models, table},
};

const NAME: &str = "xroutebench";

/// Its files come in parts, but a recipe needs the numbers.
const SPLIT: RandomSplit = RandomSplit {
    test_size: 0.2,
    seed: 42,
};

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Job {
    config: Config,
    config_source: Source,
    source: Option<PathBuf>,
    name: DatasetName,
    shared: GenArgs,
}

impl Job {
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let (config, config_source) = args.configured.settings(BUILT_IN, Ok)?;
        let shared = args.configured.shared;
        Ok(Self {
            config,
            config_source,
            source: args.source,
            name: shared.name_or(NAME)?,
            shared,
        })
    }

    /// Downloads, reads, checks, costs, writes and embeds what is missing.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let found = match &self.source {
            Some(folder) => find_in_folder(&self.config, folder)?,
            None => find_on_hub(&self.config, self.shared.output.quiet)?,
        };
        let mut sources = vec![self.config_source.clone()];
        sources.extend(found.sources.iter().cloned());
        let recipe = Recipe {
            name: self.name.clone(),
            pair: None,
            split: SPLIT,
            sources,
            options: BTreeMap::new(),
            made_by: concat!("gen-xroutebench ", env!("CARGO_PKG_VERSION")).to_owned(),
            group: None,
        };
        datagen::cli::run(&self.shared, recipe, || self.read(&found))
    }

    fn read(&self, found: &Found) -> anyhow::Result<Raw> {
        let [train, test, candidates] = &found.paths;
        let known = models(candidates)?;
        let (table, [n_train, n_test], mut notes) = table([train, test], &known.names)?;
        let rows = PartRows {
            train: n_train,
            test: n_test,
        };
        let expected = self.config.n_rows;
        // Noted and not refused: another edition of the files is usable, but cannot reproduce published numbers.
        if rows != expected || known.names.len() != self.config.n_models {
            let note = format!(
                "expected the {} train and {} test answers of {} LLMs of the published files, found {n_train} and {n_test} of {}",
                expected.train,
                expected.test,
                self.config.n_models,
                known.names.len()
            );
            warn!("{note}");
            notes.push(note);
        }
        Ok(Raw {
            table,
            prices: Some(PriceList::new(candidates, known.prices)?),
            notes,
            extras: vec![
                Extra {
                    name: "answers",
                    value: json!({ "train": n_train, "test": n_test }),
                    text: format!("{n_train} answers of the train part, {n_test} of the test part"),
                },
                licences_found(&found.licences),
            ],
        })
    }
}
