//! The field's metrics of all contenders on one data set, with bootstrap intervals over its test prompts.

use anyhow::Context as _;
use evaluation::{
    Interval, Router, Truth,
    metric::Metric,
    study::{Bootstrap, Resamples, bootstrap},
};

use super::{contenders::contenders, inputs::Inputs};
use crate::settings::BootstrapSettings;

/// Contenders and what was measured of them.
#[derive(Debug)]
pub(crate) struct Intervals {
    pub(crate) dataset: String,
    pub(crate) n_prompts: usize,
    /// Key and name of each contender, in the order of tables.
    pub(crate) routers: Vec<(String, String)>,
    /// Names of the small and the large LLM whose calls APGR and CPT count, where the data set names them.
    pub(crate) pair: Option<(String, String)>,
    pub(crate) settings: BootstrapSettings,
    bootstrap: Bootstrap,
}

impl Intervals {
    /// Measures all contenders, on the same resamples.
    ///
    /// # Errors
    /// When predictions leave nothing to choose.
    pub(crate) fn new(inputs: &Inputs, settings: BootstrapSettings) -> anyhow::Result<Self> {
        let truth = Truth::of(inputs.test())?;
        let contenders = contenders(inputs)?;
        let routers: Vec<Router<'_>> = contenders
            .iter()
            .map(|contender| contender.router)
            .collect();
        // All contenders share the resamples. Their differences are then paired, and the luck of the
        // draw, which moves all curves alike, cancels.
        let resamples = Resamples::drawn(settings.n_resamples, settings.seed)?;
        // Each resample picks its best single LLM again. If the winner on all prompts were kept, its
        // luck on them would count as skill, and the intervals of QNC would be too narrow.
        let bootstrap = bootstrap(&truth, &routers, &resamples)
            .with_context(|| format!("cannot measure the routers of `{}`", inputs.name))?;
        let model = |i: usize| inputs.test().models[i].clone();
        Ok(Self {
            dataset: inputs.name.clone(),
            n_prompts: truth.n_scored_prompts(),
            routers: contenders
                .into_iter()
                .map(|contender| (contender.series.key(), contender.series.name()))
                .collect(),
            pair: inputs
                .pair()
                .map(|pair| (model(pair.small), model(pair.large))),
            settings,
            bootstrap,
        })
    }

    /// A contender's metric.
    pub(crate) fn of(&self, router_idx: usize, metric: Metric) -> Interval {
        self.bootstrap
            .interval(router_idx, metric, self.settings.level)
            .expect("the level was checked with the settings")
    }

    /// By how much a contender's metric exceeds a reference's on the same resamples.
    pub(crate) fn difference(
        &self,
        router_idx: usize,
        reference_idx: usize,
        metric: Metric,
    ) -> Interval {
        self.bootstrap
            .difference(router_idx, reference_idx, metric, self.settings.level)
            .expect("the level was checked with the settings")
    }
}
