use std::collections::BTreeMap;

use anyhow::Context as _;
use cli_support::Progress;
use dataset::{Predictions, SmallWins};
use routers::{PairScores, Rorf, labels::PairOutcome};
use saved_routers::{Contents, NewFolder};
use serde_json::json;

use crate::{
    data::{Data, pair_scores},
    job::Job,
    learner::{Fitted, Outcome, Recipe},
    router::Router,
    stopwatch::Stopwatch,
};

pub(crate) fn recipe(job: &Job) -> Recipe {
    Recipe {
        config: json!({ "forest": job.forest.params() }),
        seed: Some(job.forest.params().seed),
        inputs: Vec::new(),
        is_fitted: true,
    }
}

/// Fits a random forest on the outcomes of the pair and predicts how likely the small LLM is right.
pub(crate) fn run(
    job: &Job,
    router: Router,
    data: &mut Data,
    stopwatch: &mut Stopwatch,
) -> anyhow::Result<Outcome> {
    let embedder = job.embedder_of(router).context("it needs an embedder")?;
    let (splits, _) = data.splits(job)?;
    let [small, large] = pair_scores(job, &splits.train)?;
    let embeddings = stopwatch.time("embed", || data.embeddings(job, embedder))?;
    let rorf = stopwatch.time("fit", || {
        let bar = Progress::bar(
            "growing trees",
            job.forest.params().n_trees as u64,
            job.quiet,
        );
        let scores = PairScores { small, large };
        Rorf::fit(&job.forest, embeddings.train.view(), scores, &|n| {
            bar.add(n)
        })
        .context("cannot learn from the pair's scores")
    })?;
    let probability = stopwatch.time("predict", || Ok(rorf.predict(embeddings.test.view())?))?;
    let folder = stopwatch.time("save", || {
        let folder = NewFolder::create(&job.model_folder(router))?;
        folder.write_forest(rorf.forest())?;
        Ok(folder)
    })?;
    let n_of = |outcome| {
        let outcomes = small.iter().zip(large);
        outcomes
            .filter(|&(&small, &large)| PairOutcome::of(small, large) == Some(outcome))
            .count()
    };
    let [large_only, neither, both, small_only] = PairOutcome::ALL.map(n_of);
    let (n_trees, n_nodes) = (rorf.forest().n_trees(), rorf.forest().n_nodes());
    Ok(Outcome {
        predictions: Predictions::SmallWins(SmallWins {
            ids: splits.test.ids.clone(),
            probability: probability.mapv(|p| p as f32),
        }),
        results: json!({
            "n-trees": n_trees,
            "n-nodes": n_nodes,
            "train-outcomes": {
                "large-only": large_only, "neither": neither, "both": both, "small-only": small_only,
            },
        }),
        summary: vec![
            format!("{n_trees} trees with {n_nodes} nodes"),
            format!(
                "right in train: large only {large_only}, neither {neither}, both {both}, small only {small_only}"
            ),
        ],
        environment: BTreeMap::new(),
        fitted: Some(Fitted {
            folder,
            contents: Contents::Forest {},
            base: None,
        }),
    })
}
