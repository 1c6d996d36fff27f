//! A goal that new prompts keep with a probability: settings tested one after the other, from the safest on.

use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

use super::{
    goal::{Aim, Goal, ROUNDING},
    limit::{Moments, OneSided},
    share_interval::share_interval,
    trace::{Chosen, Trace},
    walk::{Order, Toward, Walk},
};
use crate::{
    Error, Result, Truth, candidates::Answer, curve::events::Events,
    metric::formulas::SAME_ACCURACY,
};

/// A goal that new prompts keep with a probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promise {
    /// The probability, over the prompts given and the new ones alike; .95 say.
    pub confidence: f64,
    /// What the mean over the new prompts keeps to with that probability, in the goal's unit: at most so many US dollars per prompt, such a part of
    /// the LLM's cost or such a share, or at least this score.
    pub limit: f64,
    /// How many of the prompts tested settings: all, or nine tenths where the goal is a share, since a tenth decides in which order.
    pub n_testing: usize,
}

/// The part of the prompts that decides from which end on an LLM's share is tested.
const ORDERING_SHARE: f64 = 0.1;

/// Chooses settings that keep a goal with a probability.
///
/// ```text
/// settings 1, 2, 3, ... in an order that does not depend on the prompts that test them, from the safest on
/// U_j     prediction limit of setting j for the mean over N new prompts, from n given ones: Moments::upper_limit, or share_interval
/// passed  settings 1 to k, where U_j <= goal for all j <= k, and U_(k + 1) > goal
/// ```
///
/// Any setting that passed may be taken, also by the same prompts: the most accurate for a budget, the cheapest for an accuracy, the last for a share.
/// However many settings there are, nothing is to be corrected (fixed-sequence testing: Maurer, Hothorn and Lehmacher 1995; Angelopoulos et al. 2021,
/// "Learn then Test"). Their hypotheses are about means over all prompts; here the mean over the new ones, M_j, is random too:
///
/// ```text
/// The choice c depends on the given prompts only. So P(M_c > goal) = E[P(M_c > goal | c)] needs the distribution of each single M_j, and not how
/// they depend on each other. Let it be that of mu_j + s_j d / sqrt(N), with one standard normal d for all j.
/// J, the first setting where that exceeds the goal, depends on d only. M_c > goal means J <= c <= k, so J passed: U_J <= goal < M_J.
/// P(M_c > goal) <= E[P(U_J < M_J | d)] = P(e / sqrt(n) + z sqrt(1 / n + 1 / N) < d / sqrt(N)) = 1 - confidence
/// ```
///
/// in which e is the deviation of the given prompts' mean, standard normal and independent of d, whatever J is. So with normal means it is exact, and
/// with skewed ones as good as the limit of a single setting.
///
/// The order. A budget: from the cheapest setting on, which is lambda 1 whatever the prompts. An accuracy: from lambda 0 on, where only the
/// predicted score counts. An LLM's share may rise or fall with lambda: a tenth of the prompts decides from which end it is tested, and the others test.
pub(super) struct Promiser<'a> {
    goal: Goal,
    /// By row, the cost of the LLM to compare with: for a relative cost.
    reference_usd: Vec<f64>,
    walk: Walk<'a>,
    order: Order,
    /// By row, whether it only decides the order.
    is_ordering: Vec<bool>,
    asked: Asked,
    /// Near all values that are tested, so that little cancels in sums of their powers.
    center: f64,
}

/// How much is promised.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) confidence: f64,
    pub(super) n_new_prompts: usize,
}

/// How many prompts a limit is from, how many it is for, and how sure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances {
    /// How many times as many prompts as were given.
    pub(super) n_copies: f64,
    pub(super) n_new: f64,
    pub(super) level: OneSided,
}

/// Sums over the prompts at one setting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    /// Of the value that is tested, less the center.
    tested: Moments,
    /// The worst such value on the walk so far.
    worst: f64,
    counts_calls: bool,
    /// How many values are known. Weights that are added and taken away again may leave a rounding error instead of 0.
    n_known: f64,
    weight: f64,
    score: f64,
    cost_usd: f64,
}

/// A setting on the walk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) position: usize,
    pub(super) tally: Tally,
}

/// What the walk came to.
pub(super) enum Walked {
    /// To this setting, which is to be taken.
    Chosen(Place),
    /// Not even the first setting passed, this one.
    Stuck(Place),
}

