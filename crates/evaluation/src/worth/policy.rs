use serde::Serialize;

use crate::{
    Error, Predicted, Result, Truth,
    interval::check_level,
    sum::{Sum, mean},
    worth::{
        estimate::{Estimate, Spread, dense},
        pseudo::PseudoOutcomes,
    },
};

/// Whom a policy sends each prompt to; `None` leaves the prompt out.
pub type PolicyChoices = Vec<Option<usize>>;

/// What a policy earns, see [`policy_values`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyValue {
    /// Prompts that it is judged by.
    pub n_prompts: usize,
    /// Those of them whose choice is known.
    pub n_known: usize,
    /// `(sum of w)^2 / sum of w^2` over those: as many prompts of equal weight would say as much.
    pub effective_prompts: f64,
    /// The mean score of its choices.
    pub score: Estimate,
    /// Their mean cost in US dollars.
    pub cost_usd: Estimate,
    /// By how much the first policy's score exceeds this one's, over the prompts that judge both.
    pub first_exceeds_score: Estimate,
    /// The same of its cost.
    pub first_exceeds_cost_usd: Estimate,
}

/// What is asked of [`policy_values`] beside truth and policies.
#[derive(Debug, Clone, Copy)]
pub struct PolicySettings<'a> {
    /// Prompts with the same number belong together; `None`: each stands alone.
    pub groups: Option<&'a [usize]>,
    /// Level of confidence of the intervals.
    pub level: f64,
}

/// What policies earn that were fixed before the prompts came, each by one choice per prompt, and by how much the first exceeds the others: from a
/// log in which of each prompt only the LLM is known that was asked, with the probability of that.
///
/// ```text
/// known alone         sum of w s / sum of w             over prompts whose choice is known; s its score or cost, w = 1 / propensity
/// with predictions    mean of phi                       over all prompts that are judged; phi as of doubly_robust_gains
/// ```
///
/// A prompt is judged where anything of it is known, as elsewhere in this crate. Without predictions the estimator is the self-normalized one (Hajek
/// 1971; Swaminathan and Joachims 2015), with them the doubly robust one (Dudik, Langford and Li 2011), for predictions by a router that was
/// fitted on other prompts. Standard errors are of the estimators' influences: `w (s - m) / mean of w`, and `phi - m`. A policy of which no choice
/// is known has no value, whatever was predicted of it.
///
/// # Errors
/// [`Error::BadLevel`]; [`Error::Shape`] for predictions, choices or groups of another number of prompts; [`Error::NoSuchModel`] for a choice beyond
/// the last LLM.
pub fn policy_values(
    truth: &Truth<'_>,
    predicted: Option<&Predicted<'_>>,
    policies: &[PolicyChoices],
    settings: PolicySettings<'_>,
) -> Result<Vec<PolicyValue>> {
    check_level(settings.level)?;
    if let Some(predicted) = predicted {
        truth.check_fits(predicted)?;
    }
    let n_prompts = truth.n_prompts();
    let lengths = policies.iter().map(Vec::len);
    for length in lengths.chain(settings.groups.map(<[usize]>::len)) {
        if length != n_prompts {
            return Err(Error::Shape {
                what: "choices or groups",
                expected: (n_prompts, 1),
                found: (length, 1),
            });
        }
    }
    for choice in policies.iter().flatten().copied().flatten() {
        truth.check_model(choice)?;
    }
    let groups = settings.groups.map(dense);
    let judge = Judge {
        truth,
        pseudo: predicted.map(|predicted| PseudoOutcomes::new(truth, predicted, |_| true)),
        spread: Spread {
            groups: groups.as_deref(),
            level: settings.level,
            inflation: 1.0,
        },
    };
    let value = |policy: &PolicyChoices| judge.value(policy, &policies[0]);
    Ok(policies.iter().map(value).collect())
}

struct Judge<'a, 't> {
    truth: &'a Truth<'t>,
    pseudo: Option<PseudoOutcomes>,
    spread: Spread<'a>,
}

