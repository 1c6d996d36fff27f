//! Whether routing is better with added LLMs than without them.

use std::collections::HashMap;

use dataset::{EqualPrompts, PartTable, worth};
use ndarray::{Array2, Axis, s};
use serde::Serialize;

use crate::Result;

/// Folds of the train prompts.
const N_FOLDS: usize = 5;
/// Fewer prompts do not tell: their standard error is itself mostly chance.
const FEWEST_PROMPTS: usize = 20;

/// What routing gains by the LLMs that were added.
///
/// ```text
/// utility(v) = score - cost / v                v: the worth of a whole score, in dollars, on the grid of [`dataset::worth::grid`]
/// gain       = mean over prompts and v of utility of the choice among all LLMs - utility of the choice among those that were there before
/// ```
///
/// Both choose by the same predictions, out of sample: each prompt's are by a router that is made of the other four fifths of the train prompts, with
/// hyperparameters as they are. Judged are the prompts with a score of an added LLM, and of these those whose choices have known scores and costs at
/// every v.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AddedGain {
    /// Prompts that judge.
    pub n_prompts: usize,
    /// The gain, in scores.
    pub gain: f64,
    /// Its standard error, over prompts; `None` for a single prompt.
    pub standard_error: Option<f64>,
    /// The share of choices that fall on an added LLM, over prompts and worths.
    pub share: f64,
}

impl AddedGain {
    /// Whether routing gets worse, by more than the standard error, on at least 20 prompts.
    pub fn is_worse(&self) -> bool {
        self.n_prompts >= FEWEST_PROMPTS
            && self.standard_error.is_some_and(|error| self.gain < -error)
    }
}

/// What a router predicts of some prompts; both have shape `(n_prompts, n_models)`.
pub(super) struct Predicted {
    pub(super) scores: Array2<f32>,
    pub(super) cost_usd: Array2<f64>,
}

/// Measures it on a train part whose first `n_kept` LLMs were there before. `predict` makes a router of the first rows that it is given, and predicts
/// the others. `None` where nothing was added, or no prompt judges.
pub(super) fn measure(
    table: &PartTable,
    n_kept: usize,
    predict: impl Fn(&[usize], &[usize]) -> Result<Predicted>,
) -> Result<Option<AddedGain>> {
    let n_models = table.models.len();
    let scored: Vec<usize> = (0..table.n_prompts())
        .filter(|&row| {
            table
                .scores
                .slice(s![row, n_kept..])
                .iter()
                .any(|it| !it.is_nan())
        })
        .collect();
    if n_kept == 0 || n_kept == n_models || scored.len() < 2 {
        return Ok(None);
    }
    let fold_of_row = folds(table, &scored);
    let worths = worth::grid(&mean_costs(&table.cost_usd));
    let (mut gains, mut n_added, mut n_choices) = (Vec::new(), 0, 0);
    for fold in 0..N_FOLDS.min(scored.len()) {
        let (held_out, others): (Vec<usize>, Vec<usize>) =
            (0..table.n_prompts()).partition(|&row| fold_of_row[row] == Some(fold));
        if held_out.is_empty() || others.is_empty() {
            continue;
        }
        let predicted = predict(&others, &held_out)?;
        for (i, &row) in held_out.iter().enumerate() {
            let utility = |m: usize, v: f64| {
                worth::utility(
                    f64::from(table.scores[[row, m]]),
                    table.cost_usd[[row, m]],
                    v,
                )
            };
            let mut gain = 0.0;
            for &v in &worths {
                let of = |n_models: usize| choice(&predicted, i, n_models, v);
                let (Some(with), Some(without)) = (of(n_models), of(n_kept)) else {
                    gain = f64::NAN;
                    break;
                };
                n_choices += 1;
                n_added += usize::from(with >= n_kept);
                gain += match with == without {
                    true => 0.0,
                    false => utility(with, v) - utility(without, v),
                };
            }
            if !gain.is_nan() {
                gains.push(gain / worths.len() as f64);
            }
        }
    }
    if gains.is_empty() {
        return Ok(None);
    }
    let n = gains.len() as f64;
    let mean = gains.iter().sum::<f64>() / n;
    let squares: f64 = gains.iter().map(|gain| (gain - mean).powi(2)).sum();
    Ok(Some(AddedGain {
        n_prompts: gains.len(),
        gain: mean,
        standard_error: (gains.len() > 1).then(|| (squares / (n * (n - 1.0))).sqrt()),
        share: n_added as f64 / n_choices as f64,
    }))
}

/// The fold of each scored row; equal prompts are in one.
fn folds(table: &PartTable, scored: &[usize]) -> Vec<Option<usize>> {
    let groups = EqualPrompts::groups(&table.prompts);
    let mut fold_of_group = HashMap::new();
    let mut folds = vec![None; table.n_prompts()];
    // Every n-th, not a run: a table may be ordered by task, and a fold of one task would be judged by the other tasks only.
    for &row in scored {
        let next = fold_of_group.len() % N_FOLDS;
        folds[row] = Some(*fold_of_group.entry(groups[row]).or_insert(next));
    }
    folds
}

