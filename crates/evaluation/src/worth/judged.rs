use dataset::worth::utility;
use ndarray::ArrayView2;

use crate::{Truth, sum::mean};

/// One repeat at one worth.
pub(super) struct Judged {
    /// Whom each prompt goes to with the router, and without; `None` for a prompt that is left out.
    pub(super) routed_model: Vec<Option<usize>>,
    pub(super) constant_model: Vec<Option<usize>>,
    pub(super) gain: Vec<f64>,
    /// True score and cost of both.
    pub(super) routed: (Vec<f64>, Vec<f64>),
    pub(super) constant: (Vec<f64>, Vec<f64>),
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
        let mut both: Vec<(f64, f64)> = vec![(f64::NAN, f64::NAN); n_prompts];
        for i in 0..n_prompts {
            let Some(constant) = constants[i] else {
                continue;
            };
            let true_utilities: Vec<f64> = utilities(truth.views(), i, worth_usd).collect();
            if true_utilities.iter().all(|utility| utility.is_nan()) {
                continue;
            }
            if let Some(routed) = routed(i) {
                routed_model[i] = Some(routed);
                constant_model[i] = Some(constant);
                both[i] = (true_utilities[routed], true_utilities[constant]);
            }
        }
        let outcome = |chosen: &[Option<usize>]| -> (Vec<f64>, Vec<f64>) {
            let (scores, costs) = truth.views();
            let of_prompt = |(i, model_idx): (usize, &Option<usize>)| {
                model_idx.map_or((f64::NAN, f64::NAN), |m| {
                    (f64::from(scores[[i, m]]), costs[[i, m]])
                })
            };
            chosen.iter().enumerate().map(of_prompt).unzip()
        };
        Self {
            gain: gains_of(&routed_model, &constant_model, &both),
            routed: outcome(&routed_model),
            constant: outcome(&constant_model),
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

/// Each prompt's part in the gain, from the two choices and their true utilities.
fn gains_of(
    routed: &[Option<usize>],
    constant: &[Option<usize>],
    utilities: &[(f64, f64)],
) -> Vec<f64> {
    let differs = |i: usize| routed[i] != constant[i];
    let differing: Vec<usize> = (0..routed.len()).filter(|&i| differs(i)).collect();
    let side = |of: &dyn Fn(&(f64, f64)) -> f64| {
        let known = differing.iter().map(|&i| of(&utilities[i]));
        let known: Vec<f64> = known.filter(|utility| !utility.is_nan()).collect();
        let share = known.len() as f64 / differing.len() as f64;
        (mean(known).unwrap_or(f64::NAN), share)
    };
    let (mean_routed, share_routed) = side(&|pair| pair.0);
    let (mean_constant, share_constant) = side(&|pair| pair.1);
    let is_unknown = !differing.is_empty() && (mean_routed - mean_constant).is_nan();
    let all_known = share_routed == 1.0 && share_constant == 1.0;
    let part = |utility: f64, mean: f64, share: f64| {
        if utility.is_nan() {
            0.0
        } else {
            (utility - mean) / share
        }
    };
    (0..routed.len())
        .map(|i| match (routed[i], constant[i]) {
            (None, _) | (_, None) => f64::NAN,
            _ if is_unknown => f64::NAN,
            (Some(routed), Some(constant)) if routed == constant => 0.0,
            // Not by the formula below, which rounds.
            _ if all_known => utilities[i].0 - utilities[i].1,
            _ => {
                mean_routed - mean_constant + part(utilities[i].0, mean_routed, share_routed)
                    - part(utilities[i].1, mean_constant, share_constant)
            }
        })
        .collect()
}
