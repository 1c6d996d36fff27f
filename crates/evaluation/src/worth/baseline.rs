use dataset::worth::best_constant;

use crate::{Error, Predicted, Result, Truth, sum::Sum};

/// One pass of cross-fitting, or one router that was fitted beforehand: what it predicts for each prompt, and whom the prompt would go to
/// without it.
#[derive(Debug, Clone, Copy)]
pub struct CrossFit<'a> {
    /// What was predicted for each prompt by a router that was not fitted on it. A prompt without any finite prediction is left out.
    pub predicted: Predicted<'a>,
    /// What the best constant is chosen by.
    pub baseline: Baseline<'a>,
}

/// The mean scores and costs that choose the LLM which gets every prompt where nobody routes, as from [`means_of`].
#[derive(Debug, Clone, Copy)]
pub enum Baseline<'a> {
    /// For a prompt of a fold the means over the rows of all other folds and of none. One fold per prompt; a prompt of none was only trained
    /// on, and is left out.
    Folds(&'a [Option<u32>]),
    /// For a prompt of a fold the means over the rows of lower folds and of none, as for predictions of later rows by earlier ones.
    Earlier(&'a [Option<u32>]),
    /// The same means for every prompt: of a train part, for predictions of its test part. One of each per LLM; NaN for unknown.
    Means {
        /// Mean scores.
        scores: &'a [f64],
        /// Mean costs in US dollars.
        costs_usd: &'a [f64],
    },
}

impl Baseline<'_> {
    /// How many folds there are whose rows both judge one fit and are fitted on by the others. Of earlier rows none: what a row says of its own
    /// fit is, given all rows before it, independent of them.
    pub(super) fn n_mutual_folds(&self) -> usize {
        match self {
            Self::Folds(folds) => distinct(folds).len(),
            Self::Earlier(_) | Self::Means { .. } => 1,
        }
    }
}

