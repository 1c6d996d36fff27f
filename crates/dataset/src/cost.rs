//! What a learner's outputs mean, and what a call costs. Beside [`Price`] this is the only place where tokens become dollars.
//!
//! ```text
//! cost in US dollars =
//!   output tokens predicted   (input tokens * input price + predicted output tokens * output price) / 10^6
//!   dollars predicted         as predicted
//!   nothing predicted         input tokens * input price / 10^6
//!   not routed                the LLM's mean cost on train prompts, see [`MeanCost`]
//! ```
//!
//! Unknown is NaN and stays NaN: a count that nobody knows makes an unknown cost, not a free call.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::{CostKind, MeanCost, ModelInfo, PartTable, PerModel, Price, Standardizer};

/// Output tokens in one unit of what a cost network learns, as the released one did, so that its outputs are about 1 in size.
pub const TOKENS_PER_UNIT: f32 = 1_000.0;

/// What an output of a learner is, for each LLM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// The expected score, in [0, 1].
    Score,
    /// Tokens of the answer.
    OutputTokens,
    /// Thousands of them, see [`TOKENS_PER_UNIT`].
    ThousandsOfOutputTokens,
    /// Dollars as z-scores; a [`Standardizer`] turns them back.
    StandardizedUsd,
}

/// What was predicted about costs; matrices have shape `(n_prompts, n_models)`, NaN where nothing is known.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictedCost {
    /// Expected output tokens, at least 0; an LLM's prices turn them into dollars.
    OutputTokens(Array2<f32>),
    /// Expected dollars.
    Usd(Array2<f64>),
    /// Nothing: input tokens and prices determine the cost.
    Known,
    /// The same for every prompt, from a router that does not route.
    Mean(MeanCost),
}

/// What an estimator has to predict besides scores, for one kind of cost.
#[derive(Debug, Clone, PartialEq)]
pub enum CostTarget {
    /// Output tokens.
    OutputTokens(Array2<f32>),
    /// z-scored dollars, and the way back.
    Usd(Array2<f32>, Standardizer),
    /// Nothing: the cost is known before the call.
    Known,
}

impl Quantity {
    /// What outputs of this quantity say about costs; `None` for scores, which say nothing. `scale` is the way back from z-scores: without
    /// it they are unknown dollars.
    ///
    /// A count below zero, which a regression may give, counts as zero: no answer is shorter.
    pub fn cost(
        self,
        outputs: &Array2<f32>,
        scale: Option<&Standardizer>,
    ) -> Option<PredictedCost> {
        let tokens = |unit| PredictedCost::OutputTokens(outputs.mapv(|n| at_least_zero(n * unit)));
        match self {
            Self::Score => None,
            Self::OutputTokens => Some(tokens(1.0)),
            Self::ThousandsOfOutputTokens => Some(tokens(TOKENS_PER_UNIT)),
            Self::StandardizedUsd => Some(PredictedCost::Usd(match scale {
                Some(scale) => scale.restore(outputs),
                None => Array2::from_elem(outputs.dim(), f64::NAN),
            })),
        }
    }
}

impl PredictedCost {
    /// The predicted output tokens of a prompt and an LLM, where tokens are what is predicted.
    pub fn output_tokens(&self, at: [usize; 2]) -> Option<f32> {
        match self {
            Self::OutputTokens(tokens) => Some(tokens[at]),
            Self::Usd(_) | Self::Known | Self::Mean(_) => None,
        }
    }

    /// The dollars that a call is expected to cost: prompt and LLM `at`, which counts `n_input_tokens` and charges `price`. NaN where
    /// something that the cost needs is unknown. `price` is not needed where dollars are predicted.
    pub fn usd(&self, at: [usize; 2], n_input_tokens: f64, price: Option<&Price>) -> f64 {
        match (self, price) {
            // Learned from observed dollars, to which the price list does not apply.
            (Self::Usd(cost_usd), _) => cost_usd[at],
            (Self::Mean(mean), price) => mean.usd(at[1], price),
            (Self::OutputTokens(tokens), Some(price)) => {
                price.cost_usd(n_input_tokens, f64::from(at_least_zero(tokens[at])))
            }
            (Self::Known, Some(price)) => price.input_cost_usd(n_input_tokens),
            // Without a price the call still costs something; 0 would make this LLM the favorite of every router.
            (Self::OutputTokens(_) | Self::Known, None) => f64::NAN,
        }
    }

