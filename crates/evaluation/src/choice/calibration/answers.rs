use super::setting::{Setting, Standing};
use crate::{
    Error, Point, Result, Router, Truth,
    candidates::Answer,
    curve::events::Events,
    rule::{decisions, point_at, shares_at},
    sum::PointSum,
};

/// A router's point and shares on some prompts at a setting, by the rule itself and not by a curve.
///
/// # Errors
/// [`Error::NothingToSet`] for a setting of another kind of router; others as for [`crate::choice::decisions`] and [`crate::curve::pair_curve`].
pub fn standing_at(truth: &Truth<'_>, router: Router<'_>, setting: Setting) -> Result<Standing> {
    match (router, setting) {
        (
            Router::PerModel { predicted, .. },
            Setting::Weight {
                lambda,
                cost_multiplier,
            },
        ) => {
            let chosen = decisions(truth, predicted, lambda, cost_multiplier)?;
            Ok(Standing {
                point: point_at(truth, predicted, lambda, cost_multiplier)?.into(),
                shares: shares_at(truth, predicted, lambda, cost_multiplier)?,
                n_prompts: chosen.into_iter().flatten().count(),
            })
        }
        (
            Router::Pair {
                pair,
                small_win_probability,
            },
            Setting::Threshold(_),
        ) => {
            let events = Events::pair(truth, pair, small_win_probability)?;
            let n_prompts = truth.n_prompts();
            let answers = Answers::new(&events, truth.n_models());
            let standing = answers.standing(&setting, &vec![1; n_prompts]);
            match standing.point.accuracy.is_nan() {
                true => Err(Error::NothingToChoose { n_prompts }),
                false => Ok(standing),
            }
        }
        _ => Err(Error::NothingToSet),
    }
}

/// Who answers each prompt at which settings.
pub(super) struct Answers {
    prompts: Vec<Prompt>,
    n_models: usize,
    is_threshold: bool,
}

struct Prompt {
    idx: usize,
    first: Answer,
    /// From which lambda on, or from which threshold down, another LLM answers, in order.
    later: Vec<(f64, Answer)>,
}

impl Answers {
    pub(super) fn new(events: &Events, n_models: usize) -> Self {
        let mut prompts: Vec<Prompt> = events
            .starts()
            .map(|(idx, first)| Prompt {
                idx,
                first,
                later: Vec::new(),
            })
            .collect();
        // Prompts that count are numbered without gaps; this finds them by their row.
        let n_rows = prompts.last().map_or(0, |last| last.idx + 1);
        let mut positions = vec![usize::MAX; n_rows];
        for (position, prompt) in prompts.iter().enumerate() {
            positions[prompt.idx] = position;
        }
        for (at, prompt_idx, to) in events.changes() {
            prompts[positions[prompt_idx]].later.push((at, to));
        }
        Self {
            prompts,
            n_models,
            is_threshold: events.is_threshold(),
        }
    }

    /// Number of prompts that have a choice; at least 1.
    pub(super) fn n_prompts(&self) -> usize {
        self.prompts.len()
    }

    /// The row of one of them.
    pub(super) fn prompt_idx(&self, position: usize) -> usize {
        self.prompts[position].idx
    }

    /// The router's point and shares over a multiset of the prompts at a setting with a multiplier of 1.
    pub(super) fn standing(&self, setting: &Setting, counts: &[u32]) -> Standing {
        let value = match *setting {
            Setting::Weight { lambda, .. } => lambda,
            Setting::Threshold(threshold) => threshold,
        };
        let holds = |at: f64| match self.is_threshold {
            true => at >= value,
            // What happens at 0 happens just above it.
            false => at <= value && value > 0.0,
        };
        let mut sum = PointSum::default();
        let mut n_answers = vec![0_u64; self.n_models];
        for prompt in &self.prompts {
            let count = counts[prompt.idx];
            if count == 0 {
                continue;
            }
            // A search among a prompt's few changes: a sweep over all of them would be needed again for every resample's setting.
            let n_passed = prompt.later.partition_point(|&(at, _)| holds(at));
            let answer = match n_passed {
                0 => &prompt.first,
                n => &prompt.later[n - 1].1,
            };
            sum.add(count, answer);
            n_answers[answer.model_idx] += u64::from(count);
        }
        let n: u64 = n_answers.iter().sum();
        Standing {
            // Of new prompts that are drawn, those whose choice is known may be none.
            point: sum.point().unwrap_or(Point {
                cost_usd: f64::NAN,
                accuracy: f64::NAN,
            }),
            shares: n_answers.iter().map(|&own| own as f64 / n as f64).collect(),
            n_prompts: n as usize,
        }
    }
}
