use crate::choice::Refusal;

/// What can be wrong with what is to be evaluated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A matrix or vector does not fit the others.
    #[error("{what} have shape `{found:?}`, expected `{expected:?}`")]
    Shape {
        /// What was given, in the plural.
        what: &'static str,
        /// The shape of what it has to fit.
        expected: (usize, usize),
        /// Its own shape.
        found: (usize, usize),
    },
    /// There is no prompt or no LLM at all.
    #[error("nothing to evaluate: {n_prompts} prompts and {n_models} LLMs")]
    Empty {
        /// Rows.
        n_prompts: usize,
        /// Columns.
        n_models: usize,
    },
    /// No prompt goes, by finite predictions, to an LLM whose score and cost are known.
    #[error(
        "no choice to judge: none of {n_prompts} prompts goes to an LLM with known score and cost and finite predictions"
    )]
    NothingToChoose {
        /// Rows.
        n_prompts: usize,
    },
    /// A position beyond the last LLM.
    #[error("no LLM at position `{model_idx}`, there are {n_models}")]
    NoSuchModel {
        /// The position.
        model_idx: usize,
        /// Columns.
        n_models: usize,
    },
    /// An LLM without any known score and cost.
    #[error("the LLM at position `{model_idx}` has no prompt with a known score and cost")]
    UnknownModel {
        /// The position.
        model_idx: usize,
    },
    /// A reference LLM without any known score and cost on some prompts.
    #[error(
        "the reference LLM at position `{model_idx}` has no known score and cost on `{prompts}`"
    )]
    UnknownReference {
        /// The position.
        model_idx: usize,
        /// Which prompts: a benchmark's label as a rule.
        prompts: String,
    },
    /// A propensity that is no probability, or 0, with which nothing would be known.
    #[error(
        "the propensity of the LLM at position `{model_idx}` is `{value}` in row {row}, expected a probability above 0 and up to 1"
    )]
    BadPropensity {
        /// The prompt's row, from 1.
        row: usize,
        /// The LLM's position.
        model_idx: usize,
        /// The propensity.
        value: f64,
    },
    /// A known score without the probability that it is known.
    #[error(
        "the LLM at position `{model_idx}` has a score in row {row}, but no propensity; give one wherever a score is known, or none at all"
    )]
    UnknownPropensity {
        /// The prompt's row, from 1.
        row: usize,
        /// The LLM's position.
        model_idx: usize,
    },
    /// A position beyond the last point of a curve.
    #[error("no point at position `{point_idx}`, the curve has {n_points}")]
    NoSuchPoint {
        /// The position.
        point_idx: usize,
        /// Points.
        n_points: usize,
    },
    /// A binary router without the two LLMs that it chooses between.
    #[error("a binary router has nothing to choose between: {why}")]
    NoPair {
        /// The reason.
        why: String,
    },
    /// A name that no LLM has.
    #[error("no LLM is named `{name}`, there are `{}`", models.join("`, `"))]
    NoModelOfThatName {
        /// The name.
        name: String,
        /// The names there are.
        models: Vec<String>,
    },
    /// A margin that is not positive and finite: thresholds have to reach a little beyond the probabilities.
    #[error("a margin of `{margin}`, expected a finite number above 0")]
    BadMargin {
        /// The margin.
        margin: f64,
    },
    /// A prediction that is NaN or infinite where all have to be finite.
    #[error("predicted {what} of `{model}` in row {row} is `{value}`, expected a finite number")]
    NotFinite {
        /// `score` or `cost`.
        what: &'static str,
        /// The prompt's row, from 1.
        row: usize,
        /// The LLM's name.
        model: String,
        /// The prediction.
        value: f64,
    },
    /// A benchmark of the test part without validation prompts to choose lambda on.
    #[error(
        "no validation prompt is of benchmark `{benchmark}`, choose lambda over all benchmarks or on test"
    )]
    NoValidation {
        /// The benchmark.
        benchmark: String,
    },
    /// A bootstrap without resamples.
    #[error("a bootstrap needs at least 1 resample")]
    NoResamples,
    /// A level of confidence outside (0, 1).
    #[error("level of confidence is `{level}`, expected a number between 0 and 1")]
    BadLevel {
        /// The level.
        level: f64,
    },
    /// A budget that is NaN or negative.
    #[error("budget is `{budget}`, expected a number of at least 0")]
    BadBudget {
        /// The budget, in dollars or as a ratio.
        budget: f64,
    },
    /// A goal that a router does not reach.
    #[error("{what} of `{asked}` is out of reach: the router has `{least}` to `{most}`")]
    OutOfReach {
        /// What was asked for.
        what: &'static str,
        /// The value.
        asked: f64,
        /// The least that the router has at any setting.
        least: f64,
        /// The most.
        most: f64,
    },
    /// A goal that not even the safest setting keeps with the probability asked for.
    #[error("{0}")]
    NotPromised(Box<Refusal>),
    /// A confidence outside [.5, 1).
    #[error("confidence is `{confidence}`, expected a number from 0.5 to below 1")]
    BadConfidence {
        /// The confidence.
        confidence: f64,
    },
    /// A reference LLM without a known cost for a prompt.
    #[error(
        "the cost of the LLM at position `{model_idx}` is not known for every prompt, so a part of it cannot be promised"
    )]
    PartlyUnknown {
        /// The position.
        model_idx: usize,
    },
    /// A goal that means nothing.
    #[error("the goal is `{value}`, expected a number from 0 to `{most:e}`")]
    BadGoal {
        /// The value.
        value: f64,
        /// The most that it may be.
        most: f64,
    },
    /// A prediction for no prompts.
    #[error("a calibration predicts for at least 1 new prompt")]
    NoNewPrompts,
    /// A setting for a router that has none of the kind.
    #[error("the router has no such setting")]
    NothingToSet,
    /// A weight of cost outside [0, 1].
    #[error("lambda is `{lambda}`, expected a number in [0, 1]")]
    BadLambda {
        /// The weight.
        lambda: f64,
    },
    /// A factor of cost that is not a positive finite number.
    #[error("cost multiplier is `{cost_multiplier}`, expected a finite number above 0")]
    BadCostMultiplier {
        /// The factor.
        cost_multiplier: f64,
    },
    /// A worth of a whole score that is not above 0.
    #[error("a whole score is worth `{worth_usd}` dollars, expected a number above 0")]
    BadWorth {
        /// The worth.
        worth_usd: f64,
    },
    /// No prompt has a prediction, a best constant and, where both differ, known truths of both.
    #[error(
        "no prompt to judge the router by: of {n_prompts} none has predictions, a best single LLM from the rows fitted on, and known scores"
    )]
    NothingToJudge {
        /// Rows.
        n_prompts: usize,
    },
    /// A grid without steps.
    #[error("a grid of lambdas needs at least 1 step")]
    NoSteps,
    /// A cost range that is upside down or not finite.
    #[error(
        "cost range is `{min_usd}` to `{max_usd}`, expected two finite numbers in ascending order"
    )]
    BadCostRange {
        /// Lower end.
        min_usd: f64,
        /// Upper end.
        max_usd: f64,
    },
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
