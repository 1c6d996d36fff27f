//! One router from what it depends on to what lies on disk.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use anyhow::Context as _;
use cli_support::peak_memory_bytes;
use dataset::{MadeFrom, Part, RunManifest, Source};
use saved_routers::{Embedder as SavedEmbedder, FORMAT_VERSION, NewFolder, Record, SavedRouter};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::{
    data::Data,
    embedder::Model,
    job::Job,
    learner::{self, Fitted, Outcome, Recipe},
    report::{Report, Status},
    router::Router,
    stopwatch::Stopwatch,
};

pub(crate) const MADE_BY: &str = concat!("train-and-infer ", env!("CARGO_PKG_VERSION"));

/// Fits a router, unless what is there was made from the same; leaves predictions, the fitted router, and last a manifest.
pub(crate) fn run(job: &Job, router: Router, data: &mut Data) -> anyhow::Result<Report> {
    let run = Run::new(job, router, data)?;
    if !job.force
        && let Some(report) = run.kept(data)?
    {
        return Ok(report);
    }
    // Before a training makes a folder in its place.
    NewFolder::recover(&job.model_folder(router))?;
    let mut stopwatch = Stopwatch::start();
    let (_, read_splits) = data.splits(job)?;
    stopwatch.add(read_splits);
    let outcome = learner::run(job, router, data, &mut stopwatch)?;
    run.write(data, outcome, stopwatch)
}

/// A router to be fitted, and all that decides what comes out.
pub(crate) struct Run<'a> {
    pub(crate) job: &'a Job,
    pub(crate) router: Router,
    pub(crate) recipe: Recipe,
    /// The recipe's settings with the embedder's identity.
    pub(crate) config: Value,
}

impl<'a> Run<'a> {
    pub(crate) fn new(job: &'a Job, router: Router, data: &mut Data) -> anyhow::Result<Self> {
        let recipe = learner::recipe(job, router)?;
        let config = config(job, router, data, &recipe)?;
        Ok(Self {
            job,
            router,
            recipe,
            config,
        })
    }

    /// The files that go into a router, hashed as they are now; `None` where some are not there yet.
    pub(crate) fn inputs(&self, data: &mut Data) -> anyhow::Result<Option<Vec<Source>>> {
        let Self {
            job,
            router,
            recipe,
            ..
        } = self;
        let mut inputs = data.sources(job)?.to_vec();
        if let Some(embedder) = job.embedder_of(*router) {
            for path in Part::ALL.map(|part| job.dir.embeddings(&embedder.name, part)) {
                if !path.is_file() {
                    return Ok(None);
                }
                inputs.push(Source::of(&path)?);
            }
        }
        inputs.extend(recipe.inputs.iter().cloned());
        Ok(Some(inputs))
    }

    /// What the predictions say that they were made from; `inputs` as [`Run::inputs`] gives them.
    pub(crate) fn made_from(&self, inputs: &[Source]) -> MadeFrom {
        let [train, test, others @ ..] = inputs else {
            unreachable!("train and test part come first");
        };
        let embedder = self.job.embedder_of(self.router);
        MadeFrom {
            split_sha256: test.sha256.clone(),
            made_by: Some(MADE_BY.to_owned()),
            router: Some(self.router.name().to_owned()),
            embedder: embedder.map(|embedder| embedder.name.clone()),
            train_sha256: Some(train.sha256.clone()),
            other_sha256: others.iter().map(|input| input.sha256.clone()).collect(),
        }
    }

    /// What is there already, if it was made from the same data with the same settings by the same program, and is whole.
    fn kept(&self, data: &mut Data) -> anyhow::Result<Option<Report>> {
        let Self {
            job,
            router,
            recipe,
            config,
        } = self;
        let (manifest, predictions) = (
            job.dir.manifest(router.name()),
            job.dir.predictions(router.name()),
        );
        if !manifest.is_file() || !predictions.is_file() {
            return Ok(None);
        }
        let Ok(manifest) = RunManifest::read(&manifest) else {
            return Ok(None);
        };
        let is_same = manifest.made_by == MADE_BY
            && manifest.config == as_read(config)?
            && manifest.seed == recipe.seed
            && Some(&manifest.inputs) == self.inputs(data)?.as_ref();
        if !is_same {
            info!("`{router}` was fitted with other data, settings or program; fitting it anew");
            return Ok(None);
        }
        let model = recipe.is_fitted.then(|| job.model_folder(*router));
        if let Some(folder) = &model
            && let Err(error) = SavedRouter::open(folder)
        {
            let error = anyhow::Error::new(error);
            warn!("the fitted `{router}` cannot be used, fitting it anew: {error:#}");
            return Ok(None);
        }
        info!("keeping `{router}`: nothing it depends on has changed; --force fits it anew");
        Ok(Some(Report {
            status: Status::Kept,
            predictions,
            model,
            n_train: job.info.n_train,
            n_test: job.info.n_test,
            summary: Vec::new(),
            manifest,
        }))
    }

