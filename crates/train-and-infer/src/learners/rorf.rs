use std::collections::BTreeMap;

use anyhow::Context as _;
use routers::{PairOutcome, PairScores, Rorf};
use saved_routers::Contents;
use serde_json::json;

use super::pair_scores::pair_scores;
use crate::{
    learner::{Fit, Fitted, Learner, Outcome, Product, Recipe},
    setup::Setup,
};

/// A random forest on the outcomes of the pair, which predicts how likely the small LLM is right.
pub(crate) const LEARNER: Learner = Learner { recipe, fit };

fn recipe(setup: &Setup) -> anyhow::Result<Recipe> {
    Ok(Recipe {
        config: json!({ "forest": setup.forest.params() }),
        seed: Some(setup.forest.params().seed),
        inputs: Vec::new(),
        is_fitted: true,
    })
}

fn fit(fit: &mut Fit<'_>) -> anyhow::Result<Outcome> {
    let setup = fit.setup;
    let embeddings = fit.embeddings();
    let [small, large] = pair_scores(setup, fit.train)?;
    let bar = fit.bar("growing trees", setup.forest.params().n_trees as u64);
    let rorf = fit.stopwatch.time("fit", || {
        let scores = PairScores { small, large };
        Rorf::fit(&setup.forest, embeddings, scores, &|n| bar.add(n))
            .context("cannot learn from the pair's scores")
    })?;
    drop(bar);
    let folder = fit.new_folder()?;
    fit.stopwatch
        .time("save", || Ok(folder.write_forest(rorf.forest())?))?;
    // For the manifest: a pair of which one LLM is nearly always right explains a router that hardly ever switches.
    let n_of = |outcome| {
        let outcomes = small.iter().zip(large);
        outcomes
            .filter(|&(&small, &large)| PairOutcome::of(small, large) == Some(outcome))
            .count()
    };
    let [large_only, neither, both, small_only] = PairOutcome::ALL.map(n_of);
    let (n_trees, n_nodes) = (rorf.forest().n_trees(), rorf.forest().n_nodes());
    Ok(Outcome {
        product: Product::Fitted(Fitted {
            folder,
            contents: Contents::Forest {},
            base: None,
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
    })
}
