use std::path::PathBuf;

use dataset::Unusable;
use saved_routers::TokenRange;

use crate::token_words::grouped;

/// What can go wrong when a router is calibrated, or a calibration used.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// A number of a goal that is out of range.
    #[error("{what} is {value}, expected a number {}", if *most == 1.0 { "from 0 to 1" } else { "of at least 0" })]
    BadGoal {
        /// What the number measures, a noun.
        what: &'static str,
        /// The number.
        value: f64,
        /// The largest that makes sense.
        most: f64,
    },
    /// A share of held-out prompts that leaves none on one side.
    #[error("the share of untouched prompts is {share}, expected a number between 0 and 1")]
    BadHoldoutShare {
        /// The share.
        share: f64,
    },
    /// A goal that the router does not reach on the prompts that choose its setting.
    #[error("`{router}` cannot reach {goal} on the calibration prompts: {nearest}")]
    OutOfReach {
        /// The router.
        router: String,
        /// The goal, in words.
        goal: String,
        /// The nearest that the router reaches, in words.
        nearest: String,
    },
    /// A goal that not even the safest setting keeps with the probability asked for.
    #[error(
        "`{router}` cannot keep to {goal} with {confidence} confidence over {n_new_prompts} new prompts, by {n_testing} calibration prompts; the \
         nearest that it can promise is {nearest}; {enough}"
    )]
    NotPromised {
        /// The router.
        router: String,
        /// The goal, in words.
        goal: String,
        /// The probability, in percent.
        confidence: Box<str>,
        /// The number of new prompts.
        n_new_prompts: usize,
        /// The number of prompts that tested settings.
        n_testing: usize,
        /// The nearest goal that can be promised, in words.
        nearest: Box<str>,
        /// What would help, in words.
        enough: Box<str>,
    },
    /// A promise about choices that the known scores say too little of.
    #[error("`{router}` cannot promise {goal}: {why}")]
    NotSupported {
        /// The router.
        router: String,
        /// The goal, in words.
        goal: String,
        /// Why not, and what would help.
        why: String,
    },
    /// A part of what an LLM costs whose cost is not known.
    #[error(
        "`{router}` cannot be calibrated to {goal}: the cost of `{model}` is known for {n_known} of {n_prompts} test prompts, and {} of those that choose the \
         setting",
        if *is_promise { "a promise needs it for each" } else { "for none" }
    )]
    UnknownReference {
        /// The router.
        router: String,
        /// The goal, in words.
        goal: String,
        /// The LLM.
        model: String,
        /// Test prompts for which its cost is known.
        n_known: usize,
        /// Test prompts.
        n_prompts: usize,
        /// Whether the goal was to be kept with a probability.
        is_promise: bool,
        /// The budget in US dollars per 1,000 prompts that comes to the same, where the LLM's mean cost is known.
        budget_usd_per_1k: Option<f64>,
    },
    /// Predictions of LLMs that the router no longer has.
    #[error(
        "the LLMs of `{}` were changed after its fit, so there are no predictions of the new ones for the test prompts; calibrate the router \
         that it was made from, or fit a router on a data set with these LLMs",
        folder.display()
    )]
    Edited {
        /// The router's folder.
        folder: PathBuf,
    },
    /// Predictions that are missing, or not for the test part as it is now.
    #[error(transparent)]
    Unusable(#[from] Box<Unusable>),
    /// Predictions of another fit than the saved one.
    #[error(
        "`{}` was predicted by a different fit of the router than the one in `{}`",
        predictions.display(),
        folder.display()
    )]
    OtherFit {
        /// The predictions.
        predictions: PathBuf,
        /// The router's folder.
        folder: PathBuf,
        /// The data set.
        dataset: String,
        /// The router.
        router: String,
    },
    /// A router of two LLMs that does not say which.
    #[error("the record of `{router}` names no pair of LLMs")]
    NoPair {
        /// The router.
        router: String,
    },
    /// Too few test prompts to calibrate on some and check on others.
    #[error("there are too few test prompts to leave some untouched")]
    TooFewPrompts(#[source] dataset::Error),
    /// The untouched prompts cannot check a setting.
    #[error("cannot check a setting on the untouched prompts")]
    Untouched(#[source] evaluation::Error),
    /// A calibration for another routing rule than the one in use.
    #[error(
        "calibration `{name}` is for a cost multiplier of {found}, expected {expected}; calibrate again"
    )]
    OtherMultiplier {
        /// The calibration.
        name: String,
        /// Its multiplier.
        found: f64,
        /// The multiplier of the rule.
        expected: f64,
    },
    /// A calibration of a router that decides between two LLMs.
    #[error(
        "calibration `{name}` is a threshold of {threshold} for `{router}`, which decides between two LLMs; only routers of all LLMs have a mu"
    )]
    IsThreshold {
        /// The calibration.
        name: String,
        /// The router.
        router: String,
        /// The threshold.
        threshold: f64,
    },
    /// Prompts of other lengths than the calibration was made on.
    #[error(
        "calibration `{name}` was made on prompts of {} input tokens on average ({} to {}), but {} {}: its costs do not hold for such prompts",
        grouped(expected.mean),
        grouped(expected.least),
        grouped(expected.most),
        if *n_prompts == 1 { "this prompt has".to_owned() } else { format!("the {n_prompts} prompts so far have") },
        if *n_prompts == 1 { grouped(*mean) } else { format!("{} on average", grouped(*mean)) },
    )]
    OtherTokens {
        /// The calibration.
        name: String,
        /// The prompts so far.
        n_prompts: usize,
        /// Their input tokens, in the mean.
        mean: f64,
        /// Those of the prompts that it was made on.
        expected: TokenRange,
        /// Whether the requests gave their counts.
        are_given: bool,
    },
    /// The prompts or predictions cannot be evaluated.
    #[error(transparent)]
    Evaluation(#[from] evaluation::Error),
    /// A split or predictions could not be read.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    /// The router could not be read, or the calibration could not be read or written.
    #[error(transparent)]
    SavedRouter(#[from] saved_routers::Error),
}
