//! One router on one set of train prompts: fit, save, reopen, predict, and what is on disk afterwards.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use dataset::{MadeFrom, Predictions, RunManifest, Source, atomic, sha256_file};
use saved_routers::{Embedder as SavedEmbedder, FORMAT_VERSION, Record, SavedRouter, TokenLines};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::{
    data::{Data, Prompts, inputs},
    fits::CURVES,
    learner::{Fit, Fitted, Learner, Outcome, Product, Recipe},
    predict,
    report::{Report, Status},
    router::Router,
    sample::Sample,
    setup::Setup,
    stopwatch::Stopwatch,
};

pub(crate) const MADE_BY: &str = concat!("train-and-infer ", env!("CARGO_PKG_VERSION"));

/// A router to be fitted, and everything that determines the result.
pub(crate) struct Run<'a> {
    setup: &'a Setup,
    router: &'static Router,
    learner: Learner,
    sample: &'a Sample,
    places: Places,
    recipe: Recipe,
    /// The recipe's settings with the embedder's identity and the sample.
    config: Value,
}

/// Where a run's results go.
struct Places {
    predictions: PathBuf,
    manifest: PathBuf,
    /// The fitted router's folder; for a learning curve, a temporary one.
    model: PathBuf,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        setup: &'a Setup,
        router: &'static Router,
        sample: &'a Sample,
        data: &mut Data,
    ) -> anyhow::Result<Self> {
        let learner = router.learner.context("this build cannot fit the router")?;
        let recipe = learner.recipe(setup)?;
        let config = config(setup, router, sample, data, recipe.config.clone())?;
        Ok(Self {
            setup,
            router,
            learner,
            sample,
            places: Places::of(setup, router, sample),
            recipe,
            config,
        })
    }

    /// Fits the router and predicts the test part, unless what is on disk was made from the same.
    pub(crate) fn run(self, data: &mut Data) -> anyhow::Result<Report> {
        if !self.setup.force
            && let Some(report) = self.kept(data)?
        {
            return Ok(report);
        }
        let mut stopwatch = Stopwatch::start();
        let prompts = data.prompts(self.setup, self.router, self.sample, &mut stopwatch)?;
        let outcome = self.learner.fit(&mut Fit {
            setup: self.setup,
            train: &prompts.splits.train,
            n_validation: self.sample.n_validation(&self.setup.info),
            embeddings: prompts.embeddings.as_ref().map(|it| it.train.view()),
            test: &prompts.splits.test,
            place: &self.places.model,
            stopwatch: &mut stopwatch,
        })?;
        self.finish(data, &prompts, outcome, stopwatch)
    }

    fn inputs(&self, data: &mut Data) -> anyhow::Result<Option<Vec<Source>>> {
        inputs(self.setup, self.router, &self.recipe.inputs, data)
    }

    /// What the predictions say that they were made from; `inputs` as [`Run::inputs`] gives them.
    fn made_from(&self, inputs: &[Source]) -> MadeFrom {
        let [train, test, others @ ..] = inputs else {
            unreachable!("the train and the test part come first");
        };
        let embedder = self.setup.embedder_for(self.router.input);
        MadeFrom {
            split_sha256: test.sha256.clone(),
            made_by: Some(MADE_BY.to_owned()),
            router: Some(self.router.name.to_owned()),
            embedder: embedder.map(|embedder| embedder.name.clone()),
            train_sha256: Some(train.sha256.clone()),
            other_sha256: others.iter().map(|input| input.sha256.clone()).collect(),
        }
    }

    /// What is on disk, if it was made from the same data with the same settings by the same program, and is whole.
    fn kept(&self, data: &mut Data) -> anyhow::Result<Option<Report>> {
        let (router, on) = (self.router, self.sample.described());
        let Places {
            predictions,
            manifest,
            model,
        } = &self.places;
        // Both, because a run that was killed may leave predictions without a manifest, and a user may have deleted the predictions.
        if !manifest.is_file() || !predictions.is_file() {
            return Ok(None);
        }
        // A manifest that this version cannot read proves nothing. That is no error: the new run replaces it.
        let Ok(manifest) = RunManifest::read(manifest) else {
            return Ok(None);
        };
        // The inputs come last, because hashing embeddings takes seconds, which the cheap comparisons before may save.
        let is_same = manifest.made_by == MADE_BY
            && manifest.config == as_read(&self.config)?
            && manifest.seed == self.recipe.seed
            && Some(&manifest.inputs) == self.inputs(data)?.as_ref();
        if !is_same {
            info!(
                "`{router}`{on} was fitted with different data, settings or program version; refitting it"
            );
            return Ok(None);
        }
        // Whatever was damaged since is made anew, rather than found out by whoever reads it next.
        if let Err(error) = self.check_predictions(&manifest) {
            warn!("the predictions of `{router}`{on} cannot be used, refitting it: {error:#}");
            return Ok(None);
        }
        if self.keeps_model()
            && let Err(error) = SavedRouter::open(model)
        {
            let error = anyhow::Error::new(error);
            warn!("the fitted `{router}` cannot be used, refitting it: {error:#}");
            return Ok(None);
        }
        info!("keeping `{router}`{on}: nothing it depends on has changed; --force refits it");
        Ok(Some(self.report(Status::Kept, Vec::new(), manifest)))
    }

    /// Refuses predictions that are not those that the manifest is about.
    fn check_predictions(&self, manifest: &RunManifest) -> anyhow::Result<()> {
        let path = &self.places.predictions;
        let Some(expected) = &manifest.predictions_sha256 else {
            // A manifest of an earlier version: that they can be read is all that can be checked.
            let n_rows = Predictions::read(path)?.ids().len();
            ensure!(
                n_rows == self.setup.info.n_test,
                "`{}` has {n_rows} rows, expected the {} of the test part",
                path.display(),
                self.setup.info.n_test
            );
            return Ok(());
        };
        let found = sha256_file(path)?;
        ensure!(
            found == *expected,
            "`{}` has changed since it was written: its SHA-256 is {found}, expected {expected}",
            path.display()
        );
        Ok(())
    }

    /// Puts the fitted router in its place, predicts with it, and writes the predictions and, last, the manifest.
    ///
    /// The older manifest is removed first and the new one written last: wherever a crash interrupts this, no manifest vouches for files of
    /// different runs. The router comes before its predictions because it makes them.
    fn finish(
        self,
        data: &mut Data,
        prompts: &Prompts,
        mut outcome: Outcome,
        mut stopwatch: Stopwatch,
    ) -> anyhow::Result<Report> {
        outcome.results["equal-prompts"] = json!(prompts.splits.equal);
        if let Some(embeddings) = &prompts.embeddings {
            let [train, test] = &embeddings.losses;
            outcome.results["embedding"] = json!({ "train": train, "test": test });
        }
        atomic::remove_file(&self.places.manifest)?;
        // Hashed only now, because embeddings that were missing at the start exist since the fit.
        let inputs = self
            .inputs(data)?
            .context("the embeddings were removed while the router was fitted")?;
        let predictions = match outcome.product {
            Product::Predictions(predictions) => predictions,
            Product::Fitted(fitted) => {
                let record = self.record(data, prompts, &outcome.results, &fitted)?;
                fitted.folder.commit(&record)?;
                // With the reopened router and not the learner in memory, so that each run tests what it saved. A router that is stored as
                // f16 thus predicts here exactly what it predicts in use.
                self.predict(prompts, &mut stopwatch)?
            }
        };
        // Into the file itself too: whoever reads it later can tell what it belongs to even if the manifest did not come along.
        let made_from = self.made_from(&inputs);
        stopwatch.time("write", || {
            Ok(predictions.write(&self.places.predictions, &made_from)?)
        })?;
        let manifest = RunManifest {
            dataset: self.setup.dir.name().to_owned(),
            router: self.router.name.to_owned(),
            embedder: self
                .setup
                .embedder_for(self.router.input)
                .map(|embedder| embedder.name.clone()),
            seed: self.recipe.seed,
            made_by: MADE_BY.to_owned(),
            config: self.config.clone(),
            inputs,
            results: outcome.results,
            predictions_sha256: Some(sha256_file(&self.places.predictions)?),
            environment: outcome.environment,
            timings: stopwatch.timings(),
        };
        manifest.write(&self.places.manifest)?;
        // A router of a sample was saved only to be reopened and to predict.
        if self.sample != &Sample::Whole {
            forget(&self.places.model)?;
        }
        Ok(self.report(Status::Fitted, outcome.summary, manifest))
    }

    /// Predicts the test part with the router as it is on disk.
    fn predict(&self, prompts: &Prompts, stopwatch: &mut Stopwatch) -> anyhow::Result<Predictions> {
        let router = stopwatch.time("open", || Ok(SavedRouter::open(&self.places.model)?))?;
        let test = prompts.embeddings.as_ref().map(|it| it.test.view());
        predict::test_split(self.setup, &router, &prompts.splits.test, test, stopwatch)
            .context("cannot predict with the router that was just saved")
    }

    fn record(
        &self,
        data: &mut Data,
        prompts: &Prompts,
        results: &Value,
        fitted: &Fitted,
    ) -> anyhow::Result<Record> {
        let (setup, router) = (self.setup, self.router);
        let embedder = match (setup.embedder_for(router.input), &prompts.embeddings) {
            (Some(embedder), Some(embeddings)) => {
                let model = data.model(setup, embedder)?.as_ref();
                Some(SavedEmbedder {
                    name: embedder.name.clone(),
                    model: embedder.model.as_ref().map(ToString::to_string),
                    sha256: model.map(|model| model.sha256().to_owned()),
                    server: embeddings.server.clone(),
                    dim: embeddings.train.ncols(),
                    truncate: setup.truncate,
                    precision: embeddings.precision,
                    license: model.and_then(|model| model.license()).map(str::to_owned),
                })
            }
            _ => None,
        };
        let token_lines = self.token_lines(data, prompts)?;
        let [train, _] = data.sources(setup)?;
        Ok(Record {
            format_version: FORMAT_VERSION,
            router: router.name.to_owned(),
            dataset: setup.dir.name().to_owned(),
            train_sha256: train.sha256.clone(),
            models: setup.info.models.clone(),
            cost_kind: setup.info.cost_kind,
            pair: setup.info.pair.clone().filter(|_| router.needs_pair),
            embedder,
            token_lines,
            base: fitted.base.clone(),
            contents: fitted.contents.clone(),
            config: self.config.clone(),
            results: results.clone(),
            made_by: MADE_BY.to_owned(),
            files: Vec::new(),
        })
    }

    /// What the LLMs bill by the tokens of a prompt's text, where the embedder's model counts them here as it will when prompts are routed.
    fn token_lines(
        &self,
        data: &mut Data,
        prompts: &Prompts,
    ) -> anyhow::Result<Option<TokenLines>> {
        let setup = self.setup;
        let embedder = setup.embedder_for(self.router.input);
        // A router of a pair predicts no costs, and one of a sample is not kept.
        let (Some(embedder), false, Sample::Whole) =
            (embedder, self.router.needs_pair, self.sample)
        else {
            return Ok(None);
        };
        let counted = data.counted(setup, embedder)?;
        if counted.is_none()
            && embedder.model.is_none()
            && prompts.splits.train.input_tokens.is_some()
        {
            warn!(
                "no line from a text's tokens to what LLMs bill is fitted for `{}`: what embeds is a server's model, or unknown, and its tokens cannot be counted \
                 here. System prompts are then in no expected cost: give each request's `input_tokens` to `carrot-router route`",
                self.router
            );
        }
        Ok(counted.and_then(|counted| fitting::token_lines(&prompts.splits.train, &counted)))
    }

    fn keeps_model(&self) -> bool {
        self.recipe.is_fitted && self.sample == &Sample::Whole
    }

    fn report(&self, status: Status, summary: Vec<String>, manifest: RunManifest) -> Report {
        Report {
            status,
            predictions: self.places.predictions.clone(),
            model: self.keeps_model().then(|| self.places.model.clone()),
            n_train: self.sample.n_train(&self.setup.info),
            n_test: self.setup.info.n_test,
            cross_fit: None,
            summary,
            manifest,
        }
    }
}