    /// Dollars for each prompt and LLM of one part's table, by its true input tokens and the prices of `models`, which are in the table's
    /// order. A cost that is known before the call is the table's own.
    pub fn usd_of_split(&self, models: &[ModelInfo], split: &PartTable) -> Array2<f64> {
        // The table's own numbers, not prices times tokens: they are what is known.
        if let Self::Known = self {
            return split.cost_usd.clone();
        }
        Array2::from_shape_fn(split.cost_usd.dim(), |(prompt, model)| {
            let n_input_tokens =
                (split.input_tokens.as_ref()).map_or(f64::NAN, |tokens| tokens[[prompt, model]]);
            self.usd(
                [prompt, model],
                n_input_tokens,
                models[model].price.as_ref(),
            )
        })
    }
}

impl PerModel {
    /// Predictions for one part's table: scores of shape `(n_prompts, n_models)`, and what was predicted about costs, as tokens and dollars.
    pub fn of_split(
        models: &[ModelInfo],
        split: &PartTable,
        scores: Array2<f32>,
        cost: PredictedCost,
    ) -> Self {
        let cost_usd = cost.usd_of_split(models, split);
        Self {
            ids: split.ids.clone(),
            models: split.models.clone(),
            scores,
            output_tokens: match cost {
                PredictedCost::OutputTokens(tokens) => Some(tokens),
                PredictedCost::Usd(_) | PredictedCost::Known | PredictedCost::Mean(_) => None,
            },
            cost_usd,
        }
    }
}

impl CostTarget {
    /// The target that a data set's kind of cost asks for, from its train part. Matrices have shape `(n_prompts, n_models)`, NaN where
    /// unknown.
    pub fn of(kind: CostKind, train: &PartTable) -> Self {
        match (kind, &train.output_tokens) {
            (CostKind::OutputTokens, Some(tokens)) => {
                Self::OutputTokens(tokens.mapv(|tokens| tokens as f32))
            }
            // Without token counts dollars are what is left to learn. As z-scores, because a fraction of a cent is next to nothing in a
            // network's loss.
            (CostKind::OutputTokens | CostKind::Usd, _) => {
                let standardizer = Standardizer::fit(&train.cost_usd);
                Self::Usd(standardizer.standardize(&train.cost_usd), standardizer)
            }
            (CostKind::Known, _) => Self::Known,
        }
    }

    /// The target's name and values, if there is something to predict.
    pub fn values(&self) -> Option<(&'static str, &Array2<f32>)> {
        match self {
            Self::OutputTokens(tokens) => Some(("output_tokens", tokens)),
            Self::Usd(z_scores, _) => Some(("cost_z_score", z_scores)),
            Self::Known => None,
        }
    }
}

