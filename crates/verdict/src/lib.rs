//! Whether the reproduction holds: every published number that is known, and what a known truth demands, against ours.
//!
//! In come the claims of configs/published.toml and configs/claims.toml, data sets, predictions and learning curves; out goes a [`Report`].
//! A claim is passed, failed, not run (with the reason), or only reported, where there is nothing to hold a number against. Must not make
//! what is missing, nor know how a prediction was made; whatever is measured is measured by `evaluation`.
//!
//! From claim to verdict: `claims` say what is claimed, [`Job`] chooses among them, `subject` reads a data set, `measure` finds our number or
//! what keeps it from being found, [`judge`] compares, [`Report`] presents.

mod claims;
mod error;
mod job;
mod judge;
mod measure;
mod obstacle;
mod report;
mod subject;

pub use crate::{
    claims::{Claim, ClaimSettings, End, Expect},
    error::{Error, Result},
    job::{Job, Selection},
    judge::{Status, Verdict, judge},
    report::{Counts, Report},
};
