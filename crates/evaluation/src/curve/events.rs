use dataset::PairIdx;

use crate::{
    Error, Point, Predicted, Result, Truth,
    candidates::{Answer, Candidate, Candidates},
    rule::argmax,
    sum::PointSum,
};

/// Everything that a router changes as its parameter moves from one end to the other, in order.
///
/// Which prompts there are, and how often, does not change the order: it is sorted once, and then swept for any multiset of the prompts.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    starts: Vec<Start>,
    changes: Vec<Change>,
    first_at: f64,
}

/// Whom one prompt goes to at first.
#[derive(Debug, Clone, Copy)]
struct Start {
    prompt_idx: usize,
    answer: Answer,
}

/// One prompt goes from one LLM to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    /// The lambda or threshold at which it does.
    pub(crate) at: f64,
    pub(crate) prompt_idx: usize,
    pub(crate) from: Answer,
    pub(crate) to: Answer,
}

/// Where a sweep stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Swept {
    /// The lambda or threshold from which it holds.
    pub(crate) at: f64,
    /// Which of all settings it is, in order: also those count at which none of the prompts of this sweep changes.
    pub(crate) step: usize,
    /// Means over the prompts whose choice is known; `None` where there are none.
    pub(crate) point: Option<Point>,
    /// How many changes there were, each prompt counted with its weight.
    pub(crate) n_changed: u64,
}

impl Events {
    /// All changes of the routing rule as lambda goes from 0 to 1.
    pub(crate) fn per_model(truth: &Truth<'_>, predicted: &Predicted<'_>) -> Result<Self> {
        let candidates = Candidates::new(truth, predicted)?;
        let mut starts = Vec::with_capacity(candidates.n_prompts());
        let mut crossings = Vec::with_capacity(candidates.n_prompts() * 4);
        for (prompt_idx, of_prompt) in candidates.by_prompt() {
            let first = walk_envelope(of_prompt, |mu, from, to| {
                crossings.push((lambda_of(mu), prompt_idx, from, to));
            });
            starts.push(Start {
                prompt_idx,
                answer: first.answer,
            });
        }
        // No lambda is NaN or has a sign, so the bits sort as the numbers do, and faster. References are sorted before what they refer to
        // is laid out in order: less to move.
        crossings.sort_unstable_by_key(|(at, ..)| at.to_bits());
        let changes = crossings
            .into_iter()
            .map(|(at, prompt_idx, from, to)| Change {
                at,
                prompt_idx,
                from: from.answer,
                to: to.answer,
            })
            .collect();
        Ok(Self {
            starts,
            changes,
            first_at: 0.0,
        })
    }

    /// All changes of the threshold rule as the threshold goes from infinity down.
    pub(crate) fn pair(
        truth: &Truth<'_>,
        pair: PairIdx,
        small_win_probability: &[f32],
    ) -> Result<Self> {
        let PairIdx { small, large } = pair;
        truth.check_model(small)?;
        truth.check_model(large)?;
        let n_prompts = truth.n_prompts();
        if small_win_probability.len() != n_prompts {
            return Err(Error::Shape {
                what: "small win probabilities",
                expected: (n_prompts, 1),
                found: (small_win_probability.len(), 1),
            });
        }
        let mut changes: Vec<Change> = small_win_probability
            .iter()
            .enumerate()
            // NaN is a router that said nothing; an infinite probability is none.
            .filter(|&(prompt_idx, probability)| {
                probability.is_finite() && truth.is_scored(prompt_idx)
            })
            .map(|(prompt_idx, &probability)| Change {
                at: f64::from(probability),
                prompt_idx,
                from: truth.answer(prompt_idx, large),
                to: truth.answer(prompt_idx, small),
            })
            .collect();
        // The ends are the two LLMs: without one of them there is no curve from one to the other.
        let is_known = |of: fn(&Change) -> &Answer| changes.iter().any(|it| of(it).is_known());
        if !(is_known(|it| &it.from) && is_known(|it| &it.to)) {
            return Err(Error::NothingToChoose { n_prompts });
        }
        let starts = changes
            .iter()
            .map(|change| Start {
                prompt_idx: change.prompt_idx,
                answer: change.from,
            })
            .collect();
        // Stable, so that equal probabilities stay in the order of the prompts and sums round alike in every run.
        changes.sort_by(|a, b| b.at.total_cmp(&a.at));
        Ok(Self {
            starts,
            changes,
            first_at: f64::INFINITY,
        })
    }

    /// Number of prompts that have a choice; at least 1.
    pub(crate) fn n_prompts(&self) -> usize {
        self.starts.len()
    }

    /// Number of changes.
    pub(crate) fn n_changes(&self) -> usize {
        self.changes.len()
    }

    /// Whether what moves is a threshold, which goes down, and not a weight of cost, which goes up.
    pub(crate) fn is_threshold(&self) -> bool {
        self.first_at.is_infinite()
    }

    /// The rows of the prompts that have a choice, in ascending order.
    pub(crate) fn prompts(&self) -> impl Iterator<Item = usize> {
        self.starts.iter().map(|start| start.prompt_idx)
    }

    /// Each of them with who answers at first.
    pub(crate) fn starts(&self) -> impl Iterator<Item = (usize, Answer)> {
        self.starts
            .iter()
            .map(|start| (start.prompt_idx, start.answer))
    }

