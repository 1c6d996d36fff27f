use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, ensure};
use cli_support::Progress;
use datagen::{
    DatasetName, RandomSplit, Recipe,
    cli::{Extra, GenArgs, Raw},
    licence_said_in, licences_found,
};
use dataset::Source;
use hub::{Hub, HubRepo};
use serde_json::json;
use tracing::warn;

use crate::{
    args::{Args, Setting},
    config::{BUILT_IN, Config},
    files::Place,
    records::Records,
    split::split,
    table::table,
};

/// The card of a data set of the hub.
const CARD: &str = "README.md";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Job {
    config: Config,
    config_source: Source,
    setting: Setting,
    seed: u32,
    source: Option<PathBuf>,
    name: DatasetName,
    shared: GenArgs,
}

/// The results, wherever they came from.
struct Found {
    place: Place,
    sources: Vec<Source>,
    /// What the hub's card says.
    licences: Vec<String>,
}

impl Job {
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let (config, config_source) = args.configured.settings(BUILT_IN, Config::check)?;
        let shared = args.configured.shared;
        Ok(Self {
            setting: args.setting,
            seed: args.split_seed.unwrap_or(config.seeds[0]),
            source: args.source,
            name: shared.name_or(&config.pool(args.setting).name)?,
            config,
            config_source,
            shared,
        })
    }

    /// Downloads, reads, checks, splits, writes and embeds what is missing.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let found = self.find()?;
        let mut sources = vec![self.config_source.clone()];
        sources.extend(found.sources.iter().cloned());
        let options = [
            ("setting".to_owned(), self.setting.name().to_owned()),
            ("split-seed".to_owned(), self.seed.to_string()),
        ];
        let recipe = Recipe {
            name: self.name.clone(),
            pair: None,
            // Its split gives every row its part; these are recorded with the recipe.
            split: RandomSplit {
                test_size: 1.0 - self.config.train_share,
                seed: self.seed,
            },
            sources,
            options: BTreeMap::from(options),
            made_by: concat!("gen-llmrouterbench ", env!("CARGO_PKG_VERSION")).to_owned(),
            group: None,
        };
        datagen::cli::run(&self.shared, recipe, || self.read(found))
    }

    fn find(&self) -> anyhow::Result<Found> {
        if let Some(path) = &self.source {
            let place = Place::find(path)?;
            return Ok(Found {
                sources: place.sources()?,
                place,
                licences: Vec::new(),
            });
        }
        let Config { repo, file, .. } = &self.config;
        let hub = Hub::from_env().with_progress(Progress::of_downloads(self.shared.output.quiet));
        let of_hub = HubRepo::dataset(repo);
        let path = hub.file(&of_hub, file)?;
        // The path in the cache is this machine's; the name in the repository is what another person can look up.
        let source = Source {
            path: PathBuf::from(repo).join(file),
            ..Source::of(&path)?
        };
        // Without a card nothing is said of a licence.
        let card = hub
            .file(&of_hub, CARD)
            .ok()
            .and_then(|path| std::fs::File::open(path).ok());
        let said = card.and_then(|card| licence_said_in(&format!("{repo}/{CARD}"), card));
        Ok(Found {
            place: Place::find(&path)?,
            sources: vec![source],
            licences: said.into_iter().collect(),
        })
    }

    fn read(&self, found: Found) -> anyhow::Result<Raw> {
        let pool = self.config.pool(self.setting);
        let path = found.place.path();
        let mut records = Records::read(&found.place, pool)
            .with_context(|| format!("cannot read the results in `{}`", path.display()))?;
        ensure!(
            !records.results.is_empty(),
            "`{}` has no result of the LLMs and data sets of the setting `{}`",
            path.display(),
            self.setting.name()
        );
        let split = split(&records, self.config.train_share, self.seed);
        let (table, mut notes) = table(path, &records, &split, &pool.models);
        let n_records = records.n_records();
        if records.n_replaced > 0 {
            notes.push(format!(
                "{} results were replaced by later ones of the same LLM, data set and split",
                records.n_replaced
            ));
        }
        if records.n_null_scores > 0 {
            notes.push(format!(
                "{} scores are null and count 0, as in LLMRouterBench's code",
                records.n_null_scores
            ));
        }
        if table.models.len() == pool.models.len() && n_records != pool.n_records {
            let note = format!(
                "expected the {} records of the published results, found {n_records}",
                pool.n_records
            );
            warn!("{note}");
            notes.push(note);
        }
        let mut said = found.licences;
        said.append(&mut records.licences);
        Ok(Raw {
            table,
            prices: None,
            notes,
            extras: vec![
                Extra {
                    name: "records",
                    value: json!({ "used": n_records, "documented": pool.n_records, "replaced-results": records.n_replaced }),
                    text: format!("{n_records} records of {} results", records.results.len()),
                },
                licences_found(&said),
            ],
        })
    }
}
