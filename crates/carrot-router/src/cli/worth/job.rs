use std::path::{Path, PathBuf};

use carrot_router::{EmbeddingPlace, WorthQuestion};
use cli_support::{read_toml, usage_error};
use dataset::{DatasetDir, DatasetInfo, FolderName, WorthSettings};
use fitting::Settings;
use hub::is_hub_id;
use serde::Deserialize;

use super::args::WorthArgs;
use crate::cli::hints;

/// The settings that the program was built with.
const BUILT_IN: &str = include_str!("../../../../../configs/worth.toml");

/// configs/worth.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Defaults {
    router: String,
    folds: usize,
    repeats: usize,
    seed: u64,
    level: f64,
    resamples: usize,
}

/// `worth` with its command line checked.
pub(super) struct WorthJob {
    pub(super) question: WorthQuestion,
    /// Prompts of both parts.
    pub(super) n_prompts: u64,
    pub(super) n_permutations: u32,
    /// Where the answer is written besides the data set's folder.
    pub(super) output: Option<PathBuf>,
    /// Whether `worth.json` is left as it is.
    pub(super) no_record: bool,
}

impl WorthJob {
    pub(super) fn check(args: WorthArgs) -> anyhow::Result<Self> {
        let defaults: Defaults = read_toml(None, BUILT_IN)?;
        let learners: Settings =
            read_toml(args.program.config.config.as_deref(), fitting::BUILT_IN)?;
        let data_dir = args.program.data_dir.data_dir;
        let dir = DatasetDir::existing(&data_dir, args.dataset.as_str())?;
        let info = DatasetInfo::read(&dir.info())?;
        let device = hints::device(&args.device)?;
        let default = || learners.default_embedding.of(&dir, &info).to_owned();
        let embedding = args.embedding.unwrap_or_else(default);
        let (name, model) = embedder(&embedding, &learners, &args.models_dir.models_dir)?;
        let question = WorthQuestion {
            data_dir,
            dataset: args.dataset.to_string(),
            router: args.router.map_or(defaults.router, |it| it.to_string()),
            learners: learners.learners()?,
            embedding: EmbeddingPlace {
                name,
                model,
                device,
            },
            settings: WorthSettings {
                n_folds: args.folds.unwrap_or(defaults.folds),
                n_repeats: args.repeats.unwrap_or(defaults.repeats),
                seed: args.seed.map_or(defaults.seed, u64::from),
                level: defaults.level,
                n_resamples: args.resamples.unwrap_or(defaults.resamples),
                group: args.group,
                time: args.time,
                embed_usd_per_1k: args.embed_usd_per_1k,
            },
            at_least: args.at_least,
        };
        question
            .check()
            .map_err(|error| usage_error(error.to_string()))?;
        Ok(Self {
            question,
            n_prompts: (info.n_train + info.n_test) as u64,
            n_permutations: args.null,
            output: args.output,
            no_record: args.no_record,
        })
    }
}

/// The folder's name of embeddings under the data set, and of the model that computes them: of a short name from the settings, a folder, or
/// embeddings on disk. Nothing is downloaded.
fn embedder(
    name: &str,
    settings: &Settings,
    models_dir: &Path,
) -> anyhow::Result<(String, Option<PathBuf>)> {
    if let Some(known) = settings.embedders.get(name) {
        return Ok((name.to_owned(), Some(models_dir.join(&known.folder))));
    }
    let bad_name = |error| usage_error(format!("the embedding's name: {error}"));
    let folder = Path::new(name);
    match folder.file_name() {
        Some(last) if folder.is_dir() => {
            let last = last.to_string_lossy();
            let name = last.parse().or_else(|_| FolderName::encode(&last));
            Ok((name.map_err(bad_name)?.to_string(), Some(folder.to_owned())))
        }
        _ if is_hub_id(name) => Ok((
            FolderName::encode(name).map_err(bad_name)?.to_string(),
            None,
        )),
        _ => {
            let name = name.parse().or_else(|_| FolderName::encode(name));
            Ok((name.map_err(bad_name)?.to_string(), None))
        }
    }
}
