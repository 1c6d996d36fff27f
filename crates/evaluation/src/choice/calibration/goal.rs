use super::setting::Standing;
use crate::{
    Error, Result, Truth, candidates::Answer, curve::events::Events,
    metric::formulas::SAME_ACCURACY, sum::PointSum,
};

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
    /// What it is about, and the value.
    pub(super) fn in_words(self) -> (&'static str, f64) {
        match self {
            Self::Cost { at_most_usd } => ("mean cost", at_most_usd),
            Self::RelativeCost { at_most, .. } => ("relative cost", at_most),
            Self::Accuracy { at_least } => ("accuracy", at_least),
            Self::Share { share, .. } => ("share", share),
        }
    }

    fn is_missed(self, standing: &Standing, reference_usd: f64) -> bool {
        let Standing { point, shares, .. } = standing;
        match self {
            Self::Cost { at_most_usd } => point.cost_usd > at_most_usd * (1.0 + ROUNDING),
            Self::RelativeCost { at_most, .. } => {
                point.cost_usd > at_most * reference_usd * (1.0 + ROUNDING)
            }
            Self::Accuracy { at_least } => point.accuracy < at_least - SAME_ACCURACY,
            Self::Share { model_idx, share } => shares[model_idx] > share + ROUNDING,
        }
    }

    pub(super) fn check(self, truth: &Truth<'_>) -> Result<()> {
        let (_, value) = self.in_words();
        let most = match self {
            Self::Cost { .. } | Self::RelativeCost { .. } => f64::MAX,
            Self::Accuracy { .. } | Self::Share { .. } => 1.0,
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

/// Whether a router's standing on some prompts misses a goal: costs more, scores less, or calls the LLM more often.
///
/// # Errors
/// [`Error::UnknownModel`] for an LLM to compare costs with of which nothing is known on these prompts.
pub fn is_missed(truth: &Truth<'_>, goal: Goal, standing: &Standing) -> Result<bool> {
    let reference_usd = match goal {
        Goal::RelativeCost { model_idx, .. } => {
            truth.check_model(model_idx)?;
            let mut sum = PointSum::default();
            (0..truth.n_prompts()).for_each(|row| sum.add(1, &truth.answer(row, model_idx)));
            let point = sum.point().ok_or(Error::UnknownModel { model_idx })?;
            point.cost_usd
        }
        _ => f64::NAN,
    };
    Ok(goal.is_missed(standing, reference_usd))
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

    /// Whether a standing over a multiset of the prompts misses the goal.
    pub(super) fn is_missed(&self, standing: &Standing, counts: &[u32]) -> bool {
        let reference_usd = match self.goal {
            Goal::RelativeCost { .. } => self.reference_usd(counts),
            _ => f64::NAN,
        };
        self.goal.is_missed(standing, reference_usd)
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