    /// Where which prompt gets which answer, in order.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (f64, usize, Answer)> {
        self.changes
            .iter()
            .map(|change| (change.at, change.prompt_idx, change.to))
    }

    /// The lambda or threshold from which the first answers hold.
    pub(crate) fn first_at(&self) -> f64 {
        self.first_at
    }

    /// The changes, those at one lambda or threshold together, in order.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &[Change]> {
        self.changes.chunk_by(|a, b| a.at == b.at)
    }

    /// The same changes with a score of 1 where one LLM answers and 0 elsewhere, whose mean is its share of the prompts; who answers is known of
    /// every prompt.
    pub(crate) fn calls_of(&self, model_idx: usize) -> Self {
        // Scores become 0 or 1 for "this LLM answers", so that the sweep that gives accuracies gives shares.
        let mut this = self.clone();
        let answers = this.starts.iter_mut().map(|start| &mut start.answer);
        let changed = this
            .changes
            .iter_mut()
            .flat_map(|change| [&mut change.from, &mut change.to]);
        for answer in answers.chain(changed) {
            answer.score = f64::from(u8::from(answer.model_idx == model_idx));
            answer.weight = 1.0;
        }
        this
    }

    /// Whom each prompt goes to at first.
    pub(crate) fn first_models(&self) -> impl Iterator<Item = usize> {
        self.starts.iter().map(|start| start.answer.model_idx)
    }

    /// From whom to whom prompts go, for one point after the other but the first.
    pub(crate) fn moves_by_point(
        &self,
    ) -> impl Iterator<Item = impl Iterator<Item = (usize, usize)>> {
        self.steps().map(|together| {
            together
                .iter()
                .map(|change| (change.from.model_idx, change.to.model_idx))
        })
    }

    /// Number of prompts in a multiset of those that have a choice.
    pub(crate) fn n_drawn(&self, weight: impl Fn(usize) -> u32) -> u64 {
        let weights = self.starts.iter().map(|start| weight(start.prompt_idx));
        weights.map(u64::from).sum()
    }

    /// Reports each point of the curve over a multiset of the prompts; without any prompt there is none.
    /// Costs one step per change, whatever the weights.
    pub(crate) fn sweep(&self, weight: impl Fn(usize) -> u32, mut on_point: impl FnMut(Swept)) {
        let mut sum = PointSum::default();
        for start in &self.starts {
            sum.add(weight(start.prompt_idx), &start.answer);
        }
        // A resample may hold none of the prompts that count; then there is no mean.
        if self.n_drawn(&weight) == 0 {
            return;
        }
        let mut report = |at, step, sum: &PointSum, n_changed| {
            on_point(Swept {
                at,
                step,
                point: sum.point(),
                n_changed,
            });
        };
        report(self.first_at, 0, &sum, 0);
        let mut n_changed = 0;
        for (n_steps, together) in self.steps().enumerate() {
            let n_before = n_changed;
            for change in together {
                let weight = weight(change.prompt_idx);
                if weight > 0 {
                    n_changed += u64::from(weight);
                    // Added and taken away rather than summed again: a sweep costs one step per change, not one sum per point.
                    // Compensated sums keep thousands of such steps exact enough.
                    sum.replace(weight, &change.from, &change.to);
                }
            }
            // Where none of the prompts is there, neither is the point.
            if n_changed > n_before {
                report(together[0].at, n_steps + 1, &sum, n_changed);
            }
        }
    }
}

/// Reports each change of choice as mu goes from 0 to infinity, in order, and returns the choice at 0.
pub(crate) fn walk_envelope<'a>(
    of_prompt: &'a [Candidate],
    mut on_change: impl FnMut(f64, &'a Candidate, &'a Candidate),
) -> &'a Candidate {
    let at =
        |idx: Option<usize>| &of_prompt[idx.expect("predictions are finite, and there is one")];
    let first = at(argmax(of_prompt.iter().map(|c| c.predicted_score)));
    let (mut current, mut mu) = (first, 0.0_f64);
    while let Some((crossing, next)) = next_on_envelope(of_prompt, current) {
        // Rounding may put a crossing a hair before the one that led here.
        if crossing > mu {
            mu = crossing;
        }
        on_change(mu, current, next);
        current = next;
    }
    // At lambda 1 only cost counts. Of LLMs that cost the same the rule then takes the first, which may be another than the envelope ends
    // with.
    let cheapest = at(argmax(of_prompt.iter().map(|c| -c.predicted_cost)));
    if cheapest.answer.model_idx != current.answer.model_idx {
        on_change(f64::INFINITY, current, cheapest);
    }
    first
}

/// The crossing that comes first to the right of a line of the envelope, and the line that takes over: of several through the same point
/// the one with the least cost, then the one with the lowest position.
fn next_on_envelope<'a>(
    of_prompt: &'a [Candidate],
    current: &Candidate,
) -> Option<(f64, &'a Candidate)> {
    let mut next: Option<(f64, &Candidate)> = None;
    for candidate in of_prompt {
        let saving = current.predicted_cost - candidate.predicted_cost;
        // Only cheaper LLMs can overtake as cost weighs more. It also keeps the division from 0 / 0.
        if saving > 0.0 {
            let crossing = (current.predicted_score - candidate.predicted_score) / saving;
            let first = next.is_none_or(|(least, taken)| {
                crossing < least
                    // Where three lines meet in a point the cheapest leads from there on; the one between never does.
                    || (crossing == least && candidate.predicted_cost < taken.predicted_cost)
            });
            if first {
                next = Some((crossing, candidate));
            }
        }
    }
    next
}

/// The lambda that weighs cost as mu does.
pub(crate) fn lambda_of(mu: f64) -> f64 {
    if mu.is_infinite() {
        1.0
    } else {
        mu / (1.0 + mu)
    }
}