/// A mean and, of each prompt, by how much it moves it; NaN of prompts that do not judge.
struct Influence {
    value: f64,
    deviations: Vec<f64>,
}

#[derive(Clone, Copy)]
enum Outcome {
    Score,
    Cost,
}

impl Judge<'_, '_> {
    fn value(&self, policy: &PolicyChoices, first: &PolicyChoices) -> PolicyValue {
        let choices = self.judged(policy, policy);
        let weights: Vec<f64> = (choices.iter().enumerate())
            .filter_map(|(i, choice)| {
                let model_idx = (*choice)?;
                self.truth.get(i, model_idx)?;
                Some(self.truth.propensities().weight(i, model_idx))
            })
            .collect();
        let sum: Sum = weights.iter().copied().collect();
        let squares: Sum = weights.iter().map(|weight| weight * weight).collect();
        let estimate = |outcome| {
            let of = self.influence(&choices, outcome);
            self.estimate(of.value, &of.deviations)
        };
        // Over the prompts that judge both.
        let (own, others) = (self.judged(policy, first), self.judged(first, policy));
        let exceeds = |outcome| {
            let [first, this] = [&others, &own].map(|it| self.influence(it, outcome));
            let deviations = first.deviations.iter().zip(&this.deviations);
            let deviations: Vec<f64> = deviations.map(|(a, b)| a - b).collect();
            self.estimate(first.value - this.value, &deviations)
        };
        PolicyValue {
            n_prompts: choices.iter().flatten().count(),
            n_known: weights.len(),
            effective_prompts: match weights.is_empty() {
                true => 0.0,
                false => sum.value().powi(2) / squares.value(),
            },
            score: estimate(Outcome::Score),
            cost_usd: estimate(Outcome::Cost),
            first_exceeds_score: exceeds(Outcome::Score),
            first_exceeds_cost_usd: exceeds(Outcome::Cost),
        }
    }

    /// The choices of a policy on prompts that judge both it and another.
    fn judged(&self, policy: &PolicyChoices, other: &PolicyChoices) -> PolicyChoices {
        (policy.iter().zip(other).enumerate())
            .map(|(i, (choice, other))| {
                let is_predicted = |model_idx: usize| match &self.pseudo {
                    Some(pseudo) => pseudo.get(i, model_idx).is_some(),
                    None => true,
                };
                let (model_idx, other) = ((*choice)?, (*other)?);
                let judges =
                    self.truth.is_scored(i) && is_predicted(model_idx) && is_predicted(other);
                judges.then_some(model_idx)
            })
            .collect()
    }

    fn influence(&self, choices: &PolicyChoices, outcome: Outcome) -> Influence {
        let known = |i: usize, choice: Option<usize>| {
            let model_idx = choice?;
            let (score, cost_usd) = self.truth.get(i, model_idx)?;
            let weight = self.truth.propensities().weight(i, model_idx);
            Some((weight, outcome.of(score, cost_usd)))
        };
        let all = || choices.iter().enumerate();
        let is_known = all().any(|(i, &choice)| known(i, choice).is_some());
        if let (Some(pseudo), true) = (&self.pseudo, is_known) {
            let phi: Vec<f64> = all()
                .map(|(i, choice)| {
                    let outcomes = choice.and_then(|model_idx| pseudo.get(i, model_idx));
                    outcomes.map_or(f64::NAN, |(score, cost_usd)| outcome.of(score, cost_usd))
                })
                .collect();
            let judged = phi.iter().copied().filter(|phi| !phi.is_nan());
            let value = mean(judged).unwrap_or(f64::NAN);
            return Influence {
                value,
                deviations: phi.iter().map(|phi| phi - value).collect(),
            };
        }
        let [mut weights, mut sum] = [Sum::default(); 2];
        for (weight, s) in all().filter_map(|(i, &choice)| known(i, choice)) {
            weights.add(weight);
            sum.add(weight * s);
        }
        // 0 / 0 is NaN: unknown.
        let value = sum.value() / weights.value();
        let mean_weight = weights.value() / choices.iter().flatten().count() as f64;
        let deviations = all().map(|(i, &choice)| match known(i, choice) {
            Some((weight, s)) => weight * (s - value) / mean_weight,
            None if choice.is_some() => 0.0,
            None => f64::NAN,
        });
        Influence {
            value,
            deviations: deviations.collect(),
        }
    }

