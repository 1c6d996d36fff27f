use crate::{Error, Predicted, Result, Truth};

/// One LLM that may be chosen for one prompt: it counts for the prompt, and its predictions are finite.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) answer: Answer,
    pub(crate) predicted_score: f64,
    pub(crate) predicted_cost: f64,
}

/// An LLM's true score and cost on one prompt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) model_idx: usize,
    pub(crate) score: f64,
    pub(crate) cost: f64,
}

/// The candidates of all prompts that have any, one after the other and in column order within a prompt. Whoever asks for many lambdas
/// looks the matrices up and tests them for the unknown only once.
pub(crate) struct Candidates {
    all: Vec<Candidate>,
    prompts: Vec<Prompt>,
}

struct Prompt {
    idx: usize,
    first: usize,
    end: usize,
}

impl Candidates {
    pub(crate) fn new(truth: &Truth<'_>, predicted: &Predicted<'_>) -> Result<Self> {
        truth.check_fits(predicted)?;
        let n_prompts = truth.n_prompts();
        let mut this = Self {
            all: Vec::with_capacity(n_prompts * truth.n_models()),
            prompts: Vec::with_capacity(n_prompts),
        };
        for idx in 0..n_prompts {
            let first = this.all.len();
            this.all
                .extend(truth.known(idx).filter_map(|(model_idx, score, cost)| {
                    let (predicted_score, predicted_cost) = predicted.get(idx, model_idx)?;
                    Some(Candidate {
                        answer: Answer {
                            model_idx,
                            score,
                            cost,
                        },
                        predicted_score,
                        predicted_cost,
                    })
                }));
            // Candidates of all prompts lie in one vector: a vector per prompt would be an allocation per prompt, and a grid of 1,000
            // lambdas reads them all 1,000 times.
            let end = this.all.len();
            if end > first {
                this.prompts.push(Prompt { idx, first, end });
            }
        }
        if this.prompts.is_empty() {
            return Err(Error::NothingToChoose { n_prompts });
        }
        Ok(this)
    }

    /// Number of prompts that have a candidate; at least 1.
    pub(crate) fn n_prompts(&self) -> usize {
        self.prompts.len()
    }

    /// Each prompt's position and its candidates, at least one.
    pub(crate) fn by_prompt(&self) -> impl Iterator<Item = (usize, &[Candidate])> {
        self.prompts
            .iter()
            .map(|prompt| (prompt.idx, &self.all[prompt.first..prompt.end]))
    }
}
