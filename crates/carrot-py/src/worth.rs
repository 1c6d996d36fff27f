use dataset::{DatasetInfo, PairIdx, PartTable};
use evaluation::{
    Predicted, Truth,
    worth::{
        Baseline, CrossFit, GainAt, GainReport, GainSettings, PairFit, PromptGains, Verdict,
        doubly_robust_gains, gain_difference, pair_gains,
    },
};
use fitting::{Folds, RouteDecision, Subject, Together, cross_fit, cross_fit_gains, worths};
use ndarray::{Array2, ArrayView2};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::{prelude::*, types::PyDict};

use crate::{
    error::{raise, refuse},
    measure::Pair,
    settings,
    split::Part,
    table::{Columns, Described},
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
#[expect(
    clippy::too_many_arguments,
    reason = "they are named where Python calls"
)]
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
            let columns = Columns {
                scores,
                cost_usd,
                models: None,
                groups,
                is_shuffled: false,
            };
            Some(columns.describe(embeddings.nrows())?)
        }
        _ => None,
    };
    let (table, info) = match (part, &described) {
        (Some(part), _) => (part.table(), part.info()),
        (None, Some(described)) => (&described.table, &described.info),
        (None, None) => return Err(refuse("neither scores nor a part of a data set were given")),
    };
    let judged = detached(py, || {
        let params = settings::learners(settings)?;
        let learner = settings::learner(router)?;
        let subject = Subject {
            learner,
            params: &params,
            info,
            table,
            embeddings: embeddings.view(),
        };
        cross_judge(&subject, &how)
    })?;
    dict(py, judged, info, table)
}

/// The gain of out-of-fold predictions, of whatever made them. `folds` has the fold of each row, whose prediction and whose best single LLM must not
/// come from rows of that fold.
#[pyfunction]
#[pyo3(signature = (scores, costs, predicted, folds, how, *, groups=None))]
pub(crate) fn judge<'py>(
    py: Python<'py>,
    scores: PyReadonlyArray2<'py, f32>,
    costs: PyReadonlyArray2<'py, f64>,
    predicted: Pair<'py>,
    folds: Vec<u32>,
    how: How,
    groups: Option<Vec<i64>>,
) -> PyResult<Bound<'py, PyDict>> {
    let (of_scores, of_costs) = (predicted.0.as_array(), predicted.1.as_array());
    let rows = Rows::new(
        scores.as_array(),
        costs.as_array(),
        of_scores.nrows(),
        folds,
        groups,
    )?;
    let judged = detached(py, || {
        let cross_fit = CrossFit {
            predicted: Predicted::new(of_scores.view(), of_costs.view()).map_err(raise)?,
            baseline: Baseline::Folds(&rows.folds),
        };
        let truth = Truth::of(rows.table()).map_err(raise)?;
        let gains = doubly_robust_gains(&truth, &[cross_fit], &worths(rows.table()));
        how.sum_up(gains.map_err(raise)?, &rows.together, &[])
    })?;
    dict(py, judged, &rows.described.info, rows.table())
}

/// The gain of a router of two LLMs by its out-of-fold probabilities that the small one does as well. `pair` has the positions of the small LLM and of
/// the large one.
#[pyfunction]
#[pyo3(signature = (scores, costs, probability, pair, folds, how, *, groups=None))]
#[expect(
    clippy::too_many_arguments,
    reason = "they are named where Python calls"
)]
pub(crate) fn judge_pair<'py>(
    py: Python<'py>,
    scores: PyReadonlyArray2<'py, f32>,
    costs: PyReadonlyArray2<'py, f64>,
    probability: PyReadonlyArray1<'py, f32>,
    pair: (usize, usize),
    folds: Vec<u32>,
    how: How,
    groups: Option<Vec<i64>>,
) -> PyResult<Bound<'py, PyDict>> {
    let probability = probability.as_array().to_vec();
    let rows = Rows::new(
        scores.as_array(),
        costs.as_array(),
        probability.len(),
        folds,
        groups,
    )?;
    let judged = detached(py, || {
        let fit = PairFit {
            pair: PairIdx {
                small: pair.0,
                large: pair.1,
            },
            small_win_probability: &probability,
            baseline: Baseline::Folds(&rows.folds),
        };
        let truth = Truth::of(rows.table()).map_err(raise)?;
        let groups = Some(rows.together.groups());
        let gains = pair_gains(&truth, &[fit], &worths(rows.table()), groups, how.seed);
        how.sum_up(gains.map_err(raise)?, &rows.together, &[])
    })?;
    dict(py, judged, &rows.described.info, rows.table())
}

/// Rows that are judged by predictions of them.
struct Rows {
    described: Described,
    folds: Vec<Option<u32>>,
    together: Together,
}

