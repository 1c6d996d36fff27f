//! What a run leaves: tables, the files written or skipped, and the record of what they were made from.

pub(crate) mod made_from;
pub(crate) mod outcome;
pub(crate) mod sources;
pub(crate) mod tables;
