use dataset::Price;
use rand::Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::config::{Config, FamilyConfig, ModelConfig};

/// The truth behind the scores and the lengths of answers.
///
/// ```text
/// d        difficulty of a prompt within its family f, in [0, 1]; a function of the prompt's text
/// b        low_f + (high_f - low_f) d                                  difficulty on the scale of abilities
/// p        guess_f + (1 - guess_f) sigmoid(a (ability_mf - b))         expected score of LLM m
/// score    Binomial(steps_f, p) / steps_f
///
/// L        verbosity_m (short_f + (long_f - short_f) d) + reasoning_m reasoning_f d     expected output tokens
/// tokens   1 + floor(X + U),  X lognormal with mean L - 1 and log-deviation sigma_m,  U uniform in [0, 1)
/// cost     input tokens x price + output tokens x price
/// ```
///
/// `E[floor(X + U)] = E[X]`, so the expected tokens are L exactly, and the expected cost is linear in them. Draws of LLMs are
/// independent given the prompt; what they share is the prompt's difficulty.
#[derive(Debug)]
pub(crate) struct Latent<'a> {
    config: &'a Config,
    prices: Vec<Price>,
}

/// What one LLM does on one prompt: what is expected of it, or what was drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Answer {
    /// In [0, 1].
    pub(crate) score: f64,
    pub(crate) n_input_tokens: u32,
    /// A whole number where it was drawn.
    pub(crate) n_output_tokens: f64,
    pub(crate) cost_usd: f64,
}

impl<'a> Latent<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        Self {
            config,
            prices: config.models.iter().map(ModelConfig::price).collect(),
        }
    }

    /// Expectations of an LLM on a prompt with this number of word pieces.
    pub(crate) fn expected(
        &self,
        model_idx: usize,
        family: &FamilyConfig,
        difficulty: f64,
        n_pieces: usize,
    ) -> Answer {
        let model = &self.config.models[model_idx];
        let ability = model.ability[&family.family];
        let [low, high] = family.difficulty;
        let margin = ability - interpolate(low, high, difficulty);
        let score =
            family.guess + (1.0 - family.guess) * sigmoid(self.config.discrimination * margin);
        let [short, long] = family.answer_tokens;
        let n_output_tokens = model.verbosity * interpolate(short, long, difficulty)
            + model.reasoning_tokens * family.reasoning * difficulty;
        let n_input_tokens =
            model.template_tokens + (model.tokens_per_piece * n_pieces as f64).round() as u32;
        let price = &self.prices[model_idx];
        let cost_usd = price.cost_usd(f64::from(n_input_tokens), n_output_tokens);
        Answer {
            score,
            n_input_tokens,
            n_output_tokens,
            cost_usd,
        }
    }

    /// Draws what an LLM does, given its expectations.
    pub(crate) fn draw(
        &self,
        model_idx: usize,
        family: &FamilyConfig,
        expected: Answer,
        rng: &mut impl Rng,
    ) -> Answer {
        let score = draw_score(family.score_steps, expected.score, rng);
        let sigma = self.config.models[model_idx].length_sigma;
        let n_output_tokens = draw_length(expected.n_output_tokens, sigma, rng);
        let n_input_tokens = expected.n_input_tokens;
        Answer {
            score,
            n_input_tokens,
            n_output_tokens,
            cost_usd: self.prices[model_idx].cost_usd(f64::from(n_input_tokens), n_output_tokens),
        }
    }
}

/// A score in so many steps, whose mean is `expected`.
pub(crate) fn draw_score(n_steps: u32, expected: f64, rng: &mut impl Rng) -> f64 {
    // Drawn one by one, which for a few steps is as fast as a binomial sampler.
    let n_won = (0..n_steps).filter(|_| rng.random_bool(expected)).count();
    n_won as f64 / f64::from(n_steps)
}

/// A whole number of tokens, whose mean is `expected` and the deviation of whose logarithm is about `sigma`.
pub(crate) fn draw_length(expected: f64, sigma: f64, rng: &mut impl Rng) -> f64 {
    let normal: f64 = StandardNormal.sample(rng);
    // A lognormal has mean exp(mu + sigma^2 / 2).
    let length = (expected - 1.0) * (sigma * normal - sigma * sigma / 2.0).exp();
    // An answer has at least one token. A uniform number before rounding down keeps the mean, which plain rounding would not.
    1.0 + (length + rng.random::<f64>()).floor()
}

