//! The field's metrics of all contenders on one data set, with bootstrap intervals over its test prompts, and the routers' gains over the best
//! single LLM.

use anyhow::Context as _;
use dataset::EqualPrompts;
use evaluation::{
    Interval, Router, Truth,
    metric::{Metric, RouterBench, router_bench},
    study::{Bootstrap, Resamples, bootstrap},
    worth::{Area, CrossFittedAreas, cross_fitted_areas, one_sided_p},
};

use super::{
    contenders::contenders, evidence::Evidence, gains::Gains, inputs::Inputs, series::Series,
};
use crate::settings::BootstrapSettings;

/// Contenders and what was measured of them.
#[derive(Debug)]
pub(crate) struct Intervals {
    pub(crate) dataset: String,
    pub(crate) n_prompts: usize,
    /// What the numbers rest on, where something is missing of the test part.
    pub(crate) evidence: Option<Evidence>,
    /// Key and name of each contender, in the order of tables.
    pub(crate) routers: Vec<(String, String)>,
    /// Names of the small and the large LLM whose calls APGR and CPT count, where the data set names them.
    pub(crate) pair: Option<(String, String)>,
    pub(crate) settings: BootstrapSettings,
    /// Of the routers that predict each LLM's score; they need not be contenders, which have predictions for the test part. `None` where the
    /// data set has no train part, say.
    pub(crate) gains: Option<Gains>,
    /// LLMRouterBench's numbers of each contender; `None` where a score or a cost is unknown.
    pub(crate) router_bench: Option<Vec<RouterBench>>,
    bootstrap: Bootstrap,
    areas: CrossFittedAreas,
}

/// How likely a number as far above 0, and as far below, is where the truth is 0; NaN where that is not defined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tails {
    pub(crate) above: f64,
    pub(crate) below: f64,
}

impl Tails {
    /// For whoever has not said beforehand on which side of 0 the number is.
    pub(crate) fn two_sided(self) -> f64 {
        // `f64::min` would pass over a NaN.
        if self.above.is_nan() || self.below.is_nan() {
            return f64::NAN;
        }
        (2.0 * self.above.min(self.below)).min(1.0)
    }

    fn of(resampled: impl IntoIterator<Item = f64>) -> Self {
        let (above, below) = one_sided_p(resampled);
        Self { above, below }
    }
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
        let (n_resamples, seed) = (settings.n_resamples, settings.seed);
        let groups = EqualPrompts::groups(&inputs.test().prompts);
        let areas = cross_fitted_areas(&truth, &routers, Some(&groups), n_resamples, seed)
            .with_context(|| format!("cannot cross-fit the areas of `{}`", inputs.name))?;
        let tasks = EqualPrompts::groups(&inputs.test().tasks);
        let router_bench = router_bench(&truth, &tasks, &routers)?;
        let gains = Gains::measure(inputs.dir(), Some(inputs), settings)?.ok();
        let model = |i: usize| inputs.test().models[i].clone();
        Ok(Self {
            dataset: inputs.name.clone(),
            n_prompts: truth.n_scored_prompts(),
            evidence: Evidence::of(&truth, inputs.test(), &inputs.name, &contenders)?,
            routers: contenders
                .into_iter()
                .map(|contender| (contender.series.key(), contender.series.name()))
                .collect(),
            pair: inputs
                .pair()
                .map(|pair| (model(pair.small), model(pair.large))),
            settings,
            gains,
            router_bench,
            bootstrap,
            areas,
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
    /// How likely the difference is by chance, by the share of resamples on the other side of 0.
    pub(crate) fn difference_tails(
        &self,
        router_idx: usize,
        reference_idx: usize,
        metric: Metric,
    ) -> Tails {
        let of = |router_idx: usize| self.bootstrap.resampled(router_idx, metric);
        // Costs that are never enough are infinite, and equal.
        let difference = |(a, b): (f64, f64)| if a == b { 0.0 } else { a - b };
        Tails::of(of(router_idx).zip(of(reference_idx)).map(difference))
    }

    /// A contender's cross-fitted area.
    pub(crate) fn area(&self, router_idx: usize, area: Area) -> Interval {
        self.areas
            .interval(router_idx, area, self.settings.level)
            .expect("the level was checked with the settings")
    }

    /// How likely a contender's cross-fitted area is where the truth is 0.
    pub(crate) fn area_tails(&self, router_idx: usize, area: Area) -> Tails {
        Tails::of(self.areas.resampled(router_idx, area))
    }

    /// By how much a contender's cross-fitted area exceeds a reference's on the same resamples, and how likely that is by chance.
    pub(crate) fn area_difference(
        &self,
        router_idx: usize,
        reference_idx: usize,
        area: Area,
    ) -> (Interval, Tails) {
        let interval = self
            .areas
            .difference(router_idx, reference_idx, area, self.settings.level)
            .expect("the level was checked with the settings");
        let resampled = self.areas.differences(router_idx, reference_idx, area);
        (interval, Tails::of(resampled))
    }

    /// Whether a contender is a baseline or a bound, and not something to deploy.
    pub(crate) fn is_reference(&self, router_idx: usize) -> bool {
        let key = &self.routers[router_idx].0;
        [Series::Zero, Series::Bayes]
            .iter()
            .any(|series| series.key() == *key)
    }
}
