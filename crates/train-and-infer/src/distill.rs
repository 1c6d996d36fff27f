//! `train-and-infer distill`: static embeddings out of a sentence embedder, once.

mod args;
mod report;

use std::{path::PathBuf, time::Instant};

use anyhow::Context as _;
use cli_support::{Progress, read_toml, usage_error};
use dataset::Lock;
use encoder::{ModelFiles, PromptEmbedder as _, SentenceEmbedder};
use fitting::{BUILT_IN, DistillSettings, Settings};
use hub::ModelPlace;
use static_embeddings::{
    CheckedDistillParams, DistillParams, SourceModel, StaticFiles, Vocabulary,
};
use tracing::info;

pub(crate) use self::args::DistillArgs;
use self::report::{Report, Status};
use crate::{embedder, license, local_model::embedder_folder};

/// A static embedder that is to be there.
#[derive(Debug)]
pub(crate) struct Distillation {
    /// The sentence embedder as it was named, for messages.
    pub(crate) source: String,
    /// Its name that means something elsewhere, for the model card.
    pub(crate) name: String,
    pub(crate) place_of_source: ModelPlace,
    pub(crate) place: PathBuf,
    pub(crate) params: CheckedDistillParams,
    /// Whether one that is up to date is made again.
    pub(crate) force: bool,
    pub(crate) quiet: bool,
}

/// Does what the command line asks for, and prints a report.
///
/// # Errors
/// A usage error for a command line that makes no sense; any error of the model, or of the disk.
pub(crate) fn run(args: DistillArgs) -> anyhow::Result<()> {
    let settings: Settings = read_toml(args.config.config.as_deref(), BUILT_IN)?;
    let known = settings.embedders.get(&args.model);
    if let Some(source) = known.and_then(|it| it.distilled_from.as_ref()) {
        return Err(usage_error(format!(
            "`{}` is static itself, distilled from `{source}`; pass `--model {source}`",
            args.model
        )));
    }
    let models_dir = args.models_dir.models_dir;
    let defaults = &settings.distill;
    let params = params(&DistillSettings {
        dim: args.dim.unwrap_or(defaults.dim),
        sif_coefficient: args.sif_coefficient.unwrap_or(defaults.sif_coefficient),
    });
    let place_of_source = embedder::place(&args.model, &settings.embedders, &models_dir);
    let place = args.output_dir.unwrap_or_else(|| {
        let embedders = &settings.embedders;
        models_dir.join(embedder::folder_of_distilled(&args.model, embedders))
    });
    let distillation = Distillation {
        name: source_name(&args.model, &place_of_source),
        source: args.model,
        place_of_source,
        place,
        params: params.map_err(|error| usage_error(error.to_string()))?,
        force: args.force,
        quiet: args.output.quiet,
    };
    let report = distillation.make()?;
    args.output.print(&report, &report.text())
}

impl Distillation {
    /// Makes the static embedder, unless the one in its place was made of the same model with the same settings.
    ///
    /// # Errors
    /// Any error of the model, or of the disk.
    pub(crate) fn make(&self) -> anyhow::Result<Report> {
        let start = Instant::now();
        let folder = embedder_folder(self.quiet, &self.source, &self.place_of_source)?;
        let files = ModelFiles::in_folder(&folder)?;
        let source = SourceModel {
            name: self.name.clone(),
            sha256: files.sha256()?,
            license: license::of(&folder),
        };
        let report = |status, made: StaticFiles| {
            Ok::<_, anyhow::Error>(Report {
                status,
                folder: self.place.clone(),
                sha256: made.sha256()?,
                source: source.name.clone(),
                source_sha256: source.sha256.clone(),
                license: source.license.clone(),
                seconds: start.elapsed().as_secs_f64(),
            })
        };
        let _lock = Lock::wait_for(&self.place, |holder| {
            info!(
                "waiting for `{}`, which is being written by {holder}",
                self.place.display()
            );
        })?;
        if !self.force
            && let Some(made) = self.params.made(&self.place, &source)?
        {
            return report(Status::Kept, made);
        }
        // Before the minute that the network takes.
        StaticFiles::check_place(&self.place)?;
        let embedder = SentenceEmbedder::load(&files)?;
        let vocabulary = Vocabulary::of(embedder.tokenizer())?;
        let sequences = vocabulary.sequences();
        info!(
            "distilling `{}` from `{}`: {} tokens through its network, once",
            self.place.display(),
            self.source,
            sequences.len()
        );
        let bar = Progress::bar("distilling", sequences.len() as u64, self.quiet);
        let vectors = embedder.embed_ids(&sequences, &|n| bar.add(n))?;
        drop(bar);
        let distilled = self.params.distill(&vocabulary, vectors.view())?;
        distilled.write(&self.place, &source)?;
        let made = StaticFiles::find(&self.place)?
            .context("the static embedder was removed as it was made")?;
        report(Status::Made, made)
    }
}

/// The settings, checked.
pub(crate) fn params(settings: &DistillSettings) -> encoder::Result<CheckedDistillParams> {
    let &DistillSettings {
        dim,
        sif_coefficient,
    } = settings;
    let params = DistillParams {
        dim,
        sif_coefficient,
    };
    params.check()
}

/// A model by a name that means something elsewhere: its id on the hub, or its folder's name.
pub(crate) fn source_name(name: &str, place: &ModelPlace) -> String {
    match place {
        ModelPlace::Hub(id) => id.clone(),
        ModelPlace::Folder(folder) => {
            let last = folder.file_name();
            last.map_or_else(|| name.to_owned(), |it| it.to_string_lossy().into_owned())
        }
    }
}
