//! What every router's module gives: `recipe`, which tells what its result depends on before anything is fitted, and `run`.

use std::collections::BTreeMap;

use dataset::{Predictions, Source};
use saved_routers::{Base, Contents, NewFolder};
use serde_json::Value;

use crate::{
    data::Data,
    job::Job,
    knn, rorf,
    router::Router,
    stopwatch::Stopwatch,
    torch::{mf, roberta},
};

/// What a router's result depends on besides splits, embeddings and the program.
pub(crate) struct Recipe {
    /// The parameters in force, defaults included.
    pub(crate) config: Value,
    /// Seed of everything random.
    pub(crate) seed: Option<u64>,
    /// Files that go in besides those of the data set.
    pub(crate) inputs: Vec<Source>,
    /// Whether something is fitted, and so kept.
    pub(crate) is_fitted: bool,
}

/// What came of a router.
pub(crate) struct Outcome {
    pub(crate) predictions: Predictions,
    /// What was chosen or measured in the fit, for the manifest and the model card.
    pub(crate) results: Value,
    /// The same for people, a line each.
    pub(crate) summary: Vec<String>,
    /// What it ran on.
    pub(crate) environment: BTreeMap<String, String>,
    /// The fitted router, on its way to its place; `None` if nothing was fitted.
    pub(crate) fitted: Option<Fitted>,
}

/// A fitted router whose files are written beside their place.
pub(crate) struct Fitted {
    pub(crate) folder: NewFolder,
    pub(crate) contents: Contents,
    pub(crate) base: Option<Base>,
}

pub(crate) fn recipe(job: &Job, router: Router) -> anyhow::Result<Recipe> {
    match router {
        Router::CarrotKnn | Router::CarrotKnnSbert => Ok(knn::recipe(job)),
        Router::Mf => mf::recipe(job),
        Router::Rorf => Ok(rorf::recipe(job)),
        Router::CarrotRoberta | Router::RobertaBinary => roberta::recipe(job, router),
    }
}

pub(crate) fn run(
    job: &Job,
    router: Router,
    data: &mut Data,
    stopwatch: &mut Stopwatch,
) -> anyhow::Result<Outcome> {
    match router {
        Router::CarrotKnn | Router::CarrotKnnSbert => knn::run(job, router, data, stopwatch),
        Router::Mf => mf::run(job, router, data, stopwatch),
        Router::Rorf => rorf::run(job, router, data, stopwatch),
        Router::CarrotRoberta | Router::RobertaBinary => roberta::run(job, router, data, stopwatch),
    }
}
