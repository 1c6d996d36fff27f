//! What routers lose against the Bayes router, which knows the true expectations: by the number of train prompts, and by lambda.

use anyhow::Context as _;
use dataset::PerModel;
use evaluation::{
    Interval, Predicted, Router, Truth,
    study::{RegretIntervals, Resamples, Weights, regret},
};

use crate::{
    data::{
        contenders::{Role, contenders},
        inputs::Inputs,
        series::Series,
    },
    settings::{BootstrapSettings, RegretSettings, Settings},
};

/// The regrets of a data set's routers.
#[derive(Debug)]
pub(super) struct Regrets {
    pub(super) dataset: String,
    /// Each lambda of the figure.
    pub(super) grid: Vec<f64>,
    pub(super) by_lambda: Vec<ByLambda>,
    pub(super) by_size: Vec<BySize>,
    pub(super) settings: RegretSettings,
    /// Level of confidence of all intervals.
    pub(super) level: f64,
}

/// One router's regret, fitted on all of the train split.
#[derive(Debug)]
pub(super) struct ByLambda {
    pub(super) series: Series,
    /// One per lambda of the grid.
    pub(super) at: Vec<Interval>,
    /// Over all lambdas.
    pub(super) integrated: Interval,
    /// One per lambda of the table.
    pub(super) named: Vec<Interval>,
    pub(super) n_prompts: usize,
}

/// One router's regret by what it was fitted on.
#[derive(Debug)]
pub(super) struct BySize {
    pub(super) series: Series,
    /// By number of train prompts, which ascends.
    pub(super) sizes: Vec<(usize, RegretIntervals)>,
}

/// What all regrets of a data set are measured by.
struct Measure<'a> {
    expectations: &'a PerModel,
    truth: Truth<'a>,
    resamples: Resamples,
    level: f64,
    cost_multiplier: f64,
}

impl Regrets {
    /// Measures the routers that have predictions, and the zero router.
    ///
    /// # Errors
    /// When predictions cannot be read, or leave nothing to choose.
    pub(super) fn new(inputs: &Inputs, settings: &Settings) -> anyhow::Result<Self> {
        let BootstrapSettings {
            n_resamples,
            seed,
            level,
        } = settings.bootstrap;
        let expectations = inputs.expectations.as_ref();
        let expectations = expectations.context("the data set has no true expectations")?;
        let measure = Measure {
            expectations,
            truth: Truth::expected(expectations)?,
            resamples: Resamples::drawn(n_resamples, seed)?,
            level,
            cost_multiplier: settings.regret.cost_multiplier,
        };
        let n_steps = settings.regret.n_steps;
        let grid: Vec<f64> = (0..=n_steps)
            .map(|step| step as f64 / n_steps as f64)
            .collect();
        let named = &settings.regret.lambdas;
        let lambdas = [&named[..], &grid].concat();
        let (mut by_lambda, mut by_size) = (Vec::new(), Vec::new());
        for contender in contenders(inputs)? {
            // Not the RouterBench rule, whose regret would mix the errors of two predictors, nor the
            // true expectations, whose regret is 0 by definition.
            if !matches!(
                contender.role,
                Role::PerModelRouter | Role::PairRouter | Role::Zero
            ) {
                continue;
            }
            // The lambdas of the table and those along the lines in one call: resampling is the expensive part, and is shared.
            let mut whole = measure.intervals(&contender.router, &lambdas)?;
            let at = whole.at.split_off(named.len());
            if let Series::Router(router) = &contender.series {
                let mut sizes = Vec::new();
                for (n_train, predictions) in inputs.learning_curve(router)? {
                    let found = measure.intervals(&inputs.router(&predictions)?, named)?;
                    sizes.push((n_train, found));
                }
                // The router itself was fitted on all train prompts; it is the last point of its learning curve unless that ends with a fit
                // on as many.
                if sizes
                    .last()
                    .is_none_or(|&(n_train, _)| n_train < inputs.info().n_train)
                {
                    sizes.push((inputs.info().n_train, whole.clone()));
                }
                by_size.push(BySize {
                    series: contender.series.clone(),
                    sizes,
                });
            }
            by_lambda.push(ByLambda {
                series: contender.series,
                at,
                integrated: whole.integrated,
                named: whole.at,
                n_prompts: whole.n_prompts,
            });
        }
        Ok(Self {
            dataset: inputs.name.clone(),
            grid,
            by_lambda,
            by_size,
            settings: settings.regret.clone(),
            level,
        })
    }

    /// On how many prompts a router was fitted.
    pub(super) fn n_train(&self, series: &Series) -> Option<usize> {
        let of = self.by_size.iter().find(|of| of.series == *series)?;
        of.sizes.last().map(|&(n_train, _)| n_train)
    }
}

impl Measure<'_> {
    fn intervals(&self, router: &Router<'_>, lambdas: &[f64]) -> anyhow::Result<RegretIntervals> {
        let weights = Weights {
            lambdas,
            cost_multiplier: self.cost_multiplier,
        };
        let bayes = Predicted::of(self.expectations)?;
        let found = regret(&self.truth, bayes, router, weights)?;
        Ok(found.intervals(&self.truth, &self.resamples, self.level)?)
    }
}