/// The first of the first LLMs with the highest predicted utility.
fn choice(predicted: &Predicted, row: usize, n_models: usize, v: f64) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for m in 0..n_models {
        let (score, cost) = (predicted.scores[[row, m]], predicted.cost_usd[[row, m]]);
        let utility = worth::utility(f64::from(score), cost, v);
        if !utility.is_nan() && best.is_none_or(|(_, highest)| utility > highest) {
            best = Some((m, utility));
        }
    }
    best.map(|(m, _)| m)
}

/// Each LLM's mean known dollars.
fn mean_costs(cost_usd: &Array2<f64>) -> Vec<f64> {
    let mean = |column: ndarray::ArrayView1<'_, f64>| {
        let known = || column.iter().filter(|cost| !cost.is_nan());
        known().sum::<f64>() / known().count() as f64
    };
    cost_usd.map_axis(Axis(0), mean).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = FEWEST_PROMPTS;

    /// One LLM that always gets .5, and an added one that is right on every other prompt; each prompt is there twice.
    fn table() -> PartTable {
        PartTable {
            ids: (0..N).map(|row| format!("p{row}")).collect(),
            tasks: vec!["t".to_owned(); N],
            prompts: (0..N).map(|row| format!("prompt {}", row / 2)).collect(),
            models: vec!["old".to_owned(), "new".to_owned()],
            scores: Array2::from_shape_fn((N, 2), |(row, m)| match m {
                0 => 0.5,
                _ => f32::from(u8::from(row % 2 == 0)),
            }),
            input_tokens: None,
            output_tokens: None,
            cost_usd: Array2::zeros((N, 2)),
            propensities: None,
            kept: Default::default(),
        }
    }

    /// What is measured where the added LLM is predicted so.
    fn measured(table: &PartTable, new: impl Fn(usize) -> f32) -> Option<AddedGain> {
        let predict = |others: &[usize], held_out: &[usize]| {
            let is_seen = |row: &usize| others.iter().any(|other| other / 2 == row / 2);
            assert!(
                !held_out.iter().any(is_seen),
                "equal prompts are held out together"
            );
            Ok(Predicted {
                scores: Array2::from_shape_fn((held_out.len(), 2), |(i, m)| match m {
                    0 => 0.5,
                    _ => new(held_out[i]),
                }),
                cost_usd: Array2::zeros((held_out.len(), 2)),
            })
        };
        measure(table, 1, predict).expect("predicted")
    }

    #[test]
    fn gains_by_hand() {
        let right = |row: usize| f32::from(u8::from(row % 2 == 0));
        // .5 on half of the prompts: each is .25 off the mean.
        let error = (0.25_f64.powi(2) / (N - 1) as f64).sqrt();
        for (gain, share, is_worse, found) in [
            (0.25, 0.5, false, measured(&table(), right)),
            (-0.25, 0.5, true, measured(&table(), |row| 1.0 - right(row))),
            (0.0, 0.0, false, measured(&table(), |_| 0.25)),
        ] {
            let found = found.expect("all prompts judge");
            assert_eq!((found.n_prompts, found.gain, found.share), (N, gain, share));
            assert_eq!(found.is_worse(), is_worse);
            let expected = if gain == 0.0 { 0.0 } else { error };
            let standard_error = found.standard_error.expect("several prompts");
            assert!(
                (standard_error - expected).abs() < 1e-12,
                "{standard_error}"
            );
        }
    }

    #[test]
    fn only_prompts_with_a_score_judge() {
        let mut table = table();
        for row in 4..N {
            table.scores[[row, 1]] = f32::NAN;
        }
        let found = measured(&table, |_| 1.0).expect("four prompts");
        assert_eq!((found.n_prompts, found.gain, found.share), (4, 0.0, 1.0));
        table.scores.slice_mut(s![..4, 1]).fill(0.0);
        let found = measured(&table, |_| 1.0).expect("four prompts");
        assert!(found.gain < -0.4 && !found.is_worse(), "so few do not tell");
        table.scores.column_mut(1).fill(f32::NAN);
        assert_eq!(measured(&table, |_| 1.0), None);
    }

    #[test]
    fn an_unknown_cost_of_what_is_chosen_judges_nothing() {
        let mut table = table();
        table.cost_usd[[0, 0]] = 0.001;
        table.cost_usd.column_mut(1).fill(f64::NAN);
        table.cost_usd[[3, 1]] = 1.0;
        let found = measured(&table, |_| 9.0).expect("one prompt");
        assert_eq!((found.n_prompts, found.standard_error), (1, None));
        assert!(!found.is_worse(), "one prompt does not tell");
    }
}
