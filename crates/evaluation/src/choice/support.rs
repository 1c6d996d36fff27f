use serde::Serialize;

use super::Setting;
use crate::{
    Curve, Error, PropensitySource, Result, Router, Truth,
    rule::decisions,
    worth::{Choices, Estimator, Refusal, decided_share},
};

/// Settings of a curve that are looked at; more would tell little, since a choice changes at few of them.
const N_SETTINGS: usize = 64;

/// How far known scores carry a router's choices, and so the means of what it earns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ChoiceSupport {
    /// What is averaged.
    pub estimator: Estimator,
    /// Where the probabilities come from by which known scores are weighted.
    pub source: PropensitySource,
    /// Prompts for which an LLM is chosen.
    pub n_prompts: usize,
    /// `(sum of w)^2 / sum of w^2` over the choices whose truth is known, w = 1 / propensity: the number of equally weighted prompts that would say
    /// as much.
    pub effective_prompts: f64,
    /// At least this share of the choices has a propensity below [`crate::worth::LOW_PROPENSITY`].
    pub low_share: f64,
    /// The share of prompts for which the log's policy had one LLM only, see [`crate::worth::Support::decided_share`].
    pub decided_share: f64,
}

impl ChoiceSupport {
    /// Why known scores do not carry the choices; `None` where they do, as they always do with nothing missing.
    pub fn refusal(&self) -> Option<Refusal> {
        Refusal::of(
            self.source,
            self.decided_share,
            self.low_share,
            [self.effective_prompts, self.n_prompts as f64],
        )
    }
}

/// How far known scores carry a router's choices at a setting.
///
/// # Errors
/// [`Error::NothingToSet`] for a setting of another kind of router; [`Error::Shape`], [`Error::NoSuchModel`]; [`Error::NothingToChoose`] where
/// nothing is chosen; others as for [`crate::choice::decisions`].
pub fn support_at(
    truth: &Truth<'_>,
    router: Router<'_>,
    setting: Setting,
) -> Result<ChoiceSupport> {
    let n_prompts = truth.n_prompts();
    let chosen = match (router, setting) {
        (
            Router::PerModel { predicted, .. },
            Setting::Weight {
                lambda,
                cost_multiplier,
            },
        ) => decisions(truth, predicted, lambda, cost_multiplier)?,
        (
            Router::Pair {
                pair,
                small_win_probability,
            },
            Setting::Threshold(threshold),
        ) => {
            truth.check_model(pair.small)?;
            truth.check_model(pair.large)?;
            if small_win_probability.len() != n_prompts {
                return Err(Error::Shape {
                    what: "small win probabilities",
                    expected: (n_prompts, 1),
                    found: (small_win_probability.len(), 1),
                });
            }
            let choose = |(prompt_idx, &probability): (usize, &f32)| {
                let has_choice = probability.is_finite() && truth.is_scored(prompt_idx);
                has_choice.then_some(match f64::from(probability) >= threshold {
                    true => pair.small,
                    false => pair.large,
                })
            };
            small_win_probability
                .iter()
                .enumerate()
                .map(choose)
                .collect()
        }
        _ => return Err(Error::NothingToSet),
    };
    if chosen.iter().all(Option::is_none) {
        return Err(Error::NothingToChoose { n_prompts });
    }
    let choices = Choices::of(truth, std::iter::once(&chosen[..]));
    Ok(ChoiceSupport {
        estimator: Estimator::of_known(truth),
        source: truth.propensities().source(),
        n_prompts: choices.n(),
        effective_prompts: choices.effective(1),
        low_share: choices.low_share(1),
        decided_share: decided_share(truth),
    })
}

/// How far known scores carry a router's choices where they carry them least: the fewest effective prompts, and the largest share of choices with a
/// low propensity, along its curve ([`Router::curve`]). `None` of a router without settings of its own.
///
/// # Errors
/// As for [`support_at`].
pub fn least_support(
    truth: &Truth<'_>,
    router: Router<'_>,
    curve: &Curve,
) -> Result<Option<ChoiceSupport>> {
    let settings: Vec<f64> = curve.points.iter().map(|point| point.setting).collect();
    let is_threshold = match router {
        Router::PerModel { .. } => false,
        Router::Pair { .. } => true,
        Router::Zero => return Ok(None),
    };
    let mut least: Option<ChoiceSupport> = None;
    let n = settings.len().min(N_SETTINGS);
    for step in 0..n {
        // Both ends, and others as far apart from each other.
        let idx = match n {
            1 => 0,
            _ => step * (settings.len() - 1) / (n - 1),
        };
        let next = settings.get(idx + 1).copied();
        let setting = Setting::between(settings[idx], next, is_threshold);
        let found = support_at(truth, router, setting)?;
        least = Some(match least {
            None => found,
            // `f64::min` passes over the NaN of a setting at which no choice is known.
            Some(least) => ChoiceSupport {
                effective_prompts: least.effective_prompts.min(found.effective_prompts),
                low_share: least.low_share.max(found.low_share),
                ..least
            },
        });
    }
    Ok(least)
}

