use std::sync::Arc;

use ndarray::{Array2, Axis};
use serde::Serialize;

use crate::{Error, Result, Truth};

/// Where the probabilities come from with which scores are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PropensitySource {
    /// Nothing is missing: on each prompt that counts every LLM's score and cost are known.
    Complete,
    /// Scores are taken to be missing at random, at a rate of its own for each LLM: whether an LLM was asked has nothing to do with the prompt,
    /// nor with how well it did.
    AtRandom,
    /// The table says with which probability each LLM was asked, see [`dataset::PartTable::propensities`].
    Recorded,
    /// Predicted from the prompts.
    Estimated,
}

/// With which probability the score of each LLM is known on each prompt, so that a known one can stand for as many as there would be.
///
/// ```text
/// mean over prompts of a policy  =  sum of w s / sum of w        over prompts whose chosen LLM is known
///   s     what is known of the choice: its score, its cost, or both
///   w     1 / p                                                  p: the probability that it is known
/// ```
///
/// The self-normalized estimator (Hajek 1971; Swaminathan and Joachims 2015): consistent if `p` is right, and never outside of what the scores can
/// be. With all known every weight is 1, and it is the mean.
///
/// With scores missing at random `p` is the share of prompts on which the LLM is known, among those on which any is: without the weights an LLM that
/// is known more often would weigh more in a router's mean than it has prompts.
#[derive(Debug, Clone)]
pub struct Propensities {
    source: PropensitySource,
    /// Shape `(n_prompts, n_models)`, NaN where nobody knows; `None`: 1 everywhere.
    probabilities: Option<Arc<Array2<f64>>>,
    /// The same shape: 1 / p where the truth is known, else 0; `None`: 1 everywhere.
    weights: Option<Arc<Array2<f64>>>,
}

impl Propensities {
    /// Of a table in which nothing is missing.
    pub fn complete() -> Self {
        Self {
            source: PropensitySource::Complete,
            probabilities: None,
            weights: None,
        }
    }

    /// Takes scores to be missing at random: an LLM's probability is its own share of the prompts on which anything is known. Where nothing is
    /// missing the source is [`PropensitySource::Complete`].
    pub fn at_random(truth: &Truth<'_>) -> Self {
        let (n_prompts, n_models) = (truth.n_prompts(), truth.n_models());
        let mut n_known = vec![0_usize; n_models];
        for prompt_idx in 0..n_prompts {
            for (model_idx, ..) in truth.known(prompt_idx) {
                n_known[model_idx] += 1;
            }
        }
        let n_scored = truth.n_scored_prompts();
        let is_complete = n_known.iter().all(|&n| n == n_scored);
        if is_complete && n_scored == n_prompts {
            return Self::complete();
        }
        let share = |model_idx: usize| n_known[model_idx] as f64 / n_scored as f64;
        let shares = Array2::from_shape_fn((n_prompts, n_models), |(_, m)| share(m));
        Self {
            source: match is_complete {
                true => PropensitySource::Complete,
                false => PropensitySource::AtRandom,
            },
            weights: None,
            probabilities: Some(Arc::new(shares)),
        }
        .of_known(truth)
    }

    /// Takes what a table says, of shape `(n_prompts, n_models)`, NaN where it says nothing.
    ///
    /// # Errors
    /// [`Error::BadPropensity`] for a number outside (0, 1].
    pub fn recorded(values: Array2<f64>) -> Result<Self> {
        Self::given(PropensitySource::Recorded, values)
    }

    /// Takes what was predicted from the prompts, of shape `(n_prompts, n_models)`, NaN where nothing was.
    ///
    /// # Errors
    /// [`Error::BadPropensity`] for a number outside (0, 1].
    pub fn estimated(values: Array2<f64>) -> Result<Self> {
        Self::given(PropensitySource::Estimated, values)
    }

    fn given(source: PropensitySource, values: Array2<f64>) -> Result<Self> {
        let is_bad = |value: f64| !(value.is_nan() || (value > 0.0 && value <= 1.0));
        if let Some(((prompt_idx, model_idx), &value)) =
            values.indexed_iter().find(|&(_, &value)| is_bad(value))
        {
            return Err(Error::BadPropensity {
                row: prompt_idx + 1,
                model_idx,
                value,
            });
        }
        let weights = values.mapv(|value| if value.is_nan() { 0.0 } else { 1.0 / value });
        Ok(Self {
            source,
            probabilities: Some(Arc::new(values)),
            weights: Some(Arc::new(weights)),
        })
    }

    /// Where they come from.
    pub fn source(&self) -> PropensitySource {
        self.source
    }

    /// The probability that an LLM is known on a prompt; NaN where nobody says it.
    ///
    /// # Panics
    /// When there is no such prompt or LLM.
    pub fn probability(&self, prompt_idx: usize, model_idx: usize) -> f64 {
        match &self.probabilities {
            Some(probabilities) => probabilities[[prompt_idx, model_idx]],
            None => 1.0,
        }
    }

    /// For how many prompts an LLM's score on a prompt stands: 1 / p where it is known, else 0. Of propensities that belong to no [`Truth`] yet,
    /// 1 / p wherever p is known.
    ///
    /// # Panics
    /// When there is no such prompt or LLM.
    pub fn weight(&self, prompt_idx: usize, model_idx: usize) -> f64 {
        match &self.weights {
            Some(weights) => weights[[prompt_idx, model_idx]],
            None => 1.0,
        }
    }

