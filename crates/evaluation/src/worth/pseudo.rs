use ndarray::Array2;

use crate::{Predicted, Propensities, Result, Truth, sum::Sum};

/// An outcome for every prompt and LLM, also where nobody was asked: `phi` of [`crate::worth::doubly_robust_gains`], whose mean over the prompts of a
/// policy's choices is what the policy earns.
#[derive(Debug, Clone)]
pub(super) struct PseudoOutcomes {
    scores: Array2<f32>,
    cost_usd: Array2<f64>,
}

impl PseudoOutcomes {
    /// `is_judged` says which prompts are; the others, and those of which nothing is known, have no outcomes. Where an LLM is not predicted, because the
    /// router never chooses it, its weighted mean over the known ones among them stands for the prediction: it may still be the best constant. One that
    /// is known nowhere has no outcomes there.
    pub(super) fn new(
        truth: &Truth<'_>,
        predicted: &Predicted<'_>,
        is_judged: impl Fn(usize) -> bool,
    ) -> Self {
        let shape = (truth.n_prompts(), truth.n_models());
        let mut this = Self {
            scores: Array2::from_elem(shape, f32::NAN),
            cost_usd: Array2::from_elem(shape, f64::NAN),
        };
        let judged: Vec<usize> = (0..truth.n_prompts())
            .filter(|&prompt_idx| {
                let mut models = 0..truth.n_models();
                is_judged(prompt_idx)
                    && truth.is_scored(prompt_idx)
                    && models.any(|model_idx| predicted.get(prompt_idx, model_idx).is_some())
            })
            .collect();
        for model_idx in 0..truth.n_models() {
            let weight = |prompt_idx| truth.propensities().weight(prompt_idx, model_idx);
            let total: Sum = judged
                .iter()
                .map(|&prompt_idx| weight(prompt_idx))
                .collect();
            let scale = judged.len() as f64 / total.value();
            let mean = |of: fn((f64, f64)) -> f64| {
                let known = judged.iter().filter_map(|&prompt_idx| {
                    let known = of(truth.get(prompt_idx, model_idx)?);
                    Some(weight(prompt_idx) * known)
                });
                known.collect::<Sum>().value() / total.value()
            };
            let means = (total.value() > 0.0).then(|| (mean(|it| it.0), mean(|it| it.1)));
            for &prompt_idx in &judged {
                let at = [prompt_idx, model_idx];
                let Some((score, cost)) = predicted.get(prompt_idx, model_idx).or(means) else {
                    continue;
                };
                let known = truth.get(prompt_idx, model_idx);
                let pseudo = |predicted: f64, known: Option<f64>| match known {
                    Some(known) => predicted + scale * weight(prompt_idx) * (known - predicted),
                    None => predicted,
                };
                this.scores[at] = pseudo(score, known.map(|it| it.0)) as f32;
                this.cost_usd[at] = pseudo(cost, known.map(|it| it.1));
            }
        }
        this
    }

    /// Score and cost of one LLM on one prompt; `None` where there are none.
    pub(super) fn get(&self, prompt_idx: usize, model_idx: usize) -> Option<(f64, f64)> {
        let at = [prompt_idx, model_idx];
        let (score, cost_usd) = (f64::from(self.scores[at]), self.cost_usd[at]);
        (score.is_finite() && cost_usd.is_finite()).then_some((score, cost_usd))
    }

    /// The outcomes, as if each were known.
    pub(super) fn truth(&self) -> Result<Truth<'_>> {
        let all_known = Propensities::complete();
        Truth::with_propensities(self.scores.view(), self.cost_usd.view(), all_known)
    }
}