#[cfg(test)]
mod tests {
    use dataset::PairIdx;
    use ndarray::{Array2, array};

    use super::*;
    use crate::{Predicted, Propensities};

    const UNKNOWN: f32 = f32::NAN;

    /// A log of four prompts; the first LLM is dearer and predicted to be better by less and less.
    fn check(test: impl FnOnce(&Truth<'_>, Router<'_>)) {
        let scores = array![
            [1.0, UNKNOWN],
            [UNKNOWN, 0.0],
            [1.0, UNKNOWN],
            [UNKNOWN, 1.0]
        ];
        let costs = Array2::from_shape_fn((4, 2), |(_, m)| [2.0, 1.0][m]);
        let p = array![[0.5, 0.5], [0.005, 0.995], [0.25, 0.75], [0.5, 0.5]];
        let estimated = Propensities::estimated(p).expect("probabilities");
        let truth = Truth::with_propensities(scores.view(), costs.view(), estimated);
        let truth = truth.expect("a truth");
        let predicted = array![[0.9_f32, 0.1], [0.8, 0.1], [0.7, 0.1], [0.6, 0.1]];
        let predicted = Predicted::new(predicted.view(), costs.view()).expect("predictions");
        test(
            &truth,
            Router::PerModel {
                predicted,
                pair: None,
            },
        );
    }

    fn weight(lambda: f64) -> Setting {
        Setting::Weight {
            lambda,
            cost_multiplier: 1.0,
        }
    }

    #[test]
    fn weights_of_known_choices_are_as_many_equal_ones() {
        check(|truth, router| {
            // At 0 the first LLM has all prompts. Known are two, with weights 2 and 4; one of four has a propensity of .005.
            let found = support_at(truth, router, weight(0.0)).expect("choices");
            assert_eq!(found.n_prompts, 4);
            assert_eq!(found.effective_prompts, 36.0 / 20.0);
            assert_eq!(found.low_share, 0.25);
            let unsupported = Refusal::Unsupported { low_share: 0.25 };
            assert_eq!(found.refusal(), Some(unsupported));
            assert_eq!(found.estimator, Estimator::SelfNormalized);
            assert_eq!(found.source, PropensitySource::Estimated);
            // At 1 the second, known with weights 1 / .995 and 2, never rare.
            let found = support_at(truth, router, weight(1.0)).expect("choices");
            let w = [1.0 / 0.995, 2.0_f64];
            let expected = (w[0] + w[1]).powi(2) / (w[0] * w[0] + w[1] * w[1]);
            assert!((found.effective_prompts - expected).abs() < 1e-12);
            assert_eq!(found.low_share, 0.0);
        });
    }

    #[test]
    fn the_least_along_a_curve_is_of_both_numbers() {
        check(|truth, router| {
            let curve = router.curve(truth).expect("a curve");
            let least = least_support(truth, router, &curve).expect("support");
            let least = least.expect("a router with settings");
            // Of the four prompts the last leaves the first LLM first: then the choices of weights 2, 4 and 2 are known.
            assert_eq!(least.low_share, 0.25);
            let ends = [0.0, 1.0].map(|lambda| {
                let at = support_at(truth, router, weight(lambda));
                at.expect("choices").effective_prompts
            });
            assert!(least.effective_prompts <= ends[0].min(ends[1]) + 1e-12);
            assert!(least.effective_prompts >= 1.0);
            assert_eq!(least_support(truth, Router::Zero, &curve), Ok(None));
        });
    }

    #[test]
    fn a_pair_goes_by_its_threshold() {
        check(|truth, _| {
            let router = Router::Pair {
                pair: PairIdx { small: 1, large: 0 },
                small_win_probability: &[0.2, 0.4, 0.6, f32::NAN],
            };
            // Large, small, small: known with weights 2 and 1 / .995; the last has no choice.
            let found = support_at(truth, router, Setting::Threshold(0.4)).expect("choices");
            assert_eq!(found.n_prompts, 3);
            let w = [2.0_f64, 1.0 / 0.995];
            let expected = (w[0] + w[1]).powi(2) / (w[0] * w[0] + w[1] * w[1]);
            assert!((found.effective_prompts - expected).abs() < 1e-12);
            let other = support_at(truth, router, weight(0.5));
            assert_eq!(other, Err(Error::NothingToSet));
        });
    }
}