impl Places {
    fn of(setup: &Setup, router: &Router, sample: &Sample) -> Self {
        let (dir, name) = (&setup.dir, router.name);
        let models = setup.models_dir.join(dir.name());
        match sample {
            Sample::Whole => Self {
                predictions: dir.predictions(name),
                manifest: dir.manifest(name),
                model: models.join(name),
            },
            // Apart from the others, so that a fit on a sample never replaces a router or predictions that are in use.
            Sample::Rows(rows) => Self {
                predictions: dir.learning_curve_predictions(name, rows.len()),
                manifest: dir.learning_curve_manifest(name, rows.len()),
                model: models.join(CURVES).join(name).join(rows.len().to_string()),
            },
        }
    }
}

/// A recipe's settings, the embedder's identity, and the sample.
pub(crate) fn config(
    setup: &Setup,
    router: &Router,
    sample: &Sample,
    data: &mut Data,
    mut config: Value,
) -> anyhow::Result<Value> {
    if let Some(embedder) = setup.embedder_for(router.input) {
        let model = data.model(setup, embedder)?;
        let sha256 = model.as_ref().map(|model| model.sha256());
        // By its hash and not its folder: the same model in another place gives the same embeddings, one that was replaced does not.
        config["embedder"] = json!({ "name": embedder.name, "sha256": sha256 });
        if let Some(truncate) = setup.truncate {
            config["embedder"]["truncate"] = json!(truncate);
        }
        if !embedder.precision.is_f32() {
            config["embedder"]["precision"] = json!(embedder.precision);
        }
    }
    if let Sample::Rows(rows) = sample {
        // Number and seed determine the rows, which the manifest therefore need not list.
        config["train-prompts"] = json!({ "n": rows.len(), "seed": setup.train_sizes_seed });
    }
    Ok(config)
}

/// Settings as they come back from a manifest: a number may lose its last bit when it is read from JSON.
pub(crate) fn as_read(config: &Value) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&config.to_string())?)
}

/// Removes the folder of a router that is not kept, with the checkpoints of its training, and the folders above it if that empties them.
fn forget(folder: &Path) -> anyhow::Result<()> {
    atomic::remove_folder(folder)?;
    for above in folder.ancestors().skip(1).take(2) {
        // Not empty: another size is being fitted there, or was interrupted and will resume from its checkpoints.
        if fs::remove_dir(above).is_err() {
            break;
        }
    }
    Ok(())
}
