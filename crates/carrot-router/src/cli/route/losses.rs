//! What the router did not see of the prompts, counted over all of them.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use carrot_router::Decision;
use tracing::warn;

/// So many embeddings are remembered, which takes some dozens of megabytes; among a million prompts a loss has shown.
const MAX_REMEMBERED: usize = 1 << 20;

/// Counts over the prompts so far.
#[derive(Debug, Default)]
pub(super) struct Losses {
    n_prompts: usize,
    n_truncated: usize,
    /// For each embedding the prompt that first had it, and how many had it so far if not all of them were the same.
    seen: HashMap<u64, Seen>,
}

#[derive(Debug)]
struct Seen {
    prompt: u64,
    n_prompts: usize,
    is_confused: bool,
}

impl Losses {
    pub(super) fn add(&mut self, decision: &Decision) {
        self.n_prompts += 1;
        self.n_truncated += usize::from(decision.truncated);
        let Some(key) = decision.embedding_key else {
            return;
        };
        let prompt = hash(&decision.prompt);
        if let Some(seen) = self.seen.get_mut(&key) {
            seen.n_prompts += 1;
            seen.is_confused |= seen.prompt != prompt;
        } else if self.seen.len() < MAX_REMEMBERED {
            let seen = Seen {
                prompt,
                n_prompts: 1,
                is_confused: false,
            };
            self.seen.insert(key, seen);
        }
    }

    /// Says it, where there is anything to say.
    pub(super) fn log(&self) {
        let share = |n: usize| 100.0 * n as f64 / self.n_prompts.max(1) as f64;
        if self.n_truncated > 0 {
            warn!(
                "{} of the {} prompts ({:.1}%) are longer than the router can read and were cut",
                self.n_truncated,
                self.n_prompts,
                share(self.n_truncated)
            );
        }
        let n_confused = self.n_confused();
        if n_confused > 0 {
            warn!(
                "{n_confused} of the {} prompts ({:.1}%) have the same embedding as a prompt with another text, so that the router cannot tell them \
                 apart",
                self.n_prompts,
                share(n_confused)
            );
        }
    }

    fn n_confused(&self) -> usize {
        let confused = self.seen.values().filter(|seen| seen.is_confused);
        confused.map(|seen| seen.n_prompts).sum()
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_with_one_embedding_and_other_texts_are_confused() {
        let mut losses = Losses::default();
        for (prompt, embedding_key, truncated) in [
            ("a", Some(1), true),
            ("a", Some(1), true),
            ("b", Some(2), false),
            ("c", Some(2), true),
            ("b", Some(2), false),
            ("d", Some(3), false),
            ("e", None, false),
        ] {
            losses.add(&Decision {
                prompt: prompt.to_owned(),
                selected: String::new(),
                selected_idx: 0,
                mu: 0.0,
                truncated,
                embedding_key,
                models: Vec::new(),
            });
        }
        assert_eq!(losses.n_confused(), 3);
        assert_eq!((losses.n_prompts, losses.n_truncated), (7, 3));
    }
}
