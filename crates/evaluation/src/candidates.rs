use crate::{Error, Predicted, Result, Truth};

/// One LLM that may be chosen for one prompt: its predictions are finite. Whether its truth is known does not matter, as a router in use
/// does not know it either.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) answer: Answer,
    pub(crate) predicted_score: f64,
    pub(crate) predicted_cost: f64,
}

/// What comes of sending a prompt to an LLM: its true score and cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) model_idx: usize,
    /// For how many prompts it stands in a mean, see [`crate::Propensities`]; 0 where the truth is unknown.
    pub(crate) weight: f64,
    /// 0 where it is unknown.
    pub(crate) score: f64,
    /// 0 where it is unknown.
    pub(crate) cost: f64,
}

impl Answer {
    /// Of an LLM of which nothing is known on the prompt.
    pub(crate) fn unknown(model_idx: usize) -> Self {
        Self {
            model_idx,
            weight: 0.0,
            score: 0.0,
            cost: 0.0,
        }
    }

    pub(crate) fn is_known(&self) -> bool {
        self.weight > 0.0
    }
}

/// The candidates of all prompts that count and have any, one after the other and in column order within a prompt. Whoever asks for many
/// lambdas looks the matrices up and tests them for the unknown only once.
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
        for idx in (0..n_prompts).filter(|&idx| truth.is_scored(idx)) {
            let first = this.all.len();
            this.all
                .extend((0..truth.n_models()).filter_map(|model_idx| {
                    let (predicted_score, predicted_cost) = predicted.get(idx, model_idx)?;
                    Some(Candidate {
                        answer: truth.answer(idx, model_idx),
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
