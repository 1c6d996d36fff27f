//! How fast CARROT (KNN) learns, on problems whose truth is known, against the rate that theory promises.
//!
//! Stub; to be replaced.

mod error;
mod predicted;
mod problem;
mod search;
mod settings;
mod slope;
mod study;

pub use crate::{
    error::{Error, Result},
    predicted::predicted_excess_risk,
    problem::{LlmParams, N_LLMS, N_OUTPUTS, Problem, Sample},
    search::Search,
    settings::{DimensionParams, ProblemParams, Size, SizeParams, Study, StudyParams},
    slope::{Bootstrap, PowerLaw, power_law},
    study::ROUTERS,
};