impl Rows {
    fn new(
        scores: ArrayView2<'_, f32>,
        costs: ArrayView2<'_, f64>,
        n_prompts: usize,
        folds: Vec<u32>,
        groups: Option<Vec<i64>>,
    ) -> PyResult<Self> {
        let columns = Columns {
            scores,
            cost_usd: Some(costs),
            models: None,
            groups,
            is_shuffled: false,
        };
        let described = columns.describe(n_prompts)?;
        if folds.len() != n_prompts {
            return Err(refuse(format!(
                "{} folds were given, expected {n_prompts}, one for each row",
                folds.len()
            )));
        }
        let together = Together::new(n_prompts).join_prompts(&described.table.prompts);
        Ok(Self {
            folds: folds.into_iter().map(Some).collect(),
            together: together.map_err(raise)?,
            described,
        })
    }

    fn table(&self) -> &PartTable {
        &self.described.table
    }
}

/// What each prompt says of a router's gain at each worth, for differences between routers.
#[pyclass(frozen, module = "carrot_router._native")]
pub(crate) struct Gains {
    gains: PromptGains,
    groups: Vec<usize>,
}

/// By how much the first router's mean gain exceeds the second's on the same prompts: the value, the ends of its interval, and the one-sided
/// p-values of a difference above and below 0.
#[pyfunction]
pub(crate) fn difference(
    py: Python<'_>,
    first: &Gains,
    second: &Gains,
    level: f64,
) -> PyResult<(f64, f64, f64, f64, f64)> {
    if first.groups != second.groups {
        return Err(refuse(
            "the two were not judged on the same prompts in the same groups",
        ));
    }
    let settings = GainSettings {
        level,
        // A mean needs no resample; the least number that is taken.
        n_resamples: 1,
        seed: 0,
    };
    let found = detached(py, || {
        let groups = Some(&first.groups[..]);
        gain_difference(&first.gains, &second.gains, groups, &settings).map_err(raise)
    })?;
    Ok((
        found.value,
        found.low,
        found.high,
        found.p_above,
        found.p_below,
    ))
}

/// Folds of nearly the same number of rows, drawn by the seed; rows of one group are in one fold.
#[pyfunction]
#[pyo3(signature = (n_rows, n_folds, seed, groups=None))]
pub(crate) fn folds(
    n_rows: usize,
    n_folds: u32,
    seed: u64,
    groups: Option<Vec<usize>>,
) -> PyResult<Vec<u32>> {
    let folds = Folds::shuffled(n_rows, n_folds, seed, groups.as_deref()).map_err(raise)?;
    Ok(folds
        .of_row()
        .iter()
        .map(|fold| fold.expect("every row is in a fold"))
        .collect())
}

/// A report with the answer, and what each prompt says.
struct Judged {
    report: GainReport,
    verdict: Verdict,
    gains: Gains,
}

impl How {
    fn sum_up(
        &self,
        gains: PromptGains,
        together: &Together,
        could_judge: &[bool],
    ) -> PyResult<Judged> {
        let settings = GainSettings {
            level: self.level,
            n_resamples: self.resamples,
            seed: self.seed,
        };
        let groups = together.groups();
        let report = GainReport::new(&gains, Some(groups), &settings).map_err(raise)?;
        Ok(Judged {
            verdict: report.verdict_of_fits(self.at_least, could_judge),
            report,
            gains: Gains {
                gains,
                groups: groups.to_vec(),
            },
        })
    }
}

fn cross_judge(subject: &Subject<'_>, how: &How) -> PyResult<Judged> {
    let table = subject.table;
    let together = Together::new(table.n_prompts())
        .join_prompts(&table.prompts)
        .map_err(raise)?;
    let rows = together.groups();
    let mut repeats = Vec::new();
    let mut propensities = None;
    for repeat in 0..u64::from(how.repeats.max(1)) {
        let folds =
            Folds::shuffled(rows.len(), how.folds, how.seed + repeat, Some(rows)).map_err(raise)?;
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
    let pairs: Vec<_> = repeats
        .iter()
        .map(|(out_of_fold, folds, _)| (out_of_fold, folds))
        .collect();
    let gains = cross_fit_gains(subject.learner, weighed.as_ref().unwrap_or(table), &pairs)
        .map_err(raise)?;
    let fits = repeats.iter().flat_map(|(_, _, fits)| fits);
    let decisions = fits.filter_map(|fit| RouteDecision::of(&fit.results));
    let could_judge: Vec<bool> = decisions.map(|decision| decision.is_judged).collect();
    how.sum_up(gains, &together, &could_judge)
}

fn dict<'py>(
    py: Python<'py>,
    judged: Judged,
    info: &DatasetInfo,
    table: &PartTable,
) -> PyResult<Bound<'py, PyDict>> {
    let Judged {
        report,
        verdict,
        gains,
    } = judged;
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
    let name = |model_idx: usize| {
        info.models
            .get(model_idx)
            .map_or(&*table.models[model_idx], |model| &*model.name)
    };
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
    dict.set_item("prompt_gains", gains.gains.over_worths())?;
    dict.set_item("gains", Bound::new(py, gains)?)?;
    Ok(dict)
}
