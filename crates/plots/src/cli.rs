//! From the command line to files: what was asked for, checked, selected and made.

pub(crate) mod args;
pub(crate) mod run;

mod job;
mod selection;
