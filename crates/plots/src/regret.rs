//! What routers lose against the Bayes router, which knows the true expectations: by the number of train prompts, and by lambda.

mod drawing;

use anyhow::Context as _;
use dataset::PerModel;
use evaluation::{Interval, Predicted, RegretIntervals, Resamples, Router, Truth, Weights, regret};

pub(crate) use self::drawing::draw;
use crate::{
    contenders::{Role, contenders},
    inputs::Inputs,
    settings::{BootstrapSettings, RegretSettings, Settings},
    tables::csv_text,
    theme::Series,
};

/// The regrets of a data set's routers.
#[derive(Debug)]
pub(crate) struct Regrets {
    pub(crate) dataset: String,
    /// Each lambda of the figure.
    pub(crate) grid: Vec<f64>,
    pub(crate) by_lambda: Vec<ByLambda>,
    pub(crate) by_size: Vec<BySize>,
    settings: RegretSettings,
    level: f64,
}

/// One router's regret, fitted on all of the train split.
#[derive(Debug)]
pub(crate) struct ByLambda {
    pub(crate) series: Series,
    /// One per lambda of the grid.
    pub(crate) at: Vec<Interval>,
    /// Over all lambdas.
    pub(crate) integrated: Interval,
    named: Vec<Interval>,
    n_prompts: usize,
}

/// One router's regret by what it was fitted on.
#[derive(Debug)]
pub(crate) struct BySize {
    pub(crate) series: Series,
    /// By number of train prompts, which ascends.
    pub(crate) sizes: Vec<(usize, RegretIntervals)>,
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
    pub(crate) fn new(inputs: &Inputs, settings: &Settings) -> anyhow::Result<Self> {
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
            if !matches!(
                contender.role,
                Role::PerModelRouter | Role::PairRouter | Role::Zero
            ) {
                continue;
            }
            let mut whole = measure.intervals(&contender.router, &lambdas)?;
            let at = whole.at.split_off(named.len());
            if let Series::Router(router) = &contender.series {
                let mut sizes = Vec::new();
                for (n_train, predictions) in inputs.learning_curve(router)? {
                    let found = measure.intervals(&inputs.router(&predictions)?, named)?;
                    sizes.push((n_train, found));
                }
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

    /// All numbers. Without a lambda a regret is the integral over all of them; without a number of train prompts the router was not fitted.
    pub(crate) fn csv(&self) -> String {
        let mut csv = "name,n_train,lambda,regret,low,high,n_prompts\n".to_owned();
        let mut add = |series: &Series, n_train: &str, lambda: &str, found: &Interval, n: usize| {
            let Interval {
                estimate,
                low,
                high,
                ..
            } = found;
            csv += &format!(
                "{},{n_train},{lambda},{estimate},{low},{high},{n}\n",
                csv_text(&series.key())
            );
        };
        for of in &self.by_size {
            for (n_train, found) in &of.sizes {
                let n_train = n_train.to_string();
                add(&of.series, &n_train, "", &found.integrated, found.n_prompts);
                for (lambda, at) in self.settings.lambdas.iter().zip(&found.at) {
                    add(
                        &of.series,
                        &n_train,
                        &lambda.to_string(),
                        at,
                        found.n_prompts,
                    );
                }
            }
        }
        for of in &self.by_lambda {
            let n_train = self
                .n_train(&of.series)
                .map_or(String::new(), |n| n.to_string());
            if n_train.is_empty() {
                add(&of.series, "", "", &of.integrated, of.n_prompts);
            }
            for (lambda, at) in self.grid.iter().zip(&of.at) {
                // These are there already.
                if n_train.is_empty() || !self.settings.lambdas.contains(lambda) {
                    add(&of.series, &n_train, &lambda.to_string(), at, of.n_prompts);
                }
            }
        }
        csv
    }

    /// A row for each router and number of train prompts.
    pub(crate) fn markdown(&self) -> String {
        let lambdas = self
            .settings
            .lambdas
            .iter()
            .map(|lambda| format!(" | at lambda {lambda}"));
        let mut text = format!(
            "| Router | Train prompts | Regret | {}% interval{} |\n| --- | ---: | ---: | ---:{} |\n",
            100.0 * self.level,
            lambdas.collect::<String>(),
            " | ---:".repeat(self.settings.lambdas.len())
        );
        let mut add = |series: &Series, n_train: &str, integrated: &Interval, at: &[Interval]| {
            let at = at.iter().map(|found| format!(" | {:.4}", found.estimate));
            text += &format!(
                "| {} | {n_train} | {:.4} | {:.4} to {:.4}{} |\n",
                series.name().replace('|', "\\|"),
                integrated.estimate,
                integrated.low,
                integrated.high,
                at.collect::<String>()
            );
        };
        for of in &self.by_size {
            for (n_train, found) in &of.sizes {
                add(
                    &of.series,
                    &n_train.to_string(),
                    &found.integrated,
                    &found.at,
                );
            }
        }
        for of in self
            .by_lambda
            .iter()
            .filter(|of| self.n_train(&of.series).is_none())
        {
            add(&of.series, "", &of.integrated, &of.named);
        }
        text + &format!(
            "\nRegret is the mean over test prompts of the utility `(1 - lambda) * score - lambda * {} * cost_usd` that is expected of the Bayes \
             router's choice, less that of the router's; integrated over lambda from 0 to 1, exactly, and at single lambdas. A router of two LLMs has \
             the best threshold for each lambda in hindsight, the zero router the best LLM. Intervals are percentiles over resampled test prompts.\n",
            self.settings.cost_multiplier
        )
    }

    /// On how many prompts a router was fitted.
    fn n_train(&self, series: &Series) -> Option<usize> {
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