    /// Those of some prompts, in the order asked for; `None` of propensities that come from the table's own gaps, and so are to be taken from those of
    /// the prompts again.
    ///
    /// # Panics
    /// When there is no such prompt.
    pub fn of_prompts(&self, prompt_idxs: &[usize]) -> Option<Self> {
        if !self.are_of_prompts() {
            return None;
        }
        let select = |values: &Option<Arc<Array2<f64>>>| {
            let values = values.as_ref()?;
            Some(Arc::new(values.select(Axis(0), prompt_idxs)))
        };
        Some(Self {
            source: self.source,
            probabilities: select(&self.probabilities),
            weights: select(&self.weights),
        })
    }

    /// Whether they differ from prompt to prompt.
    pub(crate) fn are_of_prompts(&self) -> bool {
        use PropensitySource::{AtRandom, Complete, Estimated, Recorded};
        match self.source {
            Complete | AtRandom => false,
            Recorded | Estimated => true,
        }
    }

    /// Refuses propensities of another shape, and those that are unknown where the truth is known.
    pub(crate) fn check_fits(&self, truth: &Truth<'_>) -> Result<()> {
        let Some(probabilities) = &self.probabilities else {
            return Ok(());
        };
        let expected = (truth.n_prompts(), truth.n_models());
        if probabilities.dim() != expected {
            return Err(Error::Shape {
                what: "propensities",
                expected,
                found: probabilities.dim(),
            });
        }
        for prompt_idx in 0..truth.n_prompts() {
            for (model_idx, ..) in truth.known(prompt_idx) {
                if probabilities[[prompt_idx, model_idx]].is_nan() {
                    return Err(Error::UnknownPropensity {
                        row: prompt_idx + 1,
                        model_idx,
                    });
                }
            }
        }
        Ok(())
    }

    /// The same with weights of 0 where the truth is unknown.
    pub(crate) fn of_known(mut self, truth: &Truth<'_>) -> Self {
        let weight = |(prompt_idx, model_idx)| match truth.get(prompt_idx, model_idx) {
            Some(_) => 1.0 / self.probability(prompt_idx, model_idx),
            None => 0.0,
        };
        let shape = (truth.n_prompts(), truth.n_models());
        let weights = Array2::from_shape_fn(shape, weight);
        self.weights = Some(Arc::new(weights));
        self
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    const UNKNOWN: f32 = f32::NAN;

    #[test]
    fn an_llm_s_own_share_is_its_probability() {
        // Known: LLM 0 on two of three prompts that count, LLM 1 on all, LLM 2 on none; the last prompt counts for none.
        let scores = array![
            [1.0, 1.0, UNKNOWN],
            [UNKNOWN, 0.5, UNKNOWN],
            [0.0, 1.0, UNKNOWN],
            [UNKNOWN, UNKNOWN, UNKNOWN]
        ];
        let costs = Array2::ones((4, 3));
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let found = truth.propensities();
        assert_eq!(found.source(), PropensitySource::AtRandom);
        assert_eq!(found.probability(1, 0), 2.0 / 3.0);
        assert_eq!(
            [found.weight(0, 0), found.weight(1, 0), found.weight(3, 0)],
            [1.5, 0.0, 0.0]
        );
        assert_eq!([found.weight(0, 1), found.weight(0, 2)], [1.0, 0.0]);
        assert!(found.of_prompts(&[0]).is_none());
    }

    #[test]
    fn with_nothing_missing_every_weight_is_one() {
        let scores = array![[1.0, 0.0], [0.5, 1.0], [UNKNOWN, UNKNOWN]];
        let costs = Array2::ones((3, 2));
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let found = truth.propensities();
        assert_eq!(found.source(), PropensitySource::Complete);
        assert_eq!(
            [found.weight(0, 0), found.weight(1, 1), found.weight(2, 0)],
            [1.0, 1.0, 0.0]
        );
        let first = scores.slice(ndarray::s![..2, ..]);
        let truth = Truth::new(first, costs.slice(ndarray::s![..2, ..])).expect("a truth");
        assert_eq!(truth.propensities().source(), PropensitySource::Complete);
        assert_eq!(truth.propensities().weight(1, 0), 1.0);
    }

    #[test]
    fn recorded_ones_count_where_the_truth_is_known() {
        let scores = array![[1.0, UNKNOWN], [UNKNOWN, 0.0]];
        let costs = Array2::ones((2, 2));
        let with = |values: Array2<f64>| {
            let recorded = Propensities::recorded(values)?;
            Truth::with_propensities(scores.view(), costs.view(), recorded)
        };
        let truth = with(array![[0.5, 0.5], [f64::NAN, 0.25]]).expect("a truth");
        let found = truth.propensities();
        assert_eq!(found.source(), PropensitySource::Recorded);
        let weights = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(i, m)| found.weight(i, m));
        assert_eq!(weights, [2.0, 0.0, 0.0, 4.0]);
        assert_eq!(found.probability(0, 1), 0.5);
        let second = found.of_prompts(&[1, 1]).expect("of prompts");
        assert_eq!([second.weight(0, 1), second.weight(1, 0)], [4.0, 0.0]);

        let missing = with(array![[0.5, 0.5], [f64::NAN, f64::NAN]]).expect_err("refused");
        let expected = Error::UnknownPropensity {
            row: 2,
            model_idx: 1,
        };
        assert_eq!(missing, expected);
        let bad = with(array![[0.5, 0.0], [0.5, 0.5]]).expect_err("refused");
        assert_eq!(
            bad.to_string(),
            "the propensity of the LLM at position `1` is `0` in row 1, expected a probability above 0 and up to 1"
        );
        let shape = with(array![[0.5, 0.5]]).expect_err("refused");
        assert!(matches!(shape, Error::Shape { found: (1, 2), .. }));
    }
}
