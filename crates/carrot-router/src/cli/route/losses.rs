//! What the router did not see of the prompts, counted over all of them.

use carrot_router::Decision;
use dataset::Confusions;
use tracing::warn;

/// So many embeddings are compared with those that follow: prompts may never end, and among a hundred thousand a loss has shown.
const MAX_EMBEDDINGS: usize = 100_000;

/// Counts over the prompts so far.
#[derive(Debug)]
pub(super) struct Losses {
    n_prompts: usize,
    n_truncated: usize,
    confusions: Confusions,
}

impl Losses {
    pub(super) fn new() -> Self {
        Self {
            n_prompts: 0,
            n_truncated: 0,
            confusions: Confusions::up_to(MAX_EMBEDDINGS),
        }
    }

    pub(super) fn add(&mut self, decision: &Decision) {
        self.n_prompts += 1;
        self.n_truncated += usize::from(decision.truncated);
        if let Some(sketch) = decision.sketch {
            self.confusions.add(sketch, &decision.prompt);
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
        let n_confused = self.confusions.n_confused();
        if n_confused > 0 {
            warn!(
                "{n_confused} of the {} prompts ({:.1}%) have the same embedding as a prompt with another text, so that the router cannot tell them \
                 apart",
                self.n_prompts,
                share(n_confused)
            );
        }
    }
}
