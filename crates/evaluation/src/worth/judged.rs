use dataset::worth::utility;
use ndarray::ArrayView2;

use crate::{Truth, candidates::Answer, sum::Sum};

/// One repeat at one worth.
pub(super) struct Judged {
    /// Whom each prompt goes to with the router, and without; `None` for a prompt that is left out.
    pub(super) routed_model: Vec<Option<usize>>,
    pub(super) constant_model: Vec<Option<usize>>,
    pub(super) gain: Vec<f64>,
    /// What comes of both.
    pub(super) routed: Outcomes,
    pub(super) constant: Outcomes,
}

/// What comes of one choice per prompt.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcomes {
    /// True score; NaN for unknown.
    pub(super) score: Vec<f64>,
    /// True cost in US dollars; NaN for unknown.
    pub(super) cost_usd: Vec<f64>,
    /// For how many prompts it stands, see [`crate::Propensities`]; 0 where it is unknown.
    pub(super) weight: Vec<f64>,
}

impl Outcomes {
    fn of(truth: &Truth<'_>, chosen: &[Option<usize>]) -> Self {
        let n = chosen.len();
        let mut this = Self {
            score: vec![f64::NAN; n],
            cost_usd: vec![f64::NAN; n],
            weight: vec![0.0; n],
        };
        for (i, model_idx) in chosen.iter().enumerate() {
            let answer = model_idx.map(|model_idx| truth.answer(i, model_idx));
            if let Some(answer) = answer.filter(Answer::is_known) {
                this.score[i] = answer.score;
                this.cost_usd[i] = answer.cost;
                this.weight[i] = answer.weight;
            }
        }
        this
    }

    /// Each prompt's means over repeats: of its scores and costs by their weights, of its weight over the repeats that judge it.
    pub(super) fn mean_of(
        repeats: &[Judged],
        of_repeat: impl Fn(&Judged) -> (&Self, &[Option<usize>]),
    ) -> Self {
        let n_prompts = repeats.first().map_or(0, |judged| judged.gain.len());
        let mut this = Self {
            score: Vec::with_capacity(n_prompts),
            cost_usd: Vec::with_capacity(n_prompts),
            weight: Vec::with_capacity(n_prompts),
        };
        for i in 0..n_prompts {
            let [mut weights, mut score, mut cost] = [Sum::default(); 3];
            let mut n_judged = 0_usize;
            for judged in repeats {
                let (outcomes, chosen) = of_repeat(judged);
                n_judged += usize::from(chosen[i].is_some());
                let weight = outcomes.weight[i];
                if weight > 0.0 {
                    weights.add(weight);
                    score.add(weight * outcomes.score[i]);
                    cost.add(weight * outcomes.cost_usd[i]);
                }
            }
            let weight = weights.value();
            // 0 / 0 is NaN: unknown.
            this.score.push(score.value() / weight);
            this.cost_usd.push(cost.value() / weight);
            this.weight.push(match n_judged {
                0 => 0.0,
                n => weight / n as f64,
            });
        }
        this
    }

    /// The weighted mean of one number per prompt over some prompts; NaN where none of them is known.
    pub(super) fn mean(&self, of_prompts: &[f64], is_in: impl Fn(usize) -> bool) -> f64 {
        let (mut weights, mut sum) = (Sum::default(), Sum::default());
        for (i, &weight) in self.weight.iter().enumerate() {
            if weight > 0.0 && is_in(i) {
                weights.add(weight);
                sum.add(weight * of_prompts[i]);
            }
        }
        sum.value() / weights.value()
    }

    /// The utility at a worth; NaN for unknown.
    fn utility(&self, prompt_idx: usize, worth_usd: f64) -> f64 {
        let (score, cost_usd) = (self.score[prompt_idx], self.cost_usd[prompt_idx]);
        utility(score, cost_usd, worth_usd)
    }
}

