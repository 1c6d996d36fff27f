use serde::Serialize;

use crate::{PropensitySource, Truth, worth::prompt_gains::Column};

/// A choice whose LLM the log's policy took with a smaller probability is not supported by the log: a known one would stand for more than a hundred
/// prompts. Effective numbers do not see choices that were never made (Sachdeva, Su and Joachims 2020).
pub const LOW_PROPENSITY: f64 = 0.01;
/// The share of unsupported choices above which nothing is said. Of each the gain may be wrong by a whole score; a twentieth of them that are off by
/// a fifth is a point of accuracy, which is as much as is mostly at stake.
pub const MOST_UNSUPPORTED: f64 = 0.05;
/// The share of prompts with one possible LLM above which a log is deterministic.
const DETERMINISTIC_SHARE: f64 = 0.9;
/// Effective prompts below which nothing is said, where they are fewer than half of the prompts: with 100, a mean score has a standard error near .05, and
/// intervals of so few and uneven parts hold less often than they say.
pub const FEWEST_EFFECTIVE: f64 = 100.0;
/// Intervals that reach farther on each side, in scores, and hold 0 say nothing of use.
pub const WIDEST: f64 = 0.05;

/// What was averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// Known scores and costs; nothing is missing.
    Mean,
    /// Known scores and costs of the choices, each weighted by one over its propensity.
    SelfNormalized,
    /// Out-of-fold predictions of the choices, corrected by what is known of them, weighted by one over its propensity.
    DoublyRobust,
}

/// How far the known scores carry a router's choices.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Support {
    /// What was averaged.
    pub estimator: Estimator,
    /// Where propensities come from.
    pub source: PropensitySource,
    /// Prompts that are judged.
    pub n_prompts: usize,
    /// `(sum of w)^2 / sum of w^2` over the choices whose truth is known, at all worths together, per worth: the number of equally weighted prompts that would say
    /// as much. With nothing missing the number of prompts.
    pub effective_prompts: f64,
    /// At least this share of the router's choices, over prompts and worths, has a propensity below [`LOW_PROPENSITY`].
    pub low_share: f64,
    /// The same of the best constant's.
    pub constant_low_share: f64,
    /// The share of prompts for which the log's policy had one LLM only: the one that is known has a propensity of more than .99.
    pub decided_share: f64,
}

/// Why no verdict is given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum Refusal {
    /// Which LLM was asked was decided by the prompt: what another would have done is nowhere in the log.
    #[serde(rename_all = "kebab-case")]
    Deterministic {
        /// The share of prompts with one possible LLM.
        decided_share: f64,
    },
    /// Too many choices that the log's policy never took, or hardly ever.
    #[serde(rename_all = "kebab-case")]
    Unsupported {
        /// Their share.
        low_share: f64,
    },
    /// Too few prompts, or weights too uneven.
    #[serde(rename_all = "kebab-case")]
    FewEffective {
        /// The number of equally weighted prompts that would say as much.
        effective_prompts: f64,
    },
}

impl Estimator {
    /// What averages known scores alone.
    pub(crate) fn of_known(truth: &Truth<'_>) -> Self {
        match truth.propensities().source() {
            PropensitySource::Complete => Self::Mean,
            _ => Self::SelfNormalized,
        }
    }
}

impl Support {
    pub(super) fn of(
        truth: &Truth<'_>,
        estimator: Estimator,
        n_repeats: usize,
        columns: &[Column],
    ) -> Self {
        let n_policies = n_repeats * columns.len();
        let sum = |of: fn(&Column) -> &Choices| {
            let mut sum = Choices::default();
            columns.iter().for_each(|column| sum.add(of(column)));
            sum
        };
        let routed = sum(|column| &column.routed_choices);
        let constant = sum(|column| &column.constant_choices);
        Self {
            estimator,
            source: truth.propensities().source(),
            n_prompts: routed.n / n_policies,
            effective_prompts: routed.effective(n_policies),
            low_share: routed.low_share(n_policies),
            constant_low_share: constant.low_share(n_policies),
            decided_share: decided_share(truth),
        }
    }

    /// Of a table in which nothing is missing.
    pub fn of_all_known(n_prompts: usize) -> Self {
        Self {
            estimator: Estimator::Mean,
            source: PropensitySource::Complete,
            n_prompts,
            effective_prompts: n_prompts as f64,
            low_share: 0.0,
            constant_low_share: 0.0,
            decided_share: 0.0,
        }
    }

    /// Why the known scores do not carry a verdict; `None` where they do, as they always do with nothing missing.
    pub fn refusal(&self) -> Option<Refusal> {
        let low_share = self.low_share.max(self.constant_low_share);
        Refusal::of(
            self.source,
            self.decided_share,
            low_share,
            [self.effective_prompts, self.n_prompts as f64],
        )
    }
}