/// How many pieces a tokenizer might cut a text into: six letters, three digits, or one other sign each.
pub(crate) fn n_pieces(text: &str) -> usize {
    // A real tokenizer would be a download, and only the length matters: input costs have to grow with the text.
    let (mut n_pieces, mut n_letters, mut n_digits) = (0, 0_usize, 0_usize);
    // Pieces are counted per run of one kind, as a tokenizer does not join letters with digits.
    let mut finish_run = |n_letters: &mut usize, n_digits: &mut usize| {
        n_pieces += n_letters.div_ceil(6) + n_digits.div_ceil(3);
        (*n_letters, *n_digits) = (0, 0);
    };
    let mut n_signs = 0;
    for char in text.chars() {
        if char.is_alphabetic() {
            n_letters += 1;
            continue;
        }
        if char.is_numeric() {
            n_digits += 1;
            continue;
        }
        finish_run(&mut n_letters, &mut n_digits);
        n_signs += usize::from(char != ' ');
    }
    finish_run(&mut n_letters, &mut n_digits);
    n_pieces + n_signs
}

fn interpolate(low: f64, high: f64, at: f64) -> f64 {
    low + (high - low) * at
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::config::tests::built_in;

    #[test]
    fn pieces_are_counted() {
        for (text, expected) in [
            ("", 0),
            ("a", 1),
            ("strawberry", 2),
            ("1,234", 3),
            ("Add 12 and 3456.", 6),
            ("a\nb", 3),
        ] {
            assert_eq!(n_pieces(text), expected, "{text:?}");
        }
    }

    #[test]
    fn means_of_many_draws_are_the_expectations() {
        const N_DRAWS: u32 = 40_000;
        // Five standard errors: a chance of about one in a million per comparison.
        const N_ERRORS: f64 = 5.0;
        let config = built_in();
        let latent = Latent::new(&config);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (m, model) in config.models.iter().enumerate() {
            for family in &config.families {
                let expected = latent.expected(m, family, 0.6, 50);
                let (mut score, mut tokens, mut cost) = (0.0, 0.0, 0.0);
                for _ in 0..N_DRAWS {
                    let drawn = latent.draw(m, family, expected, &mut rng);
                    assert!(drawn.n_output_tokens >= 1.0 && (0.0..=1.0).contains(&drawn.score));
                    score += drawn.score / f64::from(N_DRAWS);
                    tokens += drawn.n_output_tokens / f64::from(N_DRAWS);
                    cost += drawn.cost_usd / f64::from(N_DRAWS);
                }
                let n = f64::from(N_DRAWS);
                let score_error = (expected.score * (1.0 - expected.score) / n).sqrt();
                // Variance of the lognormal, and at most 1/4 of the rounding.
                let sigma2 = model.length_sigma * model.length_sigma;
                let variance = (expected.n_output_tokens - 1.0).powi(2) * sigma2.exp_m1() + 0.25;
                let tokens_error = (variance / n).sqrt();
                let cost_error = tokens_error * model.output_usd_per_mtok / 1e6;
                let name = (&model.name, family.family);
                assert!(
                    (score - expected.score).abs() < N_ERRORS * score_error,
                    "{name:?}: {score} {expected:?}"
                );
                assert!(
                    (tokens - expected.n_output_tokens).abs() < N_ERRORS * tokens_error,
                    "{name:?}: {tokens} {expected:?}"
                );
                assert!(
                    (cost - expected.cost_usd).abs() < N_ERRORS * cost_error + 1e-12,
                    "{name:?}: {cost} {expected:?}"
                );
            }
        }
    }

    #[test]
    fn harder_prompts_score_lower_and_cost_more() {
        let config = built_in();
        let latent = Latent::new(&config);
        for m in 0..config.models.len() {
            for family in &config.families {
                let easy = latent.expected(m, family, 0.0, 50);
                let hard = latent.expected(m, family, 1.0, 50);
                assert!(
                    easy.score > hard.score && easy.cost_usd < hard.cost_usd,
                    "{m} {:?}",
                    family.family
                );
            }
        }
    }
}
