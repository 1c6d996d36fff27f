use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use dataset::{CostKind, Predictions, Quantity, Split};
use ndarray::{Array2, Axis};
use nets::ProblemType;
use saved_routers::{PredictedCost, outputs_of_models};
use serde_json::json;

use super::{folders::NetworkFolder, network::predict, settings::Pretrained};
use crate::{costs, job::Job, learner::Outcome, stopwatch::Stopwatch};

/// Predicts with networks that were trained elsewhere. The cost network's outputs are thousands of output tokens.
pub(super) fn run(
    job: &Job,
    pretrained: &Pretrained,
    test: &Split,
    stopwatch: &mut Stopwatch,
) -> anyhow::Result<Outcome> {
    if job.info.cost_kind == CostKind::Usd {
        bail!(
            "a cost network that was trained elsewhere predicts output tokens, and in data set `{}` dollars are what is predicted",
            job.info.name
        );
    }
    let order = pretrained.label_order.as_deref();
    let mut environment = BTreeMap::new();
    let mut n_truncated = 0;
    let mut outputs = |name: &str, what: &str, expected| -> anyhow::Result<Array2<f32>> {
        let model = stopwatch.time(&format!("load {what}"), || {
            NetworkFolder::find(job, name)?.load(job)
        })?;
        if model.problem_type().is_some_and(|found| found != expected) {
            bail!(
                "`{name}` is given as the {what} network, and its config.json has another `problem_type`; the performance network comes \
                 first, then the cost network"
            );
        }
        let columns = outputs_of_models(name, model.labels(), order, &test.models)?;
        let (values, n) = stopwatch.time(&format!("predict {what}"), || {
            predict(job, &model, what, test)
                .with_context(|| format!("cannot predict with `{name}`"))
        })?;
        n_truncated = n;
        environment.insert("device".to_owned(), format!("{:?}", model.device()));
        Ok(values.select(Axis(1), &columns))
    };
    let scores = outputs(
        &pretrained.performance,
        "performance",
        ProblemType::MultiLabelClassification,
    )?;
    let cost = match job.info.cost_kind {
        CostKind::Known => PredictedCost::Known,
        CostKind::OutputTokens | CostKind::Usd => {
            let values = outputs(&pretrained.cost, "cost", ProblemType::Regression)?;
            let cost = Quantity::ThousandsOfOutputTokens.cost(&values, None);
            cost.expect("the quantity is of costs")
        }
    };
    Ok(Outcome {
        predictions: Predictions::PerModel(costs::per_model(job, test, scores, cost)),
        results: json!({ "n-truncated": n_truncated }),
        summary: vec![
            format!(
                "with {}, trained elsewhere",
                pretrained
                    .models(job.info.cost_kind)
                    .into_iter()
                    .map(|model| format!("`{model}`"))
                    .collect::<Vec<_>>()
                    .join(" and ")
            ),
            format!("{n_truncated} of {} prompts were cut off", test.n_prompts()),
        ],
        environment,
        fitted: None,
    })
}
