//! What an embedder did not see of the prompts, and so no router on its embeddings can.

use dataset::{Confusions, Part, PartTable};
use ndarray::ArrayView2;
use serde::Serialize;
use tracing::warn;

/// The losses in one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Losses {
    n_prompts: usize,
    /// Prompts that were too long and lost a part, where that is known.
    n_truncated: Option<usize>,
    /// Prompts whose embedding another prompt with another text has too.
    n_confused: usize,
}

impl Losses {
    pub(crate) fn of(
        split: &PartTable,
        embeddings: ArrayView2<'_, f32>,
        n_truncated: Option<usize>,
    ) -> Self {
        Self {
            n_prompts: split.n_prompts(),
            n_truncated,
            n_confused: Confusions::count(embeddings, &split.prompts),
        }
    }

    /// Says it, where there is anything to say.
    pub(crate) fn log(&self, embedder: &str, part: Part) {
        let share = |n: usize| 100.0 * n as f64 / self.n_prompts.max(1) as f64;
        let part = part.name();
        if let Some(n) = self.n_truncated.filter(|&n| n > 0) {
            warn!(
                "{n} of the {} {part} prompts ({:.1}%) are longer than `{embedder}` can take and were cut",
                self.n_prompts,
                share(n)
            );
        }
        if self.n_confused > 0 {
            warn!(
                "{} of the {} {part} prompts ({:.1}%) have the same embedding as a prompt with another text, so that no router on `{embedder}` can \
                 tell them apart{}",
                self.n_confused,
                self.n_prompts,
                share(self.n_confused),
                self.advice()
            );
        }
    }

    /// What may tell confused prompts apart. What was not cut is alike for another reason, such as the same words in another order.
    fn advice(&self) -> &'static str {
        match self.n_truncated {
            Some(0) => "",
            _ => "; --truncate left or middle may help where prompts begin alike",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prompts_that_were_cut_can_be_cut_elsewhere() {
        let advice = |n_truncated| {
            let losses = Losses {
                n_prompts: 3,
                n_truncated,
                n_confused: 2,
            };
            losses.advice()
        };
        assert_eq!(advice(Some(0)), "");
        assert!(advice(Some(1)).contains("--truncate"));
        assert!(advice(None).contains("--truncate"));
    }
}
