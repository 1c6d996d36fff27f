use dataset::{DatasetInfo, PartTable};
use evaluation::worth::{GainAt, GainReport, GainSettings, Verdict};
use fitting::{Folds, RouteDecision, Subject, Together, cross_fit, cross_fit_gains};
use ndarray::Array2;
use numpy::PyReadonlyArray2;
use pyo3::{prelude::*, types::PyDict};

use crate::{
    error::{raise, refuse},
    settings,
    split::Part,
    table::Columns,
    warnings::detached,
};

/// How gains are measured.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct How {
    folds: u32,
    repeats: u32,
    seed: u64,
    level: f64,
    resamples: usize,
    at_least: Option<f64>,
}

/// Whether routing is worth it: every prompt is judged by a router that was fitted without it. `table` is a part, or scores, costs and groups.
#[pyfunction]
#[pyo3(signature = (router, settings, embeddings, how, *, part=None, scores=None, costs=None, groups=None))]
#[expect(clippy::too_many_arguments, reason = "they are named where Python calls")]
pub(crate) fn worth<'py>(
    py: Python<'py>,
    router: &str,
    settings: &str,
    embeddings: PyReadonlyArray2<'py, f32>,
    how: How,
    part: Option<&Part>,
    scores: Option<PyReadonlyArray2<'py, f32>>,
    costs: Option<PyReadonlyArray2<'py, f64>>,
    groups: Option<Vec<i64>>,
) -> PyResult<Bound<'py, PyDict>> {
    let embeddings = embeddings.as_array();
    let cost_usd = costs.as_ref().map(|costs| costs.as_array());
    let described = match (part, &scores) {
        (None, Some(scores)) => {
            let scores = scores.as_array();
            let columns = Columns { scores, cost_usd, models: None, groups, is_shuffled: false };
            Some(columns.describe(embeddings.nrows())?)
        }
        _ => None,
    };
    let (table, info) = match (part, &described) {
        (Some(part), _) => (part.table(), part.info()),
        (None, Some(described)) => (&described.table, &described.info),
        (None, None) => return Err(refuse("neither scores nor a part of a data set were given")),
    };
    let (report, verdict) = detached(py, || {
        let params = settings::learners(settings)?;
        let learner = settings::learner(router)?;
        let subject = Subject { learner, params: &params, info, table, embeddings };
        judge(&subject, &how)
    })?;
    dict(py, &report, verdict, info, table)
}

fn judge(subject: &Subject<'_>, how: &How) -> PyResult<(GainReport, Verdict)> {
    let table = subject.table;
    let together = Together::new(table.n_prompts()).join_prompts(&table.prompts).map_err(raise)?;
    let rows = together.groups();
    let mut repeats = Vec::new();
    let mut propensities = None;
    for repeat in 0..u64::from(how.repeats.max(1)) {
        let folds = Folds::shuffled(rows.len(), how.folds, how.seed + repeat, Some(rows)).map_err(raise)?;
        let fitted = cross_fit(subject, &folds, &|_| {}).map_err(raise)?;
        if repeat == 0 {
            propensities = fitted.propensities;
        }
        repeats.push((fitted.out_of_fold, folds, fitted.fits));
    }
    // Where no cost is known there is nothing to weigh scores against, and only they count.
    let has_costs = table.cost_usd.iter().any(|cost| cost.is_finite());
    let costless = (!has_costs).then(|| PartTable {
        cost_usd: Array2::zeros(table.cost_usd.dim()),
        ..table.clone()
    });
    let table = costless.as_ref().unwrap_or(table);
    let weighed = propensities.map(|propensities| propensities.on(table));
    let pairs: Vec<_> = repeats.iter().map(|(out_of_fold, folds, _)| (out_of_fold, folds)).collect();
    let gains = cross_fit_gains(subject.learner, weighed.as_ref().unwrap_or(table), &pairs).map_err(raise)?;
    let settings = GainSettings { level: how.level, n_resamples: how.resamples, seed: how.seed };
    let report = GainReport::new(&gains, Some(rows), &settings).map_err(raise)?;
    let fits = repeats.iter().flat_map(|(_, _, fits)| fits);
    let decisions = fits.filter_map(|fit| RouteDecision::of(&fit.results));
    let could_judge: Vec<bool> = decisions.map(|decision| decision.is_judged).collect();
    let verdict = report.verdict_of_fits(how.at_least, &could_judge);
    Ok((report, verdict))
}

fn dict<'py>(
    py: Python<'py>,
    report: &GainReport,
    verdict: Verdict,
    info: &DatasetInfo,
    table: &PartTable,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let verdict = match verdict {
        Verdict::WorthIt => "worth-it",
        Verdict::NotWorthIt => "not-worth-it",
        Verdict::CannotTell => "cannot-tell",
    };
    dict.set_item("verdict", verdict)?;
    for (key, value) in [
        ("gain", report.mean.value),
        ("standard_error", report.mean.standard_error),
        ("low", report.mean.low),
        ("high", report.mean.high),
        ("p_gain", report.mean.p_above),
        ("p_loss", report.mean.p_below),
    ] {
        dict.set_item(key, value)?;
    }
    dict.set_item("routes", report.routes)?;
    dict.set_item("n_prompts", report.n_prompts)?;
    let middle = &report.curve[report.curve.len() / 2];
    let name = |model_idx: usize| info.models.get(model_idx).map_or(&*table.models[model_idx], |model| &*model.name);
    dict.set_item("best_single", middle.best_constant.map(name))?;
    let column = |of: fn(&GainAt) -> f64| -> Vec<f64> { report.curve.iter().map(of).collect() };
    let curve = PyDict::new(py);
    curve.set_item("worth_usd", column(|at| at.worth_usd))?;
    curve.set_item("gain", column(|at| at.gain.value))?;
    curve.set_item("low", column(|at| at.gain.low))?;
    curve.set_item("high", column(|at| at.gain.high))?;
    curve.set_item("band_low", column(|at| at.band_low))?;
    curve.set_item("band_high", column(|at| at.band_high))?;
    curve.set_item("moved_share", column(|at| at.differing_share))?;
    dict.set_item("curve", curve)?;
    Ok(dict)
}