    fn estimate(&self, value: f64, deviations: &[f64]) -> Estimate {
        match value.is_nan() {
            true => Estimate::UNKNOWN,
            false => self.spread.of_deviations(value, deviations),
        }
    }
}

impl Outcome {
    fn of(self, score: f64, cost_usd: f64) -> f64 {
        match self {
            Self::Score => score,
            Self::Cost => cost_usd,
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::Propensities;

    const LEVEL: f64 = 0.95;

    fn settings() -> PolicySettings<'static> {
        PolicySettings {
            groups: None,
            level: LEVEL,
        }
    }

    /// A world in which hard prompts are drawn to the LLM that does badly on them: what an average over known scores gets wrong.
    struct World {
        /// Expectations.
        scores: Array2<f32>,
        logged: Array2<f32>,
        costs: Array2<f64>,
        propensities: Array2<f64>,
    }

    fn world(n: usize, seed: u64) -> World {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let shape = (n, 2);
        let mut world = World {
            scores: Array2::zeros(shape),
            logged: Array2::from_elem(shape, f32::NAN),
            costs: Array2::from_elem(shape, f64::NAN),
            propensities: Array2::zeros(shape),
        };
        for i in 0..n {
            let hardness: f32 = rng.random();
            let expected = [0.9 - 0.8 * hardness, 0.6];
            // The log's policy sends hard prompts to LLM 0 with a probability of .8.
            let first = if hardness > 0.5 { 0.8 } else { 0.2 };
            let chosen = usize::from(rng.random::<f64>() >= first);
            for (m, score) in expected.into_iter().enumerate() {
                world.scores[[i, m]] = score;
                world.propensities[[i, m]] = if m == 0 { first } else { 1.0 - first };
            }
            world.logged[[i, chosen]] = f32::from(u8::from(rng.random::<f32>() < expected[chosen]));
            world.costs[[i, chosen]] = [0.001, 0.002][chosen];
        }
        world
    }

    #[test]
    fn a_log_judges_policies_that_were_not_followed() {
        let n = 4000;
        let always = |m| vec![Some(m); n];
        let mut n_held = [0; 2];
        for seed in 0..40 {
            let world = world(n, seed);
            let recorded = Propensities::recorded(world.propensities.clone()).expect("they are");
            let truth = Truth::with_propensities(world.logged.view(), world.costs.view(), recorded);
            let truth = truth.expect("a truth");
            // Predictions that are wrong by a constant, which the known scores correct.
            let guess = world.scores.mapv(|score| score - 0.2);
            let costs = Array2::from_elem((n, 2), 0.005);
            let predicted = Predicted::new(guess.view(), costs.view()).expect("predictions");
            let expected = world
                .scores
                .column(0)
                .mapv(f64::from)
                .mean()
                .expect("prompts");
            for (idx, predicted) in [None, Some(&predicted)].into_iter().enumerate() {
                let policies = [always(1), always(0)];
                let found =
                    policy_values(&truth, predicted, &policies, settings()).expect("judged");
                let score = &found[1].score;
                n_held[idx] += u32::from(score.low <= expected && expected <= score.high);
                // LLM 0 is worth .5, and five standard errors are less than .1; the mean of what is known of it is .38.
                assert!((score.value - 0.5).abs() < 0.1, "{score:?}");
                assert!((found[1].cost_usd.value - 0.001).abs() < 1e-9, "{found:?}");
                assert!((found[1].first_exceeds_score.value - 0.1).abs() < 0.12);
                assert!((found[1].first_exceeds_cost_usd.value - 0.001).abs() < 1e-9);
                assert_eq!(found[0].first_exceeds_score.value, 0.0);
                assert_eq!(found[1].n_prompts, n);
                assert!(found[1].effective_prompts < found[1].n_known as f64);
            }
            // With good ones intervals are narrower: variances of .67 and .78 by this world's formula.
            let good = Predicted::new(world.scores.view(), costs.view()).expect("predictions");
            let width = |predicted| {
                let found = policy_values(&truth, predicted, &[always(0)], settings());
                found.expect("judged")[0].score.standard_error
            };
            assert!(width(Some(&good)) < width(None));
        }
        // Of 40 intervals of 95% fewer than 34 hold with a probability of .005.
        assert!(n_held.iter().all(|&n| n >= 34), "{n_held:?}");
    }

    #[test]
    fn what_was_followed_is_a_plain_mean() {
        let scores = array![
            [1.0, f32::NAN],
            [f32::NAN, 0.5],
            [0.0, f32::NAN],
            [f32::NAN, f32::NAN]
        ];
        let costs = scores.mapv(f64::from);
        let ones = Propensities::recorded(Array2::ones((4, 2))).expect("ones");
        let truth = Truth::with_propensities(scores.view(), costs.view(), ones).expect("a truth");
        let served = vec![Some(0), Some(1), Some(0), Some(1)];
        let found = policy_values(&truth, None, &[served], settings()).expect("judged")[0];
        assert_eq!((found.n_prompts, found.n_known), (3, 3));
        assert_eq!((found.score.value, found.effective_prompts), (0.5, 3.0));
        // Of 1, .5 and 0 the standard deviation is .5.
        let expected = 0.5 / 3.0_f64.sqrt();
        assert!(
            (found.score.standard_error - expected).abs() < 1e-12,
            "{found:?}"
        );
        // In one group with another, a prompt says nothing of its own.
        let groups = PolicySettings {
            groups: Some(&[7, 7, 7, 7]),
            level: LEVEL,
        };
        let policy = vec![Some(0), Some(1), Some(0), None];
        let found = policy_values(&truth, None, &[policy], groups).expect("judged")[0];
        assert!(found.score.standard_error.is_nan() && found.score.value == 0.5);
    }

    #[test]
    fn a_policy_of_which_nothing_is_known_has_no_value() {
        let scores = array![[1.0, f32::NAN], [0.0, f32::NAN]];
        let costs = scores.mapv(f64::from);
        let ones = Propensities::recorded(Array2::ones((2, 2))).expect("ones");
        let truth = Truth::with_propensities(scores.view(), costs.view(), ones).expect("a truth");
        let guess = array![[0.5_f32, 0.5], [0.5, 0.5]];
        let guessed_costs = guess.mapv(f64::from);
        let predicted = Predicted::new(guess.view(), guessed_costs.view()).expect("predictions");
        for predicted in [None, Some(&predicted)] {
            let policies = [vec![Some(0); 2], vec![Some(1); 2], vec![None; 2]];
            let found = policy_values(&truth, predicted, &policies, settings()).expect("judged");
            assert_eq!(found[0].score.value, 0.5);
            for none in &found[1..] {
                assert!(none.score.value.is_nan() && none.first_exceeds_score.value.is_nan());
                assert_eq!((none.n_known, none.effective_prompts), (0, 0.0));
            }
        }
        let short = policy_values(&truth, None, &[vec![Some(0)]], settings());
        assert!(matches!(short, Err(Error::Shape { .. })));
        let beyond = policy_values(&truth, None, &[vec![Some(2); 2]], settings());
        assert!(beyond.is_err());
        let level = PolicySettings {
            groups: None,
            level: 1.0,
        };
        assert!(policy_values(&truth, None, &[], level).is_err());
        assert_eq!(policy_values(&truth, None, &[], settings()), Ok(Vec::new()));
    }
}
