use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::Context as _;
use cli_support::Progress;
use dataset::{Predictions, SmallWins, write_atomically};
use nets::MfReport;
use saved_routers::{Contents, NewFolder};
use serde_json::json;

use super::pair_labels::PairLabels;
use crate::{
    data::Data,
    job::Job,
    learner::{Fitted, Outcome, Recipe},
    router::Router,
    stopwatch::Stopwatch,
};

const FOLDER: &str = "factorization";
const METRICS: &str = "metrics.csv";

pub(crate) fn recipe(job: &Job) -> anyhow::Result<Recipe> {
    Ok(Recipe {
        config: json!({ "mf": job.torch.mf.params() }),
        seed: Some(job.torch.mf.params().seed),
        inputs: Vec::new(),
        is_fitted: true,
    })
}

/// Fits a matrix factorization on the pair and predicts how likely the small LLM does at least as well.
pub(crate) fn run(
    job: &Job,
    router: Router,
    data: &mut Data,
    stopwatch: &mut Stopwatch,
) -> anyhow::Result<Outcome> {
    let embedder = job.embedder_of(router).context("it needs an embedder")?;
    let (splits, _) = data.splits(job)?;
    let labels = PairLabels::of(job, &splits.train)?;
    let embeddings = stopwatch.time("embed", || data.embeddings(job, embedder))?;
    let (mf, report) = stopwatch.time("fit", || {
        let bar = Progress::bar("training", job.torch.mf.params().n_epochs, job.quiet);
        let small_wins = labels.small_wins.to_vec();
        Ok(job
            .torch
            .mf
            .fit(embeddings.train.view(), &small_wins, &|n| bar.add(n))?)
    })?;
    let probability = stopwatch.time("predict", || Ok(mf.predict(embeddings.test.view())?))?;
    let folder = stopwatch.time("save", || {
        let folder = NewFolder::create(&job.model_folder(router))?;
        let files = folder.path().join(FOLDER);
        mf.save(&files)?;
        write_atomically(files.join(METRICS), metrics(&report).as_bytes())?;
        Ok(folder)
    })?;
    let best = report.best.map_or_else(
        || "no validation".to_owned(),
        |best| {
            format!(
                "validation log-likelihood {:.4} after step {} of {}",
                best.log_likelihood, best.step, report.n_steps
            )
        },
    );
    Ok(Outcome {
        predictions: Predictions::SmallWins(SmallWins {
            ids: splits.test.ids.clone(),
            probability: probability.mapv(|p| p as f32),
        }),
        results: json!({
            "n-small-wins": labels.n_small, "n-large-wins": labels.n_large, "n-train": report.n_train,
            "n-validation": report.n_validation, "n-unknown": report.n_unknown, "n-steps": report.n_steps, "best": report.best,
        }),
        summary: vec![best],
        environment: BTreeMap::new(),
        fitted: Some(Fitted {
            folder,
            contents: Contents::Mf {
                folder: FOLDER.to_owned(),
            },
            base: None,
        }),
    })
}

/// The course of the training.
fn metrics(report: &MfReport) -> String {
    let mut csv = String::from("epoch,loss,val_log_likelihood\n");
    for (epoch, found) in (1..).zip(&report.epochs) {
        let validation = found.val_log_likelihood;
        let validation = validation.map_or(String::new(), |x: f64| x.to_string());
        let epoch: u64 = epoch;
        writeln!(csv, "{epoch},{},{validation}", found.loss).expect("a text takes all");
    }
    csv
}
