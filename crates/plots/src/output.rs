//! What a run leaves: tables, and the files written or skipped.

pub(crate) mod outcome;
pub(crate) mod tables;
