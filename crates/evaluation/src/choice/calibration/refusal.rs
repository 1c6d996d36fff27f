use std::fmt;

use super::{
    limit::OneSided,
    promise::{Circumstances, Place, Promiser},
};

/// Why a goal cannot be promised, and what would help.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What was asked for.
    pub what: &'static str,
    /// The value.
    pub asked: f64,
    /// With which probability.
    pub confidence: f64,
    /// For the mean over so many new prompts.
    pub n_new_prompts: usize,
    /// The prompts that tested.
    pub n_testing: usize,
    /// What the safest setting keeps to with that probability: the nearest value that can be promised.
    pub nearest: f64,
    /// About so many prompts, if their means and variances were the same, would be enough at the safest setting; `None` where no number would.
    pub enough_prompts: Option<usize>,
    /// The same for new prompts.
    pub enough_new_prompts: Option<usize>,
    /// The confidence at which it can be promised, in whole percent rounded down; `None` below .5.
    pub enough_confidence: Option<f64>,
}

/// More prompts than that are no advice.
const MANY: f64 = 1e7;

impl Refusal {
    pub(super) fn new(promiser: &Promiser<'_>, safest: &Place, counts: &[u32]) -> Self {
        let (what, value) = promiser.goal().in_words();
        let asked = promiser.asked();
        let as_asked = promiser.as_asked();
        let promise = promiser.promise(safest, counts);
        let keeps = |changed: Circumstances| promiser.keeps(&safest.tally, changed);
        let n_testing = promise.n_testing as f64;
        let percents = (50..=(100.0 * asked.confidence) as u32).rev();
        let mut confidences = percents.map(|percent| f64::from(percent) / 100.0);
        Self {
            what,
            asked: value,
            confidence: asked.confidence,
            n_new_prompts: asked.n_new_prompts,
            n_testing: promise.n_testing,
            nearest: promise.limit,
            enough_prompts: least_number(n_testing, |n| {
                keeps(Circumstances {
                    n_copies: n / n_testing,
                    ..as_asked
                })
            }),
            enough_new_prompts: least_number(as_asked.n_new, |n_new| {
                keeps(Circumstances { n_new, ..as_asked })
            }),
            enough_confidence: confidences.find(|&it| {
                keeps(Circumstances {
                    level: OneSided::new(it),
                    ..as_asked
                })
            }),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            asked,
            confidence,
            n_new_prompts,
            nearest,
            ..
        } = self;
        write!(
            f,
            "{what} of `{asked}` cannot be promised for `{n_new_prompts}` new prompts with a confidence of `{confidence}`: the safest setting \
             keeps to `{nearest}`"
        )
    }
}

/// About the least number above `from` that is enough, to 1%.
fn least_number(from: f64, is_enough: impl Fn(f64) -> bool) -> Option<usize> {
    if !is_enough(MANY) {
        return None;
    }
    let (mut low, mut high) = (from, MANY);
    while high > 1.01 * low && high - low > 1.0 {
        let middle = (low * high).sqrt();
        if is_enough(middle) {
            high = middle
        } else {
            low = middle
        }
    }
    Some(high.ceil() as usize)
}