impl<'a> Promiser<'a> {
    /// Refuses a relative cost where the LLM to compare with is not known for every prompt.
    pub(super) fn new(
        truth: &Truth<'_>,
        events: &'a Events,
        aim: &Aim,
        asked: Asked,
        seed: u64,
    ) -> Result<Self> {
        let prompts: Vec<usize> = events.prompts().collect();
        let mut is_ordering = vec![false; truth.n_prompts()];
        let mut reference_usd = Vec::new();
        let toward = match aim.goal {
            Goal::Cost { .. } => Toward::Accurate,
            Goal::RelativeCost { model_idx, .. } => {
                reference_usd = reference_of(truth, &prompts, model_idx)?;
                Toward::Accurate
            }
            Goal::Accuracy { .. } => Toward::Cheap,
            Goal::Share { share, .. } => {
                let wanted = (ORDERING_SHARE * prompts.len() as f64).ceil() as usize;
                // A single prompt has to test.
                let n_ordering = wanted.min(prompts.len() - 1);
                let mut shuffled = prompts;
                // Apart from the streams of the resamples.
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(u64::MAX);
                for &mut row in shuffled.partial_shuffle(&mut rng, n_ordering).0 {
                    is_ordering[row] = true;
                }
                let counts: Vec<u32> = is_ordering.iter().map(|&it| u32::from(it)).collect();
                Trace::over(events, aim, &counts).toward(share)
            }
        };
        let walk = Walk::new(events);
        let order = walk.order(toward);
        let mut this = Self {
            goal: aim.goal,
            reference_usd,
            walk,
            order,
            is_ordering,
            asked,
            center: 0.0,
        };
        // The share's test counts, and takes the counts as they are.
        if !matches!(aim.goal, Goal::Share { .. }) {
            let (row, answer) = this.order.answers[0];
            this.center = this.value(row, &answer);
        }
        Ok(this)
    }

    pub(super) fn as_asked(&self) -> Circumstances {
        Circumstances {
            n_copies: 1.0,
            n_new: self.asked.n_new_prompts as f64,
            level: OneSided::new(self.asked.confidence),
        }
    }

    /// Walks over the settings that pass with a multiset of the prompts.
    pub(super) fn walk(&self, counts: &[u32]) -> Walked {
        let circumstances = self.as_asked();
        let mut position = self.order.start;
        let mut tally = self.tally(&self.order.answers, counts);
        let mut best = Place { position, tally };
        if !self.keeps(&tally, circumstances) {
            return Walked::Stuck(best);
        }
        while let Some((next, moves)) = self.walk.next(position, self.order.toward) {
            let mut is_same = true;
            for (row, old, new) in moves {
                let count = self.count(counts, row);
                if count > 0.0 {
                    is_same = false;
                    self.shift(&mut tally, -count, row, old);
                    self.shift(&mut tally, count, row, new);
                }
            }
            position = next;
            if is_same {
                continue;
            }
            if !self.keeps(&tally, circumstances) {
                break;
            }
            if self.is_better(&tally, &best.tally) {
                best = Place { position, tally };
            }
        }
        Walked::Chosen(best)
    }

    /// What a walk chose; where it is stuck, the safest setting.
    pub(super) fn chosen(&self, walked: &Walked) -> Chosen {
        let (place, is_reached) = match walked {
            Walked::Chosen(place) => (place, true),
            Walked::Stuck(place) => (place, false),
        };
        Chosen {
            setting: self.walk.setting(place.position),
            is_reached,
        }
    }

    pub(super) fn goal(&self) -> Goal {
        self.goal
    }

    pub(super) fn asked(&self) -> Asked {
        self.asked
    }

    /// What is promised at a setting that was chosen over a multiset of the prompts.
    pub(super) fn promise(&self, place: &Place, counts: &[u32]) -> Promise {
        let testing = self.order.answers.iter();
        let n_testing: f64 = testing.map(|&(row, _)| self.count(counts, row)).sum();
        Promise {
            confidence: self.asked.confidence,
            limit: self.limit_of_goal(place, counts),
            n_testing: n_testing as usize,
        }
    }

    /// The limit in the goal's unit.
    pub(super) fn limit_of_goal(&self, place: &Place, counts: &[u32]) -> f64 {
        let limit = self.limit(&place.tally, self.as_asked());
        match self.goal {
            Goal::Cost { .. } | Goal::Share { .. } => limit,
            Goal::Accuracy { .. } => -limit,
            Goal::RelativeCost { model_idx, at_most } => {
                // The least part that passes at this setting: the limit of cost - part * reference falls as the part grows.
                let answers = self.walk.answers_at(place.position);
                let passes = |at_most: f64| {
                    let goal = Goal::RelativeCost { model_idx, at_most };
                    let mut tally = Tally::new(goal, self.center);
                    for (row, answer) in &answers {
                        let value = self.value_for(goal, *row, answer);
                        tally.add(self.count(counts, *row), value - self.center, answer);
                    }
                    self.limit(&tally, self.as_asked()) <= 0.0
                };
                least_that(passes, at_most)
            }
        }
    }

    /// Whether a setting keeps the goal, by the prompts given or by more of their kind.
    pub(super) fn keeps(&self, tally: &Tally, circumstances: Circumstances) -> bool {
        self.limit(tally, circumstances)
            <= match self.goal {
                Goal::Cost { at_most_usd } => at_most_usd * (1.0 + ROUNDING),
                Goal::RelativeCost { .. } => 0.0,
                Goal::Accuracy { at_least } => SAME_ACCURACY - at_least,
                Goal::Share { share, .. } => share + ROUNDING,
            }
    }

