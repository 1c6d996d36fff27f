//! Fitting of routers on embeddings: from a table of scores and costs to a router in memory, and from there to disk or to out-of-fold
//! predictions.
//!
//! Holds the settings of all learners ([`Settings`], configs/routers.toml), what each learner makes of a table ([`LearnerParams::fit`],
//! [`FittedRouter`]), folds ([`Folds`]), cross-fitting ([`cross_fit`]) and its gain ([`cross_fit_gains`]), the same on permuted prompts
//! ([`null_gains`]), and with which probability a log's policy asked each LLM ([`log_propensities`]). In come tables and embeddings, out go routers, predictions, and what was chosen on the way.
//! Must not know libtorch, a command line, or where embeddings come from.
//!
//! ```text
//! LearnerParams::prepare(learner, embeddings) -> Prepared      what does not depend on scores and costs
//! Prepared::fit(table, info)                  -> FittedRouter  as often as there are tables of these rows
//! FittedRouter::predictions(embeddings, table, info), FittedRouter::save(folder)
//! ```

mod chosen;
mod cross_fit;
mod error;
mod fitted;
mod folds;
mod learner;
mod null;
mod pair;
mod params;
mod prepared;
mod propensities;
mod settings;
mod targets;
mod token_lines;

pub use crate::{
    chosen::RouteDecision,
    cross_fit::{CrossFitted, FoldFit, Subject, cross_fit, cross_fit_gains, worths},
    error::{Error, Result},
    fitted::FittedRouter,
    folds::{Folds, Together},
    learner::Learner,
    null::{NullGains, NullSettings, null_gains},
    pair::{PairLabels, pair_scores},
    params::{LearnerParams, Recipe},
    prepared::Prepared,
    propensities::{Calibration, LogPropensities, log_propensities},
    settings::{
        BUILT_IN, CrossFitSettings, DefaultEmbedding, DistillSettings, EmbedderSettings,
        LearningCurveSettings, RobertaNames, SavedSettings, SentenceKnn, Settings,
    },
    token_lines::token_lines,
};