// Not `f32::max`, which takes NaN for a missing value: an unknown count would become zero, and its answer free.
fn at_least_zero(n: f32) -> f32 {
    if n < 0.0 { 0.0 } else { n }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::{CostRule, ModelInfo};

    fn price() -> Price {
        Price {
            input_usd_per_mtok: 1.0,
            output_usd_per_mtok: 10.0,
            source: None,
        }
    }

    #[test]
    fn each_quantity_has_its_meaning() {
        let outputs = array![[0.25, -0.5, f32::NAN]];
        for (quantity, expected) in [
            (Quantity::OutputTokens, 0.25),
            (Quantity::ThousandsOfOutputTokens, 250.0),
        ] {
            let cost = quantity.cost(&outputs, None);
            let Some(PredictedCost::OutputTokens(tokens)) = cost else {
                panic!("{quantity:?} are tokens")
            };
            assert_eq!((tokens[[0, 0]], tokens[[0, 1]]), (expected, 0.0));
            assert!(tokens[[0, 2]].is_nan(), "{quantity:?}");
        }
        assert_eq!(Quantity::Score.cost(&outputs, None), None);

        // Mean 2, deviation 1.
        let scale = Standardizer::fit(&array![[1.0], [3.0]]);
        let z_scores = array![[0.5], [f32::NAN]];
        let restored = Quantity::StandardizedUsd.cost(&z_scores, Some(&scale));
        let Some(PredictedCost::Usd(costs)) = restored else {
            panic!("dollars")
        };
        assert_eq!(costs[[0, 0]], 2.5);
        assert!(costs[[1, 0]].is_nan());
        let unknown = Quantity::StandardizedUsd.cost(&z_scores, None);
        assert!(unknown.is_some_and(|cost| cost.usd([0, 0], 1.0, Some(&price())).is_nan()));
    }

    #[test]
    fn what_is_unknown_is_not_free() {
        let tokens = PredictedCost::OutputTokens(array![[100.0, -3.0, f32::NAN]]);
        let dollars = PredictedCost::Usd(array![[0.5, f64::NAN, 0.0]]);
        let known = PredictedCost::Known;
        let (nan, price) = (f64::NAN, price());
        for (what, cost, at, n_input_tokens, price, expected) in [
            ("input and output", &tokens, 0, 1e6, Some(&price), 1.001),
            ("less than no answer", &tokens, 1, 1e6, Some(&price), 1.0),
            ("an unknown answer", &tokens, 2, 1e6, Some(&price), nan),
            ("an unknown prompt", &tokens, 0, nan, Some(&price), nan),
            ("no price", &tokens, 0, 1e6, None, nan),
            ("dollars", &dollars, 0, nan, None, 0.5),
            ("unknown dollars", &dollars, 1, 1e6, Some(&price), nan),
            ("free", &dollars, 2, 1e6, Some(&price), 0.0),
            ("input only", &known, 0, 2e6, Some(&price), 2.0),
            (
                "an unknown prompt, input only",
                &known,
                0,
                nan,
                Some(&price),
                nan,
            ),
            ("no price, input only", &known, 0, 2e6, None, nan),
        ] {
            let found = cost.usd([0, at], n_input_tokens, price);
            let is_same = found == expected || (found.is_nan() && expected.is_nan());
            assert!(is_same, "{what}: {found}, expected {expected}");
        }
    }

    #[test]
    fn a_split_is_priced_by_its_own_input_tokens() {
        let model = |price| ModelInfo {
            name: "m".to_owned(),
            price,
            cost_rule: CostRule::InputAndOutputTokens,
        };
        let models = [model(Some(price())), model(None)];
        let mut split = PartTable {
            ids: vec!["a".to_owned(), "b".to_owned()],
            tasks: vec!["t".to_owned(); 2],
            prompts: vec!["p".to_owned(); 2],
            models: vec!["m".to_owned(), "n".to_owned()],
            scores: Array2::zeros((2, 2)),
            input_tokens: Some(array![[1e6, 1e6], [f64::NAN, 1e6]]),
            output_tokens: None,
            cost_usd: array![[7.0, 8.0], [9.0, f64::NAN]],
            propensities: None,
            kept: crate::KeptColumns::default(),
        };
        let tokens = array![[1e6, 1e6], [1e6, f32::NAN]];
        let cost = PredictedCost::OutputTokens(tokens.clone());
        let predicted = PerModel::of_split(&models, &split, Array2::zeros((2, 2)), cost.clone());
        assert_eq!(predicted.cost_usd[[0, 0]], 11.0);
        let n_unknown = predicted
            .cost_usd
            .iter()
            .filter(|cost| cost.is_nan())
            .count();
        assert_eq!(n_unknown, 3, "no price, or an unknown count");
        assert_eq!(predicted.ids, split.ids);
        assert_eq!(
            predicted.output_tokens.expect("tokens")[[0, 1]],
            tokens[[0, 1]]
        );

        split.input_tokens = None;
        assert!(
            cost.usd_of_split(&models, &split)
                .iter()
                .all(|cost| cost.is_nan())
        );
        let known = PredictedCost::Known.usd_of_split(&models, &split);
        assert_eq!(known.row(0), split.cost_usd.row(0), "the split's own");
        let mean = PredictedCost::Mean(MeanCost::Usd(array![0.25, 0.5]));
        let mean = mean.usd_of_split(&models, &split);
        assert_eq!(mean, array![[0.25, 0.5], [0.25, 0.5]], "of every prompt");
    }
}
