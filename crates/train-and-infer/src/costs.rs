use dataset::{PerModel, PredictedCost, Split};
use ndarray::Array2;

use crate::job::Job;

/// Puts scores and costs into the form of a prediction file.
pub(crate) fn per_model(
    job: &Job,
    test: &Split,
    scores: Array2<f32>,
    cost: PredictedCost,
) -> PerModel {
    PerModel::of_split(&job.info, test, scores, cost)
}
