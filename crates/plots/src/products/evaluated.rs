//! A data set with what its predictions are worth: what most figures are made from.

use crate::{
    data::{inputs::Inputs, results::Results},
    settings::job::Job,
};

/// A data set with what its predictions are worth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evaluated<'a> {
    pub(crate) job: &'a Job,
    pub(crate) inputs: &'a Inputs,
    pub(crate) results: &'a Results,
}
