use crate::{Error, Result, Truth, candidates::Answer, curve::events::Events, sum::PointSum};

/// What a router is to be set to. Among the settings that reach it, the rest decides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// A mean cost of at most so many US dollars per prompt: the most accurate such setting, the cheapest of several.
    Cost {
        /// The most that a prompt may cost in the mean.
        at_most_usd: f64,
    },
    /// A mean cost of at most a part of what one LLM alone costs on the same prompts, where its cost is known.
    RelativeCost {
        /// The LLM's position.
        model_idx: usize,
        /// The part, .3 for a third or so; may exceed 1.
        at_most: f64,
    },
    /// A mean score of at least this: the cheapest such setting, the most accurate of several.
    Accuracy {
        /// The least mean score, in [0, 1].
        at_least: f64,
    },
    /// An LLM's share of the prompts: of the settings where the share passes this value, each time the nearer side, the most accurate.
    Share {
        /// The LLM's position.
        model_idx: usize,
        /// Its share, in [0, 1].
        share: f64,
    },
}

/// Relative difference that is due to the order of summation, and no breach of a goal.
pub(super) const ROUNDING: f64 = 1e-12;

impl Goal {
    pub(super) fn check(self, truth: &Truth<'_>) -> Result<()> {
        let (value, most) = match self {
            Self::Cost { at_most_usd } => (at_most_usd, f64::MAX),
            Self::RelativeCost { at_most, .. } => (at_most, f64::MAX),
            Self::Accuracy { at_least } => (at_least, 1.0),
            Self::Share { share, .. } => (share, 1.0),
        };
        // NaN is in no range, and so refused too.
        if !(0.0..=most).contains(&value) {
            return Err(Error::BadGoal { value, most });
        }
        match self {
            Self::RelativeCost { model_idx, .. } | Self::Share { model_idx, .. } => {
                truth.check_model(model_idx)
            }
            Self::Cost { .. } | Self::Accuracy { .. } => Ok(()),
        }
    }
}

/// A goal, with what of the prompts it looks at besides costs and scores.
pub(super) struct Aim {
    pub(super) goal: Goal,
    /// The LLM to compare with on each prompt with a choice where it is known.
    reference: Vec<(usize, Answer)>,
    /// The router's changes with 1 for a score where the LLM answers whose share counts, and 0 elsewhere: the mean score is its share.
    pub(super) shares: Option<Events>,
}

impl Aim {
    pub(super) fn new(truth: &Truth<'_>, events: &Events, goal: Goal) -> Result<Self> {
        let mut this = Self {
            goal,
            reference: Vec::new(),
            shares: None,
        };
        match goal {
            Goal::RelativeCost { model_idx, .. } => {
                let known = events.prompts().filter_map(|prompt_idx| {
                    let answer = truth.answer(prompt_idx, model_idx);
                    answer.is_known().then_some((prompt_idx, answer))
                });
                this.reference.extend(known);
                if this.reference.is_empty() {
                    return Err(Error::UnknownModel { model_idx });
                }
            }
            Goal::Share { model_idx, .. } => this.shares = Some(events.calls_of(model_idx)),
            Goal::Cost { .. } | Goal::Accuracy { .. } => {}
        }
        Ok(this)
    }

    /// What the LLM to compare with costs in the mean over a multiset of the prompts; NaN where none of them has its cost, which no cost is
    /// within.
    pub(super) fn reference_usd(&self, counts: &[u32]) -> f64 {
        let mut sum = PointSum::default();
        for (prompt_idx, answer) in &self.reference {
            sum.add(counts[*prompt_idx], answer);
        }
        sum.point().map_or(f64::NAN, |point| point.cost_usd)
    }
}
