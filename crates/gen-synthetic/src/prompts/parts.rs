//! What the families' prompts are made with.

use rand::{Rng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;

/// What an LLM is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prompt {
    pub(crate) text: String,
    /// From 0, the easiest of its family, to 1.
    pub(crate) difficulty: f64,
}

impl Prompt {
    pub(super) fn new(text: impl Into<String>, difficulty: f64) -> Self {
        Self {
            text: text.into(),
            // The parts of a difficulty can add up to more than 1, such as those of a hard conversion that comes with a story.
            difficulty: difficulty.clamp(0.0, 1.0),
        }
    }
}

/// A prompt of the first kind with this probability, else of the second.
pub(super) fn either(
    rng: &mut ChaCha8Rng,
    p_first: f64,
    first: fn(&mut ChaCha8Rng) -> Prompt,
    second: fn(&mut ChaCha8Rng) -> Prompt,
) -> Prompt {
    let kind = if rng.random_bool(p_first) {
        first
    } else {
        second
    };
    kind(rng)
}

/// One of some words.
pub(super) fn pick<'a>(rng: &mut ChaCha8Rng, words: &[&'a str]) -> &'a str {
    words.choose(rng).expect("lists of words are not empty")
}

/// `n` different words, in random order.
pub(super) fn several<'a>(rng: &mut ChaCha8Rng, words: &[&'a str], n: usize) -> Vec<&'a str> {
    let mut chosen: Vec<&str> = words.choose_multiple(rng, n).copied().collect();
    // The order of `choose_multiple` is not uniform.
    // Fisher-Yates, spelled out so that a library's choice of algorithm does not change the data set.
    for i in (1..chosen.len()).rev() {
        chosen.swap(i, rng.random_range(0..=i));
    }
    chosen
}

/// Where `value` lies between `low` and `high`: 0 to 1.
pub(super) fn share(value: usize, low: usize, high: usize) -> f64 {
    (value - low) as f64 / (high - low) as f64
}

/// `a, b and c`.
pub(super) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
