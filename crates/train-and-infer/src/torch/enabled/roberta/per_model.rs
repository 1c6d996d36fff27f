use std::collections::BTreeMap;

use dataset::{Predictions, Quantity, TOKENS_PER_UNIT};
use ndarray::Array2;
use nets::ProblemType;
use routers::labels::CostTarget;
use saved_routers::{Contents, NetworkCost, NewFolder, PredictedCost};
use serde_json::json;

use super::network::{Network, Trained};
use crate::{
    costs,
    data::Splits,
    job::Job,
    learner::{Fitted, Outcome},
    router::Router,
    stopwatch::Stopwatch,
};

const ROUTER: Router = Router::CarrotRoberta;
const PERFORMANCE: &str = "performance";
const COST: &str = "cost";

/// Trains a network for scores and, unless costs are known, one for them; predicts the test split.
///
/// Source: carrot-roberta of somerstep/CARROT at 3e6acff.
///
/// # Deviations
/// Output tokens are learned in thousands, as by the released cost network. The reference's program learns their plain number, which at a
/// learning rate of 2e-5 does not come near in three epochs. A predicted count below zero counts as zero.
pub(super) fn run(
    job: &Job,
    splits: &Splits,
    stopwatch: &mut Stopwatch,
) -> anyhow::Result<Outcome> {
    let models = &splits.train.models;
    let performance = Network {
        router: ROUTER,
        name: PERFORMANCE,
        labels: models,
        problem_type: ProblemType::MultiLabelClassification,
        targets: splits.train.scores.clone(),
    };
    let performance = performance.train(job, &splits.train, stopwatch)?;
    let scores = performance.predict(job, &splits.test, stopwatch)?;

    let cost_target = CostTarget::of(job.info.cost_kind, &splits.train);
    let cost = match cost_values(&cost_target) {
        None => None,
        Some(targets) => {
            let network = Network {
                router: ROUTER,
                name: COST,
                labels: models,
                problem_type: ProblemType::Regression,
                targets,
            };
            let network = network.train(job, &splits.train, stopwatch)?;
            let values = network.predict(job, &splits.test, stopwatch)?;
            Some((network, values))
        }
    };
    let fitted = stopwatch.time("save", || {
        let cost = cost.as_ref().map(|(network, _)| network);
        save(job, &performance, cost, &cost_target)
    })?;
    let mut results = json!({ PERFORMANCE: performance.results() });
    let mut summary = vec![performance.summary()];
    let environment = BTreeMap::from([(
        "device".to_owned(),
        format!("{:?}", performance.model.device()),
    )]);
    let predicted_cost = match (cost, &cost_target) {
        (Some((network, values)), target) => {
            results[COST] = network.results();
            summary.push(network.summary());
            let predicted = match target {
                CostTarget::Usd(_, scale) => Quantity::StandardizedUsd.cost(&values, Some(scale)),
                _ => Quantity::ThousandsOfOutputTokens.cost(&values, None),
            };
            predicted.expect("both quantities are of costs")
        }
        (None, _) => PredictedCost::Known,
    };
    let predictions = costs::per_model(job, &splits.test, scores, predicted_cost);
    Ok(Outcome {
        predictions: Predictions::PerModel(predictions),
        results,
        summary,
        environment,
        fitted: Some(fitted),
    })
}

/// What the cost network learns, about 1 in size.
fn cost_values(target: &CostTarget) -> Option<Array2<f32>> {
    match target {
        CostTarget::OutputTokens(tokens) => Some(tokens / TOKENS_PER_UNIT),
        CostTarget::Usd(z_scores, _) => Some(z_scores.clone()),
        CostTarget::Known => None,
    }
}

fn save(
    job: &Job,
    performance: &Trained,
    cost: Option<&Trained>,
    cost_target: &CostTarget,
) -> anyhow::Result<Fitted> {
    let folder = NewFolder::create(&job.model_folder(ROUTER))?;
    performance.save(folder.path())?;
    if let Some(cost) = cost {
        cost.save(folder.path())?;
    }
    let quantity = match cost_target {
        CostTarget::Usd(_, standardizer) => {
            folder.write_scale(standardizer)?;
            Quantity::StandardizedUsd
        }
        _ => Quantity::ThousandsOfOutputTokens,
    };
    Ok(Fitted {
        folder,
        contents: Contents::Roberta {
            performance: PERFORMANCE.to_owned(),
            cost: cost.map(|_| NetworkCost {
                folder: COST.to_owned(),
                quantity,
            }),
        },
        base: Some(performance.base.clone()),
    })
}