impl Refusal {
    /// By the number of effective prompts, and by that of all prompts.
    pub(crate) fn of(
        source: PropensitySource,
        decided_share: f64,
        low_share: f64,
        [effective_prompts, n_prompts]: [f64; 2],
    ) -> Option<Self> {
        if source == PropensitySource::Complete {
            return None;
        }
        // In the order of what is hardest to cure. NaN is no reason.
        if decided_share > DETERMINISTIC_SHARE {
            Some(Self::Deterministic { decided_share })
        } else if low_share > MOST_UNSUPPORTED {
            Some(Self::Unsupported { low_share })
        } else if effective_prompts < FEWEST_EFFECTIVE && effective_prompts < 0.5 * n_prompts {
            Some(Self::FewEffective { effective_prompts })
        } else {
            None
        }
    }
}

/// What a policy's choices at one worth add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Choices {
    n: usize,
    /// Choices with a propensity that is known to be below [`LOW_PROPENSITY`].
    n_low: usize,
    /// Choices with a propensity that nobody says.
    n_unsaid: usize,
    /// Sum of weights, and of their squares.
    weights: f64,
    squares: f64,
    /// Sum of the weights of propensities that are not low.
    supported: f64,
}

impl Choices {
    /// Each repeat has an LLM for each prompt that is judged.
    pub(crate) fn of<'a>(
        truth: &Truth<'_>,
        repeats: impl Iterator<Item = &'a [Option<usize>]>,
    ) -> Self {
        let mut this = Self::default();
        let of_prompts = repeats.flat_map(|choices| choices.iter().enumerate());
        for (prompt_idx, model_idx) in of_prompts {
            let Some(model_idx) = *model_idx else {
                continue;
            };
            let propensities = truth.propensities();
            let weight = propensities.weight(prompt_idx, model_idx);
            this.n += 1;
            let is_low = is_low(truth, prompt_idx, model_idx);
            this.n_low += usize::from(is_low);
            let is_said = !propensities.probability(prompt_idx, model_idx).is_nan();
            this.n_unsaid += usize::from(!is_low && !is_said);
            this.weights += weight;
            this.squares += weight * weight;
            if weight <= 1.0 / LOW_PROPENSITY {
                this.supported += weight;
            }
        }
        this
    }

    /// How many choices there are.
    pub(crate) fn n(&self) -> usize {
        self.n
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.n_low += other.n_low;
        self.n_unsaid += other.n_unsaid;
        self.weights += other.weights;
        self.squares += other.squares;
        self.supported += other.supported;
    }

    /// See [`Support::effective_prompts`], of so many policies together.
    pub(crate) fn effective(&self, n_policies: usize) -> f64 {
        self.weights * self.weights / self.squares / n_policies as f64
    }

    /// At least this share of choices has a low propensity: those of which it is known; and of those whose propensity nobody says, what the weights of
    /// the supported choices, which sum to their number in expectation, leave, less two standard errors of that sum.
    pub(crate) fn low_share(&self, n_policies: usize) -> f64 {
        let n = self.n as f64;
        // Choices of one prompt at several worths are mostly the same choice.
        let error = (self.squares * n_policies as f64).sqrt();
        let left = n - self.n_low as f64 - self.supported - 2.0 * error;
        (self.n_low as f64 + left.clamp(0.0, self.n_unsaid as f64)) / n
    }
}

/// Whether an LLM's propensity is known to be low: by itself, or by what those of the others leave of 1 where one LLM was asked.
fn is_low(truth: &Truth<'_>, prompt_idx: usize, model_idx: usize) -> bool {
    let probability = |m| truth.propensities().probability(prompt_idx, m);
    if !probability(model_idx).is_nan() {
        return probability(model_idx) < LOW_PROPENSITY;
    }
    let others: f64 = (0..truth.n_models())
        .map(probability)
        .filter(|it| !it.is_nan())
        .sum();
    is_alone(truth, prompt_idx) && 1.0 - others < LOW_PROPENSITY
}

/// Whether one LLM was asked.
fn is_alone(truth: &Truth<'_>, prompt_idx: usize) -> bool {
    truth.n_models() > 1 && truth.known(prompt_idx).count() == 1
}

/// See [`Support::decided_share`].
pub(crate) fn decided_share(truth: &Truth<'_>) -> f64 {
    let is_decided = |prompt_idx: usize| {
        is_alone(truth, prompt_idx)
            && truth.known(prompt_idx).all(|(model_idx, ..)| {
                let probability = truth.propensities().probability(prompt_idx, model_idx);
                probability > 1.0 - LOW_PROPENSITY
            })
    };
    let n_decided = (0..truth.n_prompts()).filter(|&i| is_decided(i)).count();
    n_decided as f64 / truth.n_scored_prompts() as f64
}
