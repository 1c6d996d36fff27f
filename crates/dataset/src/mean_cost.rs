use ndarray::{Array1, Array2, Axis};

use crate::{CostKind, PartTable, Price};

/// What a call of each LLM costs in the mean, whatever the prompt: the cost that a router predicts which does not route. Each array has one
/// number for each LLM, NaN where nothing is known.
///
/// With costs of the prompt at hand such a router would still choose by it: the dearer an LLM's input, the less it would get of long prompts.
#[derive(Debug, Clone, PartialEq)]
pub enum MeanCost {
    /// Tokens, which the LLM's prices turn into dollars. Prices times mean tokens are mean dollars, so prices can change afterwards.
    Tokens {
        /// Mean tokens of a prompt.
        input: Array1<f64>,
        /// Mean tokens of an answer; 0 where answers are not paid for.
        output: Array1<f64>,
    },
    /// US dollars, where they were observed, or where tokens are not known of every cost.
    Usd(Array1<f64>),
}

impl MeanCost {
    /// The means over those train prompts of which an LLM's cost is known, weighted by one over its propensity where the table says it.
    pub fn of(kind: CostKind, train: &PartTable) -> Self {
        let is_known = train.cost_usd.mapv(|cost| !cost.is_nan());
        let mean_of = |values: &Array2<f64>| -> Array1<f64> {
            let columns = values.axis_iter(Axis(1)).zip(is_known.axis_iter(Axis(1)));
            let mean = columns.enumerate().map(|(model_idx, (values, is_known))| {
                let (mut sum, mut total) = (0.0, 0.0);
                let known = values.iter().zip(&is_known).enumerate();
                for (row, (value, _)) in known.filter(|(_, (_, known))| **known) {
                    // A cost that is known without a score may have no propensity, and then says nothing of how likely it was to be known.
                    let propensity =
                        (train.propensities.as_ref()).map_or(1.0, |p| p.values[[row, model_idx]]);
                    if !propensity.is_nan() {
                        sum += value / propensity;
                        total += 1.0 / propensity;
                    }
                }
                // 0 / 0 is NaN, as it should be.
                sum / total
            });
            mean.collect()
        };
        let usd = mean_of(&train.cost_usd);
        let output = match kind {
            CostKind::Usd => None,
            CostKind::OutputTokens => train.output_tokens.as_ref().map(mean_of),
            CostKind::Known => Some(Array1::zeros(train.models.len())),
        };
        match (train.input_tokens.as_ref().map(mean_of), output) {
            // A count that is missing beside a known cost would make the LLM's mean cost unknown.
            (Some(input), Some(output))
                if (0..usd.len())
                    .all(|m| usd[m].is_nan() || !(input[m].is_nan() || output[m].is_nan())) =>
            {
                Self::Tokens { input, output }
            }
            _ => Self::Usd(usd),
        }
    }

    /// Number of LLMs.
    pub fn n_models(&self) -> usize {
        match self {
            Self::Tokens { input, .. } => input.len(),
            Self::Usd(usd) => usd.len(),
        }
    }

    /// The mean dollars of the LLM at a position, which charges `price`; NaN where they are unknown. Observed dollars need no price.
    pub fn usd(&self, model_idx: usize, price: Option<&Price>) -> f64 {
        match (self, price) {
            (Self::Usd(usd), _) => usd[model_idx],
            (Self::Tokens { input, output }, Some(price)) => {
                price.cost_usd(input[model_idx], output[model_idx])
            }
            (Self::Tokens { .. }, None) => f64::NAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    const NAN: f64 = f64::NAN;

    fn train() -> PartTable {
        PartTable {
            ids: ["a", "b", "c"].map(str::to_owned).to_vec(),
            tasks: vec!["t".to_owned(); 3],
            prompts: vec!["p".to_owned(); 3],
            models: vec!["m".to_owned(), "n".to_owned()],
            scores: Array2::zeros((3, 2)),
            input_tokens: Some(array![[10.0, 1.0], [30.0, NAN], [999.0, NAN]]),
            output_tokens: Some(array![[4.0, 2.0], [8.0, NAN], [NAN, NAN]]),
            // 1 $ for a million input tokens, 10 $ for output tokens.
            cost_usd: array![[50e-6, NAN], [110e-6, NAN], [NAN, NAN]],
            propensities: None,
            kept: crate::KeptColumns::default(),
        }
    }

    #[test]
    fn prices_times_mean_tokens_are_mean_dollars() {
        let price = |output_usd_per_mtok| Price {
            input_usd_per_mtok: 1.0,
            output_usd_per_mtok,
            source: None,
        };
        let mean = MeanCost::of(CostKind::OutputTokens, &train());
        let MeanCost::Tokens { input, output } = &mean else {
            panic!("tokens: {mean:?}")
        };
        // Only of rows whose cost is known.
        assert_eq!((input[0], output[0]), (20.0, 6.0));
        assert!((mean.usd(0, Some(&price(10.0))) - 80e-6).abs() < 1e-18);
        assert!((mean.usd(0, Some(&price(20.0))) - 140e-6).abs() < 1e-18);
        assert!(mean.usd(0, None).is_nan() && mean.usd(1, Some(&price(1.0))).is_nan());

        let mean = MeanCost::of(CostKind::Known, &train());
        assert_eq!(mean.usd(0, Some(&price(10.0))), 20e-6, "input alone");
    }

    #[test]
    fn dollars_are_taken_where_tokens_do_not_tell() {
        let usd = |kind, train: &PartTable| match MeanCost::of(kind, train) {
            MeanCost::Usd(usd) => usd,
            other => panic!("{other:?}"),
        };
        let mut table = train();
        let found = usd(CostKind::Usd, &table);
        assert!((found[0] - 80e-6).abs() < 1e-18 && found[1].is_nan());
        // A count is missing of a row whose cost is known.
        table.cost_usd[[2, 0]] = 20e-6;
        assert!((usd(CostKind::OutputTokens, &table)[0] - 60e-6).abs() < 1e-18);
        table.input_tokens = None;
        assert!((usd(CostKind::Known, &table)[0] - 60e-6).abs() < 1e-18);
    }
}