    /// Leaves predictions, the fitted router, and last the manifest.
    fn write(
        self,
        data: &mut Data,
        outcome: Outcome,
        mut stopwatch: Stopwatch,
    ) -> anyhow::Result<Report> {
        let (job, router) = (self.job, self.router);
        let path = job.dir.predictions(router.name());
        let manifest_path = job.dir.manifest(router.name());
        // An older manifest must not stand beside newer predictions, should this be the end.
        match fs::remove_file(&manifest_path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error)
                    .with_context(|| format!("cannot remove `{}`", manifest_path.display()));
            }
            _ => {}
        }
        let inputs = self.inputs(data)?.context("the embeddings went away")?;
        let model = stopwatch.time("write", || {
            outcome.predictions.write(&path, &self.made_from(&inputs))?;
            let fitted = outcome.fitted;
            fitted
                .map(|fitted| self.commit(data, &outcome.results, fitted))
                .transpose()
        })?;
        let mut environment = BTreeMap::from([("threads".to_owned(), n_threads())]);
        environment.extend(outcome.environment);
        let manifest = RunManifest {
            dataset: job.dir.name().to_owned(),
            router: router.name().to_owned(),
            embedder: job
                .embedder_of(router)
                .map(|embedder| embedder.name.clone()),
            seed: self.recipe.seed,
            made_by: MADE_BY.to_owned(),
            config: self.config,
            inputs,
            results: outcome.results,
            stages: stopwatch.stages(),
            peak_memory_bytes: peak_memory_bytes(),
            environment,
        };
        manifest.write(&manifest_path)?;
        let (splits, _) = data.splits(job)?;
        Ok(Report {
            status: Status::Fitted,
            predictions: path,
            model,
            n_train: splits.train.n_prompts(),
            n_test: splits.test.n_prompts(),
            summary: outcome.summary,
            manifest,
        })
    }

    /// Puts a fitted router in its place.
    fn commit(&self, data: &mut Data, results: &Value, fitted: Fitted) -> anyhow::Result<PathBuf> {
        let (job, router) = (self.job, self.router);
        let embedder = match job.embedder_of(router) {
            Some(embedder) => {
                let dim = data.embeddings(job, embedder)?.train.ncols();
                let model = data.model(job, embedder)?.as_ref();
                Some(SavedEmbedder {
                    name: embedder.name.clone(),
                    model: embedder.model.as_ref().map(|model| match model {
                        Model::Folder(folder) => folder.display().to_string(),
                        Model::Hub(id) => id.clone(),
                    }),
                    sha256: model.and_then(|model| model.sha256()).map(str::to_owned),
                    dim,
                    license: model.and_then(|model| model.license()).map(str::to_owned),
                })
            }
            None => None,
        };
        let [train, _] = data.sources(job)?;
        let record = Record {
            format_version: FORMAT_VERSION,
            router: router.name().to_owned(),
            dataset: job.dir.name().to_owned(),
            train_sha256: train.sha256.clone(),
            models: job.info.models.clone(),
            cost_kind: job.info.cost_kind,
            pair: job.info.pair.clone().filter(|_| router.is_binary()),
            embedder,
            base: fitted.base,
            contents: fitted.contents,
            config: self.config.clone(),
            results: results.clone(),
            made_by: MADE_BY.to_owned(),
        };
        fitted.folder.commit(&record)?;
        Ok(job.model_folder(router))
    }
}

/// The recipe's settings and the embedder's identity.
fn config(job: &Job, router: Router, data: &mut Data, recipe: &Recipe) -> anyhow::Result<Value> {
    let mut config = recipe.config.clone();
    if let Some(embedder) = job.embedder_of(router) {
        let model = data.model(job, embedder)?;
        let sha256 = model.as_ref().and_then(|model| model.sha256());
        config["embedder"] = json!({ "name": embedder.name, "sha256": sha256 });
    }
    Ok(config)
}

/// Settings as they come back from a manifest: a number may lose its last bit when it is read from JSON.
pub(crate) fn as_read(config: &Value) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&config.to_string())?)
}

pub(crate) fn n_threads() -> String {
    std::thread::available_parallelism().map_or_else(|_| "unknown".to_owned(), |n| n.to_string())
}
