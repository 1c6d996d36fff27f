//! Predicting the test part with a router as it was opened from disk.

use anyhow::Context as _;
use dataset::{PartTable, PerModel, Predictions, SmallWins};
use ndarray::ArrayView2;
use saved_routers::{ModelOutputs, PerModelOutputs, SavedRouter};

use crate::{setup::Setup, stopwatch::Stopwatch, torch};

/// Predicts with a saved router, whatever its form. `embeddings` are those of the test prompts, of shape `(n_prompts, dim)`, for routers
/// that predict from embeddings.
pub(crate) fn test_split(
    setup: &Setup,
    router: &SavedRouter,
    test: &PartTable,
    embeddings: Option<ArrayView2<'_, f32>>,
    stopwatch: &mut Stopwatch,
) -> anyhow::Result<Predictions> {
    // By what the folder holds and not by the table of routers: a saved router has to predict from its folder alone, as in production.
    let predicted = if router.record.contents.reads_prompts() {
        torch::predict(setup, router, test, stopwatch)?
    } else {
        let embeddings = embeddings.context("the router predicts from embeddings")?;
        stopwatch.time("predict", || {
            let n_prompts = embeddings.nrows() as u64;
            let bar = cli_support::Progress::bar("predicting", n_prompts, setup.quiet);
            Ok(router.model.predict(embeddings, &|n| bar.add(n))?)
        })?
    };
    Ok(match predicted {
        ModelOutputs::PerModel(PerModelOutputs { scores, cost }) => {
            Predictions::PerModel(PerModel::of_split(&setup.info.models, test, scores, cost))
        }
        ModelOutputs::SmallWins(probability) => Predictions::SmallWins(SmallWins {
            ids: test.ids.clone(),
            probability,
        }),
    })
}
