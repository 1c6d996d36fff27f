use evaluation::{
    Interval, Predicted, Router, Truth,
    choice::{self, CalibrationParams, Goal, Setting},
};
use numpy::PyReadonlyArray2;
use pyo3::{prelude::*, types::PyDict};

use crate::{
    error::{raise, refuse},
    measure::Pair,
    warnings::detached,
};

/// What to calibrate to, and how.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct How {
    /// `cost`, `relative-cost`, `accuracy` or `share`.
    goal: String,
    value: f64,
    model: Option<usize>,
    confidence: Option<f64>,
    n_new_prompts: Option<usize>,
    level: f64,
    resamples: usize,
    seed: u64,
    cost_multiplier: f64,
}

impl How {
    fn goal(&self) -> PyResult<Goal> {
        let model_idx = || {
            self.model
                .ok_or_else(|| refuse(format!("`{}` needs an LLM's position", self.goal)))
        };
        Ok(match &*self.goal {
            "cost" => Goal::Cost {
                at_most_usd: self.value,
            },
            "relative-cost" => Goal::RelativeCost {
                model_idx: model_idx()?,
                at_most: self.value,
            },
            "accuracy" => Goal::Accuracy {
                at_least: self.value,
            },
            "share" => Goal::Share {
                model_idx: model_idx()?,
                share: self.value,
            },
            other => return Err(refuse(format!("`{other}` is not a goal"))),
        })
    }
}

/// The setting that reaches a goal on these prompts, and what to expect of it on new ones.
#[pyfunction]
pub(crate) fn calibrate<'py>(
    py: Python<'py>,
    scores: PyReadonlyArray2<'py, f32>,
    costs: PyReadonlyArray2<'py, f64>,
    predicted: Pair<'py>,
    how: How,
) -> PyResult<Bound<'py, PyDict>> {
    let (scores, costs) = (scores.as_array(), costs.as_array());
    let (of_scores, of_costs) = (predicted.0.as_array(), predicted.1.as_array());
    let (found, mu) = detached(py, || {
        let truth = Truth::new(scores, costs).map_err(raise)?;
        let predicted = Predicted::new(of_scores, of_costs).map_err(raise)?;
        let params = CalibrationParams {
            goal: how.goal()?,
            confidence: how.confidence,
            n_new_prompts: how.n_new_prompts.unwrap_or(truth.n_prompts()),
            level: how.level,
            n_resamples: how.resamples,
            seed: how.seed,
        };
        let router = Router::PerModel {
            predicted,
            pair: None,
        };
        let found = choice::calibrate(&truth, router, &params).map_err(raise)?;
        let setting = found
            .setting
            .with_multiplier(how.cost_multiplier)
            .map_err(raise)?;
        let Setting::Weight { lambda, .. } = setting else {
            unreachable!("a router of all LLMs has a weight")
        };
        Ok((found, lambda))
    })?;
    let interval = |it: &Interval| (it.estimate, it.low, it.high);
    let dict = PyDict::new(py);
    dict.set_item("mu", mu)?;
    dict.set_item("cost_usd", interval(&found.cost_usd))?;
    dict.set_item("accuracy", interval(&found.accuracy))?;
    dict.set_item(
        "shares",
        found.shares.iter().map(interval).collect::<Vec<_>>(),
    )?;
    dict.set_item("out_of_reach", found.out_of_reach)?;
    dict.set_item("missed", found.missed)?;
    dict.set_item(
        "promised",
        found
            .promise
            .map(|promise| (promise.confidence, promise.limit)),
    )?;
    Ok(dict)
}
