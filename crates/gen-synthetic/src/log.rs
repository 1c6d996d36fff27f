//! What a log knows of the table: one LLM for each prompt, answers that nobody judged.
//!
//! Who logs production traffic asks one LLM for each prompt, and knows the scores of some of its answers. The rows are made as they are without a log,
//! so `truth/` is complete and says what any policy truly gains; then scores, tokens and costs become unknown. With M LLMs in the order of the
//! columns, numbered from 0, and f the number of a prompt's family:
//!
//! ```text
//! uniform         p_m = 1 / M
//! skewed          p_m = EVEN / M + (1 - EVEN) w_m / sum of w,    w_m = 2^-((m + f) mod M)       by topic: each family has its favorites
//! deterministic   p_m = 1 for m = f mod M, else 0                                             what others would have scored is never seen
//!
//! an LLM that is not asked has no score, tokens or cost
//! missing         with this chance nobody judged an answer, whatever it was worth
//! not at random   a score s is missing with this chance times 1 - s: of the wrong answers this share, of the right ones none
//! ```
//!
//! `<model>/propensity` is the probability that the score of an LLM is known as far as a log can tell: p_m (1 - missing), unknown where it is 0.
//! What is not missing at random is not in it: a log cannot know that, and no estimate from the log alone is then right.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use clap::ValueEnum;
use dataset::{PartTable, TablePropensities};
use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::{config::Family, rows::Chunk};

/// The part of the skewed policy that is even, so that every LLM is asked now and then on every topic.
const EVEN: f64 = 0.2;
/// Generators of a log's rows are none of those of prompts and conversations.
const FIRST_STREAM: u64 = 1 << 41;

/// Which LLM was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Policy {
    /// Any LLM with the same probability
    Uniform,
    /// By topic: each task has its favorites, every LLM is asked now and then
    Skewed,
    /// One LLM for each task, always the same
    Deterministic,
}

/// What of the table is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Log {
    /// Which LLM was asked; all were without a policy.
    pub(crate) policy: Option<Policy>,
    /// Whether the log does not say with which probability.
    pub(crate) is_unrecorded: bool,
    /// The share of the answers that nobody judged, in [0, 1).
    pub(crate) missing: f64,
    /// The share of the worthless answers that nobody judged, in [0, 1).
    pub(crate) missing_not_at_random: f64,
}

impl Policy {
    /// The probability with which each of so many LLMs is asked for a prompt of a family.
    pub(crate) fn probabilities(self, family_idx: usize, n_models: usize) -> Vec<f64> {
        let models = 0..n_models;
        match self {
            Self::Uniform => vec![1.0 / n_models as f64; n_models],
            Self::Deterministic => models
                .map(|m| f64::from(u8::from(m == family_idx % n_models)))
                .collect(),
            Self::Skewed => {
                let weights: Vec<f64> = models
                    .map(|m| 0.5_f64.powi(((m + family_idx) % n_models) as i32))
                    .collect();
                let sum: f64 = weights.iter().sum();
                let chance = |weight| EVEN / n_models as f64 + (1.0 - EVEN) * weight / sum;
                weights.into_iter().map(chance).collect()
            }
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Uniform => "drawn uniformly",
            Self::Skewed => "drawn by a policy that depends on the task",
            Self::Deterministic => "always the same for a task",
        }
    }
}

impl Log {
    /// Makes unknown what the log does not know. `rows` are the numbers of the rows, on which alone what is drawn depends, and the seed.
    pub(crate) fn mask(&self, mut chunk: Chunk, rows: &[u32], seed: u32) -> Chunk {
        if self.options().is_empty() {
            return chunk;
        }
        let (n_rows, n_models) = chunk.split.scores.dim();
        let mut propensities = Array2::from_elem((n_rows, n_models), f64::NAN);
        for (row, &number) in rows.iter().enumerate() {
            let mut rng = ChaCha8Rng::seed_from_u64(seed.into());
            rng.set_stream(FIRST_STREAM + u64::from(number));
            // Drawn whether it is needed or not, so that no option changes what another one draws.
            let at: f64 = rng.random();
            let asked = self.policy.map(|policy| {
                let probabilities = policy.probabilities(family_idx(&chunk.split, row), n_models);
                for (m, p) in probabilities.iter().enumerate() {
                    let p = p * (1.0 - self.missing);
                    propensities[(row, m)] = if p > 0.0 { p } else { f64::NAN };
                }
                drawn(&probabilities, at)
            });
            for m in 0..n_models {
                let [any, by_score] = [rng.random::<f64>(), rng.random()];
                if asked.is_some_and(|asked| asked != m) {
                    forget_answer(&mut chunk.split, row, m);
                }
                let score = f64::from(chunk.split.scores[(row, m)]);
                if any < self.missing || by_score < self.missing_not_at_random * (1.0 - score) {
                    chunk.split.scores[(row, m)] = f32::NAN;
                }
            }
        }
        if self.policy.is_some() && !self.is_unrecorded {
            chunk.split.propensities = Some(TablePropensities::recorded(propensities));
        }
        chunk
    }

    /// What decides which values are known, by the options' names.
    pub(crate) fn options(&self) -> BTreeMap<String, String> {
        let share = |share: f64| (share > 0.0).then(|| share.to_string());
        let policy = self.policy.and_then(|policy| policy.to_possible_value());
        let options = [
            ("log", policy.map(|policy| policy.get_name().to_owned())),
            (
                "no-propensities",
                self.is_unrecorded.then(|| "true".to_owned()),
            ),
            ("missing", share(self.missing)),
            ("missing-not-at-random", share(self.missing_not_at_random)),
        ];
        let options = options.into_iter();
        options
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect()
    }

    /// What a reader of the table should know.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(policy) = self.policy {
            let recorded = match self.is_unrecorded {
                true => "with which probability is not recorded",
                false => "with the probability `<model>/propensity`",
            };
            notes.push(format!(
                "a log: one LLM was asked for each prompt, {}, {recorded}; truth/ is complete",
                policy.words()
            ));
        }
        if self.missing > 0.0 {
            notes.push(format!(
                "scores are missing at random: {} of them",
                percent(self.missing)
            ));
        }
        if self.missing_not_at_random > 0.0 {
            notes.push(format!(
                "scores are missing not at random: {} of the answers that score 0, none of those that score 1; means over the known scores are too \
                 high, and nothing in the table tells by how much",
                percent(self.missing_not_at_random)
            ));
        }
        notes
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

/// The number of a row's family: tasks are named after families.
fn family_idx(split: &PartTable, row: usize) -> usize {
    let mut families = Family::ALL.into_iter();
    let family_idx = families.position(|family| family.name() == split.tasks[row]);
    family_idx.expect("tasks are families")
}

/// Who is asked, for `at` uniform in [0, 1).
fn drawn(probabilities: &[f64], at: f64) -> usize {
    let mut sum = 0.0;
    let first_above = probabilities.iter().position(|p| {
        sum += p;
        at < sum
    });
    // Sums of probabilities may stay a rounding below 1.
    first_above.unwrap_or(probabilities.len() - 1)
}

fn forget_answer(split: &mut PartTable, row: usize, m: usize) {
    split.scores[(row, m)] = f32::NAN;
    split.cost_usd[(row, m)] = f64::NAN;
    let tokens = [&mut split.input_tokens, &mut split.output_tokens];
    for tokens in tokens.into_iter().flatten() {
        tokens[(row, m)] = f64::NAN;
    }
}
