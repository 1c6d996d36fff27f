use std::collections::BTreeMap;

use dataset::{CostTarget, Quantity, TOKENS_PER_UNIT};
use encoder::ProblemType;
use ndarray::Array2;
use saved_routers::{Contents, NetworkCost};
use serde_json::json;

use super::network::{Network, Trained};
use crate::learner::{Fit, Fitted, Outcome, Product};

const PERFORMANCE: &str = "performance";
const COST: &str = "cost";

/// Trains a network for scores and, unless costs are known, one for them.
///
/// Source: carrot-roberta of somerstep/CARROT at 3e6acff.
///
/// # Deviations
/// Output tokens are learned in thousands, as by the released cost network. The reference's program learns their plain number, which at a
/// learning rate of 2e-5 is not approached in three epochs. A predicted count below zero counts as zero.
pub(super) fn fit(fit: &mut Fit<'_>) -> anyhow::Result<Outcome> {
    let train = fit.train;
    let performance = Network {
        name: PERFORMANCE,
        labels: &train.models,
        problem_type: ProblemType::MultiLabelClassification,
        targets: train.scores.clone(),
    };
    let performance = performance.train(fit)?;
    let cost_target = CostTarget::of(fit.setup.info.cost_kind, train);
    let cost = match cost_values(&cost_target) {
        None => None,
        Some(targets) => {
            let network = Network {
                name: COST,
                labels: &train.models,
                problem_type: ProblemType::Regression,
                targets,
            };
            Some(network.train(fit)?)
        }
    };
    // Only once both are trained, since a folder with one network of two is not a router. An interrupted run resumes from the checkpoints.
    let fitted = save(fit, &performance, cost.as_ref(), &cost_target)?;
    let mut results = json!({ PERFORMANCE: performance.results() });
    let mut summary = vec![performance.summary()];
    if let Some(cost) = &cost {
        results[COST] = cost.results();
        summary.push(cost.summary());
    }
    let device = format!("{:?}", performance.model.device());
    Ok(Outcome {
        product: Product::Fitted(fitted),
        results,
        summary,
        environment: BTreeMap::from([("device".to_owned(), device)]),
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
    fit: &mut Fit<'_>,
    performance: &Trained,
    cost: Option<&Trained>,
    cost_target: &CostTarget,
) -> anyhow::Result<Fitted> {
    let folder = fit.new_folder()?;
    let quantity = fit.stopwatch.time("save", || {
        performance.save(folder.path())?;
        if let Some(cost) = cost {
            cost.save(folder.path())?;
        }
        Ok(match cost_target {
            CostTarget::Usd(_, standardizer) => {
                folder.write_scale(standardizer)?;
                Quantity::StandardizedUsd
            }
            _ => Quantity::ThousandsOfOutputTokens,
        })
    })?;
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
