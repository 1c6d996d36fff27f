use dataset::{PerModel, Split};
use ndarray::Array2;
use routers::labels::cost_of_tokens;
use saved_routers::PredictedCost;

use crate::setup::Setup;

/// Puts scores and costs into the form of a prediction file.
pub(crate) fn per_model(
    setup: &Setup,
    test: &Split,
    scores: Array2<f32>,
    cost: PredictedCost,
) -> PerModel {
    let (output_tokens, cost_usd) = match cost {
        PredictedCost::OutputTokens(tokens) => {
            let cost_usd = cost_of_tokens(&setup.info, test, &tokens);
            (Some(tokens), cost_usd)
        }
        PredictedCost::Usd(cost_usd) => (None, cost_usd),
        PredictedCost::Known => (None, test.cost_usd.clone()),
    };
    PerModel {
        ids: test.ids.clone(),
        models: test.models.clone(),
        scores,
        output_tokens,
        cost_usd,
    }
}
