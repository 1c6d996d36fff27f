use dataset::Sketch;
use evaluation::choice::COST_MULTIPLIER;
use serde::Serialize;

use crate::{Error, Result};

/// Which LLM should answer a prompt, and why. As JSON, a line of `carrot-router route --json`; what is unknown is null there.
///
/// ```text
/// selected = argmax_m utility[m]
/// utility  = (1 - mu) * score - mu * 100 * cost_usd
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// The prompt.
    pub prompt: String,
    /// The name of the chosen LLM.
    pub selected: String,
    /// Its position in `models`.
    #[serde(skip)]
    pub selected_idx: usize,
    /// The weight of cost, in [0, 1].
    pub mu: f64,
    /// Whether the predictor saw only the beginning of the prompt. Its input tokens are counted to the end nevertheless.
    pub truncated: bool,
    /// Whether the router's choices depend on the prompt, see [`crate::CarrotRouter::routes`].
    pub routes: bool,
    /// How many shards of the router's index did not answer: the neighbors are those of the others. Left out of the JSON where none was missing.
    #[serde(skip_serializing_if = "is_zero")]
    pub shards_missing: u32,
    /// The sketch of the prompt's embedding, for a router that predicts from one, by which [`dataset::Confusions`] finds prompts that look alike
    /// to the router.
    #[serde(skip)]
    pub sketch: Option<Sketch>,
    /// All LLMs, in the saved router's order.
    pub models: Vec<Candidate>,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// What is expected of one LLM for one prompt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The predicted score, in [0, 1]; as far as a learner keeps to it; NaN where it is unknown.
    pub score: f32,
    /// The input tokens that it is expected to bill.
    pub input_tokens: usize,
    /// How they are known.
    pub input_tokens_from: TokenSource,
    /// The predicted length of the answer, at least 0, where the router predicts it.
    pub output_tokens: Option<f32>,
    /// The expected cost in US dollars.
    pub cost_usd: f64,
    /// What the rule compares; NaN for an LLM that cannot be chosen.
    pub utility: f64,
}

/// How an LLM's input tokens are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenSource {
    /// The request said so.
    Given,
    /// Counted, and turned into what the LLM bills by the line that was fitted on the train part, see [`saved_routers::TokenLines`].
    Fitted,
    /// The prompt's text, counted by the LLM's own tokenizer.
    OwnTokenizer,
    /// The prompt's text, counted by a stand-in for it.
    StandIn,
}

/// Refuses a weight of cost outside [0, 1], and NaN.
///
/// # Errors
/// [`Error::BadMu`].
pub fn check_mu(mu: f64) -> Result<()> {
    // A range contains no NaN, so NaN is refused too.
    match (0.0..=1.0).contains(&mu) {
        true => Ok(()),
        false => Err(Error::BadMu { mu }),
    }
}

/// What the rule compares, with mu as the weight of cost: [`evaluation::choice::utility`].
pub(crate) fn utility(score: f32, cost_usd: f64, mu: f64) -> f64 {
    // In f64, as evaluation computes curves: an LLM that wins there at some mu must win here at the same one.
    evaluation::choice::utility(f64::from(score), cost_usd, mu, COST_MULTIPLIER)
}

/// The position of the LLM that the rule chooses: ties go to the lowest; an LLM with an unknown score or cost is never chosen.
pub(crate) fn choose(models: &[Candidate], mu: f64) -> Option<usize> {
    // Not by comparing the candidates' utilities here: who wins a tie, and that unknowns lose, is evaluation's rule.
    let scores: Vec<f32> = models.iter().map(|model| model.score).collect();
    let costs: Vec<f64> = models.iter().map(|model| model.cost_usd).collect();
    evaluation::choice::choose(&scores, &costs, mu, COST_MULTIPLIER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(predicted: &[(f32, f64)], mu: f64) -> Vec<Candidate> {
        let candidate = |&(score, cost_usd)| Candidate {
            name: String::new(),
            score,
            input_tokens: 0,
            input_tokens_from: TokenSource::StandIn,
            output_tokens: None,
            cost_usd,
            utility: utility(score, cost_usd, mu),
        };
        predicted.iter().map(candidate).collect()
    }

    #[test]
    fn the_rule_chooses() {
        let nan = f32::NAN;
        for (what, predicted, mu, expected) in [
            ("scores only", &[(0.5, 0.0), (0.9, 9.0)][..], 0.0, Some(1)),
            ("costs only", &[(0.9, 0.2), (0.1, 0.1)], 1.0, Some(1)),
            // 0.45 - 0.5 * 100 * 0.004 = 0.25 against 0.25 - 0.005 = 0.245, then 0.45 - 0.25 = 0.2.
            (
                "just worth it",
                &[(0.5, 0.0001), (0.9, 0.004)],
                0.5,
                Some(1),
            ),
            ("too dear", &[(0.5, 0.0001), (0.9, 0.005)], 0.5, Some(0)),
            ("ties", &[(0.1, 0.1), (0.5, 0.1), (0.5, 0.1)], 0.3, Some(1)),
            ("unknown score", &[(nan, 0.0), (0.1, 1.0)], 1.0, Some(1)),
            ("unknown cost", &[(0.9, f64::NAN), (0.1, 1.0)], 0.0, Some(1)),
            ("nothing known", &[(nan, 0.0)], 0.5, None),
            ("no LLM", &[], 0.5, None),
        ] {
            let models = candidates(predicted, mu);
            let chosen = choose(&models, mu);
            assert_eq!(chosen, expected, "{what}");
            if let Some(chosen) = chosen {
                let best = models.iter().map(|model| model.utility);
                let best = best.fold(f64::NEG_INFINITY, f64::max);
                assert_eq!(models[chosen].utility, best, "{what}");
            }
        }
    }

    #[test]
    fn mu_is_in_the_unit_interval() {
        for mu in [0.0, 0.3, 1.0] {
            assert!(check_mu(mu).is_ok(), "{mu}");
        }
        for mu in [-0.1, 1.000_001, f64::NAN, f64::INFINITY] {
            assert!(matches!(check_mu(mu), Err(Error::BadMu { .. })), "{mu}");
        }
    }
}
