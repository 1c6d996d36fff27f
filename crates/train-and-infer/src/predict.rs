//! Predicting the test split with a router as it was opened from disk.

use anyhow::Context as _;
use dataset::{Predictions, SmallWins, Split};
use ndarray::ArrayView2;
use saved_routers::{Predicted, SavedRouter};

use crate::{costs, job::Job, stopwatch::Stopwatch, torch};

/// Predicts by the form that the router was saved in. `embeddings` are those of the test prompts, of shape `(n_prompts, dim)`, for routers
/// that predict from embeddings.
pub(crate) fn test_split(
    job: &Job,
    router: &SavedRouter,
    test: &Split,
    embeddings: Option<ArrayView2<'_, f32>>,
    stopwatch: &mut Stopwatch,
) -> anyhow::Result<Predictions> {
    let predicted = if router.model.reads_prompts() {
        torch::predict(job, router, test, stopwatch)?
    } else {
        let embeddings = embeddings.context("the router predicts from embeddings")?;
        stopwatch.time("predict", || {
            let n_prompts = embeddings.nrows() as u64;
            let bar = cli_support::Progress::bar("predicting", n_prompts, job.quiet);
            Ok(router.model.predict(embeddings, &|n| bar.add(n))?)
        })?
    };
    Ok(match predicted {
        Predicted::PerModel(outputs) => {
            Predictions::PerModel(costs::per_model(job, test, outputs.scores, outputs.cost))
        }
        Predicted::SmallWins(probability) => Predictions::SmallWins(SmallWins {
            ids: test.ids.clone(),
            probability,
        }),
    })
}
