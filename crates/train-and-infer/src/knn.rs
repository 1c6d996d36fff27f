use std::collections::BTreeMap;

use anyhow::Context as _;
use cli_support::Progress;
use dataset::Predictions;
use routers::{Knn, Target, TargetFit, labels::CostTarget};
use saved_routers::{Contents, KnnParts, KnnTarget, NewFolder, PredictedCost, Quantity};
use serde_json::json;

use crate::{
    costs,
    data::Data,
    job::Job,
    learner::{Fitted, Outcome, Recipe},
    router::Router,
    stopwatch::Stopwatch,
};

pub(crate) fn recipe(job: &Job) -> Recipe {
    Recipe {
        config: json!({ "knn": job.knn.params(), "saved-vectors": job.vectors }),
        seed: None,
        inputs: Vec::new(),
        is_fitted: true,
    }
}

/// Fits k-nearest-neighbors regression and predicts the test split.
pub(crate) fn run(
    job: &Job,
    router: Router,
    data: &mut Data,
    stopwatch: &mut Stopwatch,
) -> anyhow::Result<Outcome> {
    let embedder = job.embedder_of(router).context("it needs an embedder")?;
    let (splits, _) = data.splits(job)?;
    let embeddings = stopwatch.time("embed", || data.embeddings(job, embedder))?;
    let cost_target = CostTarget::of(job.info.cost_kind, &splits.train);
    let targets = targets(&splits.train.scores, &cost_target);
    let knn = stopwatch.time("fit", || {
        let n_prompts = embeddings.train.nrows() as u64;
        let bar = Progress::bar("finding neighbors", n_prompts, job.quiet);
        let count = |n| bar.add(n);
        Ok(job.knn.fit(embeddings.train.view(), &targets, &count)?)
    })?;
    let mut predicted = stopwatch
        .time("predict", || {
            let bar = Progress::bar("predicting", embeddings.test.nrows() as u64, job.quiet);
            Ok(knn.predict(embeddings.test.view(), &|n| bar.add(n))?)
        })?
        .into_iter();
    let scores = predicted.next().context("no score was predicted")?;
    let cost = match (&cost_target, predicted.next()) {
        (CostTarget::OutputTokens(_), Some(tokens)) => PredictedCost::OutputTokens(tokens),
        (CostTarget::Usd(_, standardizer), Some(z_scores)) => {
            PredictedCost::Usd(standardizer.restore(&z_scores))
        }
        _ => PredictedCost::Known,
    };
    let fitted = stopwatch.time("save", || save(job, router, &knn, &targets, &cost_target))?;
    Ok(Outcome {
        predictions: Predictions::PerModel(costs::per_model(job, &splits.test, scores, cost)),
        results: json!({ "targets": knn.fits() }),
        summary: knn.fits().iter().map(summary).collect(),
        environment: BTreeMap::new(),
        fitted: Some(fitted),
    })
}

/// The score first.
fn targets(scores: &ndarray::Array2<f32>, cost_target: &CostTarget) -> Vec<Target> {
    let mut targets = vec![Target {
        name: "score".to_owned(),
        values: scores.clone(),
    }];
    if let Some((name, values)) = cost_target.values() {
        targets.push(Target {
            name: name.to_owned(),
            values: values.clone(),
        });
    }
    targets
}

fn save(
    job: &Job,
    router: Router,
    knn: &Knn,
    targets: &[Target],
    cost_target: &CostTarget,
) -> anyhow::Result<Fitted> {
    let folder = NewFolder::create(&job.model_folder(router))?;
    folder.write_knn(&KnnParts {
        vectors: knn.rows(),
        targets,
        format: job.vectors,
    })?;
    let mut quantities = vec![Quantity::Score];
    match cost_target {
        CostTarget::OutputTokens(_) => quantities.push(Quantity::OutputTokens),
        CostTarget::Usd(_, standardizer) => {
            quantities.push(Quantity::StandardizedUsd);
            folder.write_scale(standardizer)?;
        }
        CostTarget::Known => {}
    }
    let targets = quantities.into_iter().zip(knn.fits());
    Ok(Fitted {
        folder,
        contents: Contents::Knn {
            vectors: job.vectors,
            backend: job.knn.params().backend,
            targets: targets
                .map(|(quantity, fit)| KnnTarget {
                    quantity,
                    n_neighbors: fit.n_neighbors,
                })
                .collect(),
        },
        base: None,
    })
}

fn summary(fit: &TargetFit) -> String {
    let score = fit
        .cross_validation
        .iter()
        .find(|score| score.n_neighbors == fit.n_neighbors);
    let score = score.map_or_else(
        || "too few rows for cross-validation".to_owned(),
        |score| format!("cross-validated R2 {:.4}", score.mean_r2),
    );
    format!("{:<14} k = {:<4} {score}", fit.target, fit.n_neighbors)
}
