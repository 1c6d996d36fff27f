use std::path::PathBuf;

use evaluation::published::PublishedError;

/// What can keep claims from being judged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the data folder, or a file of claims.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    /// Numbers that cannot be measured.
    #[error(transparent)]
    Evaluation(#[from] evaluation::Error),
    /// The published numbers.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// Settings with which nothing can be measured.
    #[error(
        "the claims' settings ask for {n_resamples} resamples, level {level} and multiplier {cost_multiplier}, expected numbers above 0 and a \
         level below 1"
    )]
    BadSettings {
        /// Resamples.
        n_resamples: usize,
        /// Level of intervals.
        level: f64,
        /// Dollars to the scale of scores.
        cost_multiplier: f64,
    },
    /// Two claims with the same id.
    #[error("two claims have the id `{id}`")]
    DuplicateClaim {
        /// The id.
        id: String,
    },
    /// A claim that no number can be held against.
    #[error("claim `{id}` does not expect a finite number, or has a tolerance below 0")]
    BadExpectation {
        /// The id.
        id: String,
    },
    /// A data set that there is no claim about.
    #[error("no claim is about a data set `{name}`, but about {}", known.join(", "))]
    UnknownDataset {
        /// The name.
        name: String,
        /// The data sets that there are claims about.
        known: Vec<String>,
    },
    /// A claim that there is not, among those of the data sets asked for.
    #[error("there is no claim `{id}` about the data sets asked for; verdict.json lists the ids")]
    UnknownClaim {
        /// The id.
        id: String,
    },
    /// A data set's findings of another form than gen-openllm's.
    #[error("`findings.summary` in `{}` is of an unknown form", path.display())]
    BadSummary {
        /// The data set's dataset.json.
        path: PathBuf,
        /// What the library said.
        source: serde_json::Error,
    },
    /// Nothing to measure.
    #[error("{what}")]
    NothingKnown {
        /// What is unknown.
        what: String,
    },
    /// A task outside all benchmarks of a claim.
    #[error("task `{task}` belongs to none of {}", benchmarks.join(", "))]
    NoBenchmark {
        /// The task.
        task: String,
        /// The benchmarks.
        benchmarks: Vec<String>,
    },
    /// Predictions that say that they belong to the test part, and do not.
    #[error("{why}")]
    Unusable {
        /// The reason and what renews them.
        why: String,
    },
    /// A metric of each LLM's predictions for a router that has none.
    #[error("the router does not predict the score of each LLM, which the metric needs")]
    NotPerModel,
    /// A claim whose number cannot be measured, although everything it needs exists.
    #[error("cannot measure `{id}`")]
    Measure {
        /// The claim.
        id: String,
        /// Why.
        source: Box<Self>,
    },
    /// Verdicts that cannot be written as JSON.
    #[error("cannot write the verdicts as JSON")]
    Json(#[from] serde_json::Error),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
