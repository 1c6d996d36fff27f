use std::collections::BTreeMap;

use evaluation::{
    Predicted, Truth,
    baseline::{best_single, single_models, zero_router},
    choice,
    curve::exact_curve,
    metric::{Baselines, CostRange, Metric, MetricValues},
};
use ndarray::{Array1, ArrayView2, Axis};
use numpy::{IntoPyArray as _, PyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::{
    error::{raise, refuse},
    warnings::detached,
};

/// What a router predicts: scores and costs.
pub(crate) type Pair<'py> = (PyReadonlyArray2<'py, f32>, PyReadonlyArray2<'py, f64>);

type Curve<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
);

/// The position of the LLM that each prompt goes to.
#[pyfunction]
#[pyo3(signature = (scores, costs, mu, cost_multiplier=choice::COST_MULTIPLIER))]
pub(crate) fn choose<'py>(
    py: Python<'py>,
    scores: PyReadonlyArray2<'py, f32>,
    costs: PyReadonlyArray2<'py, f64>,
    mu: f64,
    cost_multiplier: f64,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let (scores, costs) = (scores.as_array(), costs.as_array());
    let chosen = detached(py, || {
        check_same_shape(scores, costs)?;
        // NaN is in no range, and so refused too.
        if !(0.0..=1.0).contains(&mu) {
            return Err(refuse(format!(
                "mu is `{mu}`, expected a number from 0 to 1"
            )));
        }
        let rows = scores
            .axis_iter(Axis(0))
            .zip(costs.axis_iter(Axis(0)))
            .enumerate();
        let chosen = rows.map(|(row, (scores, costs))| {
            let (scores, costs) = (scores.to_vec(), costs.to_vec());
            match choice::choose(&scores, &costs, mu, cost_multiplier) {
                Some(model_idx) => Ok(model_idx as i64),
                None => Err(refuse(format!(
                    "no LLM's score and cost are both known in row {}",
                    row + 1
                ))),
            }
        });
        chosen.collect::<PyResult<Array1<i64>>>()
    })?;
    Ok(chosen.into_pyarray(py))
}

/// What a router can do: mu, mean cost and mean score of each operating point.
#[pyfunction]
pub(crate) fn curve<'py>(
    py: Python<'py>,
    scores: PyReadonlyArray2<'py, f32>,
    costs: PyReadonlyArray2<'py, f64>,
    predicted: Pair<'py>,
    cost_multiplier: f64,
) -> PyResult<Curve<'py>> {
    let (scores, costs) = (scores.as_array(), costs.as_array());
    let (of_scores, of_costs) = (predicted.0.as_array(), predicted.1.as_array());
    let points = detached(py, || {
        let truth = Truth::new(scores, costs).map_err(raise)?;
        let predicted = Predicted::new(of_scores, of_costs).map_err(raise)?;
        let curve = exact_curve(&truth, predicted).map_err(raise)?;
        let points = curve.points.into_iter().map(|point| {
            let own = choice::Setting::Weight {
                lambda: point.setting,
                cost_multiplier: 1.0,
            };
            let setting = own.with_multiplier(cost_multiplier).map_err(raise)?;
            let choice::Setting::Weight { lambda, .. } = setting else {
                unreachable!("a weight stays one")
            };
            Ok([lambda, point.cost_usd, point.accuracy])
        });
        points.collect::<PyResult<Vec<_>>>()
    })?;
    let column = |i: usize| Array1::from_iter(points.iter().map(|point| point[i])).into_pyarray(py);
    Ok((column(0), column(1), column(2)))
}

/// The field's metrics of several routers over one range of costs, by name.
#[pyfunction]
pub(crate) fn metrics<'py>(
    py: Python<'py>,
    scores: PyReadonlyArray2<'py, f32>,
    costs: PyReadonlyArray2<'py, f64>,
    routers: Vec<(String, Pair<'py>)>,
) -> PyResult<Vec<(String, BTreeMap<&'static str, f64>)>> {
    let (scores, costs) = (scores.as_array(), costs.as_array());
    let predicted: Vec<_> = routers
        .iter()
        .map(|(name, pair)| (name, pair.0.as_array(), pair.1.as_array()))
        .collect();
    detached(py, || {
        let truth = Truth::new(scores, costs).map_err(raise)?;
        let mut curves = Vec::with_capacity(predicted.len());
        for (name, scores, costs) in predicted {
            let predicted = Predicted::new(scores, costs).map_err(raise)?;
            let curve = exact_curve(&truth, predicted).map_err(raise)?;
            curves.push((name.clone(), curve.to_points()));
        }
        let of_models = single_models(&truth).into_iter().flatten();
        let points = curves
            .iter()
            .flat_map(|(_, points)| points.iter().copied())
            .chain(of_models);
        let range =
            CostRange::over(points).ok_or_else(|| refuse("nothing is known of any choice"))?;
        let against = Baselines {
            range,
            best_single: best_single(&truth).map(|(_, point)| point),
            zero_router: zero_router(&truth),
        };
        let measured = curves.into_iter().map(|(name, points)| {
            let values = MetricValues::new(&points, None, &against);
            let of_all = Metric::ALL
                .into_iter()
                .filter(|metric| !metric.is_of_pair());
            (
                name,
                of_all
                    .map(|metric| (metric.key(), values[metric]))
                    .collect(),
            )
        });
        Ok(measured.collect())
    })
}

fn check_same_shape(scores: ArrayView2<'_, f32>, costs: ArrayView2<'_, f64>) -> PyResult<()> {
    match scores.dim() == costs.dim() {
        true => Ok(()),
        false => Err(refuse(format!(
            "costs have shape `{:?}`, expected `{:?}`, as scores have",
            costs.dim(),
            scores.dim()
        ))),
    }
}
