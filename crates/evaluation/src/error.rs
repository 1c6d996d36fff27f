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
    /// No prompt has an LLM with a known score, a known cost and finite predictions.
    #[error(
        "no choice to make: none of {n_prompts} prompts has an LLM with known score and cost and finite predictions"
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
    /// A weight of cost outside [0, 1].
    #[error("lambda is `{lambda}`, expected a number in [0, 1]")]
    BadLambda {
        /// The weight.
        lambda: f64,
    },
    /// A factor of cost that is no positive finite number.
    #[error("cost multiplier is `{cost_multiplier}`, expected a finite number above 0")]
    BadCostMultiplier {
        /// The factor.
        cost_multiplier: f64,
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
