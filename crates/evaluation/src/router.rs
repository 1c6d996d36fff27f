use dataset::{PairIdx, Predictions, TestSet};

use crate::{
    Curve, CurvePoint, Error, Predicted, Result, Truth,
    baseline::zero_router,
    curve::{exact_curve, pair_curve},
};

/// A router to measure.
#[derive(Debug, Clone, Copy)]
pub enum Router<'a> {
    /// Predicts every LLM's score and cost.
    PerModel {
        /// What it predicts.
        predicted: Predicted<'a>,
        /// Whose calls to count for APGR and CPT, by [`crate::curve::small_preference`]; without, those are not defined.
        pair: Option<PairIdx>,
    },
    /// Chooses between two LLMs, see [`crate::curve::pair_curve`].
    Pair {
        /// Which two.
        pair: PairIdx,
        /// One probability per prompt.
        small_win_probability: &'a [f32],
    },
    /// Does not look at the prompt, see [`crate::baseline::zero_router`]; its LLMs are chosen again in each resample.
    Zero,
}

impl<'a> Router<'a> {
    /// The router that predicted this for a test set.
    ///
    /// # Errors
    /// [`Error::NoPair`] for a binary router where the data set names no two LLMs that it has; as for [`Predicted::new`].
    pub fn of(predictions: &'a Predictions, test_set: &TestSet) -> Result<Self> {
        let pair = match predictions {
            // Only some metrics ask for it.
            Predictions::PerModel(_) => test_set.pair(),
            Predictions::SmallWins(_) => {
                let pair = test_set.required_pair().map_err(|error| Error::NoPair {
                    why: error.to_string(),
                })?;
                Some(pair)
            }
        };
        Self::with_pair(predictions, pair)
    }

    /// The same with the positions of the small and the large LLM.
    ///
    /// # Errors
    /// [`Error::NoPair`] for a binary router without them; as for [`Predicted::new`].
    ///
    /// # Panics
    /// When the probabilities of a binary router do not lie one after the other in memory, as those of a slice with a step would not.
    pub fn with_pair(predictions: &'a Predictions, pair: Option<PairIdx>) -> Result<Self> {
        match (predictions, pair) {
            (Predictions::PerModel(per_model), pair) => Ok(Self::PerModel {
                predicted: Predicted::of(per_model)?,
                pair,
            }),
            (Predictions::SmallWins(wins), Some(pair)) => Ok(Self::Pair {
                pair,
                small_win_probability: (wins.probability.as_slice())
                    .expect("a column that was read or built is contiguous"),
            }),
            (Predictions::SmallWins(_), None) => Err(Error::NoPair {
                why: "its two LLMs are not named".to_owned(),
            }),
        }
    }

    /// The exact curve, see [`exact_curve`] and [`pair_curve`]. That of the zero router is the hull of the LLMs, whose points have no
    /// lambda (NaN); it has no points where nothing is known of any LLM.
    ///
    /// # Errors
    /// As for [`exact_curve`] and [`pair_curve`].
    pub fn curve(&self, truth: &Truth<'_>) -> Result<Curve> {
        match *self {
            Self::PerModel { predicted, .. } => exact_curve(truth, predicted),
            Self::Pair {
                pair,
                small_win_probability,
            } => pair_curve(truth, pair, small_win_probability),
            Self::Zero => Ok(Curve {
                points: zero_router(truth)
                    .into_iter()
                    .map(|point| CurvePoint {
                        setting: f64::NAN,
                        cost_usd: point.cost_usd,
                        accuracy: point.accuracy,
                    })
                    .collect(),
                n_prompts: truth.n_scored_prompts(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use dataset::{PerModel, SmallWins};
    use ndarray::{Array1, array};

    use super::*;

    #[test]
    fn each_kind_of_router_has_its_curve() {
        let (scores, costs) = (
            array![[0.0, 1.0], [1.0, 1.0]],
            array![[1.0, 4.0], [1.0, 4.0]],
        );
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let ids = vec!["a".to_owned(), "b".to_owned()];
        let per_model = Predictions::PerModel(PerModel {
            ids: ids.clone(),
            models: vec!["s".to_owned(), "l".to_owned()],
            scores: scores.clone(),
            output_tokens: None,
            cost_usd: costs.clone(),
        });
        let wins = Predictions::SmallWins(SmallWins {
            ids,
            probability: Array1::from(vec![0.25, 0.75]),
        });
        let pair = PairIdx { small: 0, large: 1 };
        let curve = |router: Router<'_>| router.curve(&truth).expect("a curve");

        let predicted = Predicted::new(scores.view(), costs.view()).expect("predictions");
        let router = Router::with_pair(&per_model, None).expect("a router");
        assert_eq!(
            curve(router),
            exact_curve(&truth, predicted).expect("a curve")
        );
        let router = Router::with_pair(&wins, Some(pair)).expect("a router");
        assert_eq!(
            curve(router),
            pair_curve(&truth, pair, &[0.25, 0.75]).expect("a curve")
        );
        assert!(matches!(
            Router::with_pair(&wins, None),
            Err(Error::NoPair { .. })
        ));
        let zero = curve(Router::Zero);
        assert_eq!(zero.to_points(), zero_router(&truth));
        assert!(zero.points.iter().all(|point| point.setting.is_nan()));
    }
}
