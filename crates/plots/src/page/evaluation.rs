//! What the routers of one data set are worth: what tables over all data sets and the page are made from, computed once in a run.

use std::collections::BTreeMap;

use super::chart::Chart;
use crate::{
    data::{inputs::Inputs, results::Results},
    settings::Settings,
};

/// The routers of a data set, evaluated.
#[derive(Debug)]
pub(crate) struct Evaluation {
    pub(crate) results: Results,
    pub(crate) chart: Chart,
    /// Why the predictions of other routers cannot be used, by router.
    pub(crate) left_out: BTreeMap<String, String>,
}

/// By data set; where there are predictions that cannot be evaluated, the reason.
pub(crate) type Evaluations = BTreeMap<String, Result<Evaluation, String>>;

impl Evaluation {
    /// Adds the interactive chart's numbers to what is known of a data set.
    ///
    /// # Errors
    /// When predictions leave nothing to choose.
    pub(crate) fn new(
        inputs: Inputs,
        results: Results,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let chart = Chart::new(&inputs, &results, settings)?;
        Ok(Self {
            results,
            chart,
            left_out: inputs.left_out,
        })
    }
}