/// The best constant of each block of prompts that have the same means.
pub(super) struct Constants {
    /// Each prompt's block; `None` for one that is left out.
    block: Vec<Option<usize>>,
    /// Each block's mean scores and costs.
    means: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Constants {
    pub(super) fn new(truth: &Truth<'_>, baseline: Baseline<'_>) -> Result<Self> {
        let n_prompts = truth.n_prompts();
        match baseline {
            Baseline::Means { scores, costs_usd } => {
                for (what, n) in [
                    ("mean scores", scores.len()),
                    ("mean costs", costs_usd.len()),
                ] {
                    if n != truth.n_models() {
                        return Err(Error::Shape {
                            what,
                            expected: (1, truth.n_models()),
                            found: (1, n),
                        });
                    }
                }
                Ok(Self {
                    block: vec![Some(0); n_prompts],
                    means: vec![(scores.to_vec(), costs_usd.to_vec())],
                })
            }
            Baseline::Folds(folds) => Self::of_folds(truth, folds, |fold, row| row != fold),
            Baseline::Earlier(folds) => Self::of_folds(truth, folds, |fold, row| row < fold),
        }
    }

    /// `is_fitted_on(fold, row's fold)` for rows that have one; rows of none are fitted on always.
    fn of_folds(
        truth: &Truth<'_>,
        folds: &[Option<u32>],
        is_fitted_on: impl Fn(u32, u32) -> bool,
    ) -> Result<Self> {
        let n_prompts = truth.n_prompts();
        if folds.len() != n_prompts {
            return Err(Error::Shape {
                what: "folds",
                expected: (n_prompts, 1),
                found: (folds.len(), 1),
            });
        }
        let distinct = distinct(folds);
        let means = distinct
            .iter()
            .map(|&fold| {
                means_of(truth, |prompt_idx| {
                    folds[prompt_idx].is_none_or(|row| is_fitted_on(fold, row))
                })
            })
            .collect();
        let block = folds
            .iter()
            .map(|fold| fold.and_then(|fold| distinct.binary_search(&fold).ok()))
            .collect();
        Ok(Self { block, means })
    }

    /// Whether a prompt is one that judges.
    pub(super) fn judges(&self, prompt_idx: usize) -> bool {
        self.block[prompt_idx].is_some()
    }

    /// Who gets each prompt at a worth; `None` for a prompt that is left out, or where no LLM has known means.
    pub(super) fn at(&self, worth_usd: f64) -> Vec<Option<usize>> {
        let best: Vec<Option<usize>> = self
            .means
            .iter()
            .map(|(scores, costs_usd)| best_constant(scores, costs_usd, worth_usd))
            .collect();
        self.block
            .iter()
            .map(|block| block.and_then(|block| best[block]))
            .collect()
    }
}

fn distinct(folds: &[Option<u32>]) -> Vec<u32> {
    let mut distinct: Vec<u32> = folds.iter().flatten().copied().collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// Each LLM's mean score and mean cost in US dollars over some prompts, as a [`Baseline`] has them: a score's over the prompts whose score is known, a
/// cost's over those whose cost is; NaN where none is. Where a table says with which probability each LLM was asked, or it was estimated, both are
/// over the prompts where both are known, weighted by it.
pub fn means_of(truth: &Truth<'_>, is_in: impl Fn(usize) -> bool) -> (Vec<f64>, Vec<f64>) {
    let (scores, costs) = truth.views();
    let is_weighted = truth.propensities().are_of_prompts();
    let mut sums = vec![[(Sum::default(), Sum::default()); 2]; truth.n_models()];
    for prompt_idx in (0..truth.n_prompts()).filter(|&prompt_idx| is_in(prompt_idx)) {
        for (model_idx, [score, cost]) in sums.iter_mut().enumerate() {
            let at = [prompt_idx, model_idx];
            // A cost that is known without a score says nothing of how likely it was to be known.
            let weight = match is_weighted {
                true => truth.answer(prompt_idx, model_idx).weight,
                false => 1.0,
            };
            for ((sum, weights), value) in [(score, f64::from(scores[at])), (cost, costs[at])] {
                if value.is_finite() {
                    sum.add(weight * value);
                    weights.add(weight);
                }
            }
        }
    }
    // 0 / 0 is NaN: unknown.
    let mean = |(sum, weights): (Sum, Sum)| sum.value() / weights.value();
    sums.into_iter()
        .map(|[score, cost]| (mean(score), mean(cost)))
        .unzip()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_fold_s_best_constant_is_of_the_other_rows() {
        // LLM 0 is right in rows 0, 1; LLM 1 in rows 2, 3. Without rows 0 and 1 LLM 1 is better, without 2 and 3 LLM 0.
        let scores = array![[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]];
        let costs = array![[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let check = |baseline: Baseline<'_>, expected: [Option<usize>; 4]| {
            let constants = Constants::new(&truth, baseline).expect("one per row");
            assert_eq!(constants.at(1.0), expected, "{baseline:?}");
        };
        let (a, b) = (Some(3), Some(7));
        check(
            Baseline::Folds(&[a, a, b, b]),
            [Some(1), Some(1), Some(0), Some(0)],
        );
        // A row of no fold is fitted on by all, and judged by none.
        check(
            Baseline::Folds(&[None, a, b, b]),
            [None, Some(1), Some(0), Some(0)],
        );
        // The first fold has no earlier row.
        check(
            Baseline::Earlier(&[a, a, b, b]),
            [None, None, Some(0), Some(0)],
        );
        check(
            Baseline::Earlier(&[None, a, b, b]),
            [None, Some(0), Some(0), Some(0)],
        );
        assert_eq!(Baseline::Folds(&[None, a, b, b]).n_mutual_folds(), 2);
        assert_eq!(Baseline::Earlier(&[None, a, b, b]).n_mutual_folds(), 1);
        let means = Baseline::Means {
            scores: &[0.5, f64::NAN],
            costs_usd: &[1.0, 1.0],
        };
        check(means, [Some(0); 4]);
        assert!(matches!(
            Constants::new(&truth, Baseline::Folds(&[a])),
            Err(Error::Shape { .. })
        ));
        let one = Baseline::Means {
            scores: &[0.5],
            costs_usd: &[1.0, 1.0],
        };
        assert!(matches!(
            Constants::new(&truth, one),
            Err(Error::Shape { .. })
        ));
    }
}