    /// What the mean of the tested value will not exceed.
    fn limit(&self, tally: &Tally, circumstances: Circumstances) -> f64 {
        let Circumstances {
            n_copies,
            n_new,
            level,
        } = circumstances;
        let moments = tally.tested.times(n_copies);
        match self.goal {
            Goal::Share { .. } => {
                let (n_calls, n) = (moments.sum(), moments.weight());
                share_interval(n_calls, n, n_new, level.z).1
            }
            // Nothing is known of any choice, so nothing can be said.
            _ if tally.n_known == 0.0 => f64::INFINITY,
            _ => self.center + moments.upper_limit(tally.worst, n_new, level),
        }
    }

    fn is_better(&self, tally: &Tally, than: &Tally) -> bool {
        let accuracy = |it: &Tally| it.score / it.weight;
        let cost = |it: &Tally| it.cost_usd / it.weight;
        match self.goal {
            Goal::Cost { .. } | Goal::RelativeCost { .. } => accuracy(tally) > accuracy(than),
            Goal::Accuracy { .. } => cost(tally) < cost(than),
            Goal::Share { .. } => true,
        }
    }

    /// The value whose mean is to be small.
    fn value(&self, row: usize, answer: &Answer) -> f64 {
        self.value_for(self.goal, row, answer)
    }

    fn value_for(&self, goal: Goal, row: usize, answer: &Answer) -> f64 {
        match goal {
            Goal::Cost { .. } => answer.cost,
            Goal::RelativeCost { at_most, .. } => answer.cost - at_most * self.reference_usd[row],
            Goal::Accuracy { .. } => -answer.score,
            Goal::Share { model_idx, .. } => f64::from(u8::from(answer.model_idx == model_idx)),
        }
    }

    fn tally(&self, answers: &[(usize, Answer)], counts: &[u32]) -> Tally {
        let mut tally = Tally::new(self.goal, self.center);
        for (row, answer) in answers {
            self.shift(&mut tally, self.count(counts, *row), *row, answer);
        }
        tally
    }

    fn shift(&self, tally: &mut Tally, n: f64, row: usize, answer: &Answer) {
        tally.add(n, self.value(row, answer) - self.center, answer);
    }

    /// How often a prompt is among those that test.
    fn count(&self, counts: &[u32], row: usize) -> f64 {
        match self.is_ordering[row] {
            true => 0.0,
            false => f64::from(counts[row]),
        }
    }
}

impl Tally {
    fn new(goal: Goal, center: f64) -> Self {
        Self {
            tested: Moments::default(),
            // A score can be 0, whether one is or not; how much a prompt can cost only prompts tell.
            worst: match goal {
                Goal::Accuracy { .. } => -center,
                _ => f64::NEG_INFINITY,
            },
            counts_calls: matches!(goal, Goal::Share { .. }),
            n_known: 0.0,
            weight: 0.0,
            score: 0.0,
            cost_usd: 0.0,
        }
    }

    /// Adds `n` prompts of a kind; takes them away where `n` is negative.
    fn add(&mut self, n: f64, value: f64, answer: &Answer) {
        let weight = n * answer.weight;
        if self.counts_calls {
            // Who is called is known of every prompt.
            self.tested.add(n, 1.0, value);
        } else if answer.is_known() {
            self.n_known += n;
            self.tested.add(n, answer.weight, value);
            if n > 0.0 {
                self.worst = self.worst.max(value);
            }
        }
        self.weight += weight;
        self.score += weight * answer.score;
        self.cost_usd += weight * answer.cost;
    }
}

/// Refuses a probability that no goal can be promised with, or that is no promise: outside .5 to below 1.
///
/// # Errors
/// [`Error::BadConfidence`].
pub fn check_confidence(confidence: f64) -> Result<()> {
    match (0.5..1.0).contains(&confidence) {
        true => Ok(()),
        false => Err(Error::BadConfidence { confidence }),
    }
}

/// By row, the cost of the LLM to compare with.
fn reference_of(truth: &Truth<'_>, prompts: &[usize], model_idx: usize) -> Result<Vec<f64>> {
    let mut reference_usd = vec![f64::NAN; truth.n_prompts()];
    for &row in prompts {
        let answer = truth.answer(row, model_idx);
        if !answer.is_known() {
            return Err(Error::PartlyUnknown { model_idx });
        }
        reference_usd[row] = answer.cost;
    }
    Ok(reference_usd)
}

/// The least value that passes, where all above it do, to the last bits; `passes` holds at `from` or somewhere above it.
fn least_that(passes: impl Fn(f64) -> bool, from: f64) -> f64 {
    let mut high = from.max(f64::MIN_POSITIVE);
    // Of a setting that does not pass at what was asked for. No LLM is 1e12 times as dear as another.
    while !passes(high) && high < 1e12 {
        high *= 2.0;
    }
    let mut low = 0.0;
    while high - low > 1e-9 * high {
        let middle = f64::midpoint(low, high);
        if passes(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}