impl Judged {
    /// `routed` says whom the router sends a prompt to, if to anyone.
    pub(super) fn new(
        truth: &Truth<'_>,
        constants: &[Option<usize>],
        worth_usd: f64,
        routed: impl Fn(usize) -> Option<usize>,
    ) -> Self {
        let n_prompts = truth.n_prompts();
        let (mut routed_model, mut constant_model) = (vec![None; n_prompts], vec![None; n_prompts]);
        for i in (0..n_prompts).filter(|&i| truth.is_scored(i)) {
            if let (Some(constant), Some(routed)) = (constants[i], routed(i)) {
                routed_model[i] = Some(routed);
                constant_model[i] = Some(constant);
            }
        }
        let [routed, constant] = [&routed_model, &constant_model].map(|it| Outcomes::of(truth, it));
        Self {
            gain: gains_of(
                &routed_model,
                &constant_model,
                [&routed, &constant],
                worth_usd,
            ),
            routed,
            constant,
            routed_model,
            constant_model,
        }
    }
}

/// The utility of each LLM on a prompt, NaN where it is not finite: what is infinite would win or lose every comparison.
pub(super) fn utilities<'a>(
    (scores, costs): (ArrayView2<'a, f32>, ArrayView2<'a, f64>),
    prompt_idx: usize,
    worth_usd: f64,
) -> impl Iterator<Item = f64> + 'a {
    (0..scores.ncols()).map(move |model_idx| {
        let (score, cost) = (
            scores[[prompt_idx, model_idx]],
            costs[[prompt_idx, model_idx]],
        );
        let utility = utility(f64::from(score), cost, worth_usd);
        if utility.is_finite() {
            utility
        } else {
            f64::NAN
        }
    })
}

/// Each prompt's part in the gain, from the two choices and what comes of them.
fn gains_of(
    routed: &[Option<usize>],
    constant: &[Option<usize>],
    outcomes: [&Outcomes; 2],
    worth_usd: f64,
) -> Vec<f64> {
    let differs = |i: usize| routed[i] != constant[i];
    let differing: Vec<usize> = (0..routed.len()).filter(|&i| differs(i)).collect();
    let [side_routed, side_constant] = outcomes.map(|of| Side::of(of, &differing, worth_usd));
    let difference = side_routed.mean - side_constant.mean;
    let is_unknown = !differing.is_empty() && difference.is_nan();
    let all_alike = side_routed.is_plain && side_constant.is_plain;
    (0..routed.len())
        .map(|i| match (routed[i], constant[i]) {
            (None, _) | (_, None) => f64::NAN,
            _ if is_unknown => f64::NAN,
            (Some(routed), Some(constant)) if routed == constant => 0.0,
            // Not by the formula below, which rounds.
            _ if all_alike => outcomes[0].utility(i, worth_usd) - outcomes[1].utility(i, worth_usd),
            _ => difference + side_routed.deviation(i) - side_constant.deviation(i),
        })
        .collect()
}

/// One of the two choices, on the prompts where they differ.
struct Side<'a> {
    outcomes: &'a Outcomes,
    worth_usd: f64,
    /// Weighted mean utility; NaN where nothing is known.
    mean: f64,
    /// Mean weight, with 0 where the choice is unknown.
    mean_weight: f64,
    /// Whether all are known and stand for one prompt.
    is_plain: bool,
}

impl<'a> Side<'a> {
    fn of(outcomes: &'a Outcomes, differing: &[usize], worth_usd: f64) -> Self {
        let (mut weights, mut utilities) = (Sum::default(), Sum::default());
        let known = differing.iter().filter(|&&i| outcomes.weight[i] > 0.0);
        for &i in known {
            weights.add(outcomes.weight[i]);
            utilities.add(outcomes.weight[i] * outcomes.utility(i, worth_usd));
        }
        Self {
            outcomes,
            worth_usd,
            // 0 / 0 is NaN: unknown.
            mean: utilities.value() / weights.value(),
            mean_weight: weights.value() / differing.len() as f64,
            is_plain: differing.iter().all(|&i| outcomes.weight[i] == 1.0),
        }
    }

    /// By how much a prompt lifts the mean; over the prompts where the choices differ its sum is 0.
    fn deviation(&self, prompt_idx: usize) -> f64 {
        let weight = self.outcomes.weight[prompt_idx];
        if weight == 0.0 {
            return 0.0;
        }
        let utility = self.outcomes.utility(prompt_idx, self.worth_usd);
        weight * (utility - self.mean) / self.mean_weight
    }
}
