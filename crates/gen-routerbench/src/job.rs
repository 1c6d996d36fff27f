use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use cli_support::Progress;
use datagen::{
    DatasetName, RandomSplit, Recipe,
    cli::{GenArgs, Raw, pair_among},
};
use dataset::{Source, train_test_split};
use hub::{Hub, HubRepo};
use pickle::Pickle;
use tracing::warn;

use crate::{
    args::Args,
    config::{BUILT_IN, Config, Published},
    frame::{self, Wanted, cannot_read},
    prompts::Reading,
};

const NAME: &str = "routerbench";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Job {
    config: Config,
    config_source: Source,
    source: Option<PathBuf>,
    reading: Reading,
    name: DatasetName,
    shared: GenArgs,
}

/// The pickle, wherever it came from.
struct Found {
    path: PathBuf,
    source: Source,
    is_of_hub: bool,
}

impl Job {
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let (config, config_source) = args.configured.settings(BUILT_IN, Ok)?;
        let shared = args.configured.shared;
        Ok(Self {
            config,
            config_source,
            source: args.source,
            reading: if args.reference_quirks {
                Reading::Cut
            } else {
                Reading::Literal
            },
            name: shared.name_or(NAME)?,
            shared,
        })
    }

    /// Downloads, reads, checks, splits, writes and embeds what is missing.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let found = self.find()?;
        // The columns' names come after all values in a pickle, and the recipe needs them.
        let pickle = Pickle::read(&found.path).with_context(|| cannot_read(&found.path))?;
        let frame = pickle.frame().with_context(|| cannot_read(&found.path))?;
        let models = frame::models(&found.path, &frame)?;
        // It borrows the pickle, which moves into the closure below.
        drop(frame);
        let pair = self.config.pair.as_ref();
        let pair = pair.map(|pair| pair_among(pair, &models));
        // A local file with the published LLMs should have the published rows. A file with other LLMs is another data set, for which no number
        // of rows is known.
        let is_published = found.is_of_hub || has_all(&models, &self.config.published.models);
        let recipe = Recipe {
            name: self.name.clone(),
            pair: pair.clone().and_then(Result::ok),
            split: RandomSplit {
                test_size: self.config.test_size,
                seed: self.config.seed,
            },
            sources: vec![self.config_source.clone(), found.source.clone()],
            options: self.options(),
            made_by: concat!("gen-routerbench ", env!("CARGO_PKG_VERSION")).to_owned(),
            group: None,
        };
        // The pickle goes into the closure, and is gone before the rows are split and written.
        let read = || {
            let pickle = pickle;
            let mut raw = self.read(&found.path, &pickle, &models)?;
            raw.notes.extend(pair.and_then(Result::err));
            if is_published {
                raw.notes.extend(self.note_on_rows(raw.table.n_prompts())?);
            }
            Ok(raw)
        };
        datagen::cli::run(&self.shared, recipe, read)
    }

    fn find(&self) -> anyhow::Result<Found> {
        let Config { repo, file, .. } = &self.config;
        if let Some(path) = &self.source {
            let path = if path.is_dir() {
                path.join(file)
            } else {
                path.clone()
            };
            return Ok(Found {
                source: Source::of(&path)?,
                path,
                is_of_hub: false,
            });
        }
        let hub = Hub::from_env().with_progress(Progress::of_downloads(self.shared.output.quiet));
        let path = hub.file(&HubRepo::dataset(repo), file)?;
        // The path in the cache is this machine's; the name in the repository is what another person can look up.
        let source = Source {
            path: Path::new(repo).join(file),
            ..Source::of(&path)?
        };
        Ok(Found {
            path,
            source,
            is_of_hub: true,
        })
    }

    fn options(&self) -> BTreeMap<String, String> {
        let quirks = match self.reading {
            Reading::Literal => None,
            Reading::Cut => Some(("reference-quirks".to_owned(), "true".to_owned())),
        };
        quirks.into_iter().collect()
    }

    fn read(&self, path: &Path, pickle: &Pickle, models: &[String]) -> anyhow::Result<Raw> {
        let wanted = Wanted {
            dropped_prefix: &self.config.drop_eval_name_prefix,
            models,
            reading: self.reading,
        };
        let frame = pickle.frame().with_context(|| cannot_read(path))?;
        frame::read(path, &frame, &wanted)
    }

    /// A note if the file has another number of rows than the published one; `n` is before `--limit`.
    fn note_on_rows(&self, n: usize) -> anyhow::Result<Option<String>> {
        let Config {
            published: Published { n_rows, .. },
            test_size,
            seed,
            ..
        } = self.config;
        if n == n_rows {
            return Ok(None);
        }
        // Noted and not refused: another edition of the file is usable, but cannot reproduce published numbers.
        let rows = train_test_split(n_rows, test_size, seed)?;
        let note = format!(
            "expected the {n_rows} rows of the published file ({} train and {} test rows), found {n}",
            rows.train.len(),
            rows.test.len()
        );
        warn!("{note}");
        Ok(Some(note))
    }
}

/// Whether two lists have the same names, in any order.
fn has_all(found: &[String], expected: &[String]) -> bool {
    found.len() == expected.len() && expected.iter().all(|model| found.contains(model))
}
