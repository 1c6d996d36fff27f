use dataset::{DatasetDir, OutOfFold, Part, PartTable, PerModel, Predictions, WholeSet, worth};
use evaluation::{
    Predicted, Truth,
    baseline::{mean_costs, single_models},
    worth::{Baseline, CrossFit, GainReport, GainSettings, gains_by_task, prompt_gains},
};
use ndarray::s;
use tracing::warn;

use super::{Found, Gains, MeasuredOn, RouterGains};
use crate::{
    data::{
        inputs::{self, Inputs},
        series::{Series, routers::rank},
    },
    settings::BootstrapSettings,
};

impl Gains {
    /// Measures the routers that predict each LLM's score: by their out-of-fold predictions where they have some for the parts as they are, else
    /// by those for the test part. Routers of a pair have no gain, since nothing says which threshold of theirs goes with which worth.
    ///
    /// # Errors
    /// When a file that exists cannot be read.
    pub(crate) fn measure(
        dir: &DatasetDir,
        test: Option<&Inputs>,
        settings: BootstrapSettings,
    ) -> anyhow::Result<Found> {
        if !Part::ALL.iter().all(|&part| dir.split(part).is_file()) {
            return Ok(Err((
                "without a train part nothing says which LLM is the best single one".to_owned(),
                "regenerate the data set with the gen-* program that made it".to_owned(),
            )));
        }
        let whole = WholeSet::open(dir)?;
        let truth = Truth::of(whole.table())?;
        let mut measure = Measure {
            worths_usd: worth::grid(&mean_costs(&truth).to_vec()),
            settings,
            found: Vec::new(),
        };
        for router in dir.cross_fit_routers()? {
            let repeats = usable_repeats(&whole, &router)?;
            let fits: Vec<CrossFit<'_>> = repeats
                .iter()
                .filter_map(|of| Some((per_model(&of.predictions)?, &of.folds)))
                .map(|(predicted, folds)| {
                    Ok(CrossFit {
                        predicted: Predicted::of(predicted)?,
                        baseline: Baseline::Folds(folds),
                    })
                })
                .collect::<evaluation::Result<_>>()?;
            if !fits.is_empty() {
                measure.add(&router, MeasuredOn::OutOfFold, whole.table(), &fits)?;
            }
        }
        if let Some(test) = test {
            measure.add_test_part(&whole, test)?;
        }
        let mut routers = measure.found;
        if routers.is_empty() {
            return Ok(Err((
                "no router predicts the score of each LLM".to_owned(),
                format!("create predictions with `{}`", inputs::command(dir.name())),
            )));
        }
        routers.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)));
        Ok(Ok(Self {
            dataset: dir.name().to_owned(),
            worths_usd: measure.worths_usd,
            routers: routers.into_iter().map(|(_, gains)| gains).collect(),
            level: settings.level,
        }))
    }
}

/// What all routers of a data set are measured by, and what was found.
struct Measure {
    worths_usd: Vec<f64>,
    settings: BootstrapSettings,
    /// With the name of each router.
    found: Vec<(String, RouterGains)>,
}

impl Measure {
    /// Measures those that have no out-of-fold predictions, which may be too dear to fit again and again.
    fn add_test_part(&mut self, whole: &WholeSet, test: &Inputs) -> anyhow::Result<()> {
        let (table, n_train) = (whole.table(), whole.n_train());
        let train = Truth::new(
            table.scores.slice(s![..n_train, ..]),
            table.cost_usd.slice(s![..n_train, ..]),
        )?;
        let unknown = f64::NAN;
        let (scores, costs_usd): (Vec<f64>, Vec<f64>) = (single_models(&train).into_iter())
            .map(|point| point.map_or((unknown, unknown), |it| (it.accuracy, it.cost_usd)))
            .unzip();
        for input in &test.routers {
            let is_found = self.found.iter().any(|(router, _)| *router == input.router);
            let Some(predicted) = per_model(&input.predictions).filter(|_| !is_found) else {
                continue;
            };
            let fit = CrossFit {
                predicted: Predicted::of(predicted)?,
                baseline: Baseline::Means {
                    scores: &scores,
                    costs_usd: &costs_usd,
                },
            };
            self.add(&input.router, MeasuredOn::TestPart, test.test(), &[fit])?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        router: &str,
        measured_on: MeasuredOn,
        table: &PartTable,
        fits: &[CrossFit<'_>],
    ) -> anyhow::Result<()> {
        let settings = GainSettings {
            level: self.settings.level,
            n_resamples: self.settings.n_resamples,
            seed: self.settings.seed,
        };
        let gains = match prompt_gains(&Truth::of(table)?, fits, &self.worths_usd) {
            Ok(gains) => gains,
            // One router of which nothing can be said must not cost the others their figure.
            Err(error @ evaluation::Error::NothingToJudge { .. }) => {
                warn!("leaving out `{router}`: {error}");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let (names, of_prompts) = tasks(table);
        let by_task = gains_by_task(&gains, &of_prompts, names.len(), None, &settings)?;
        let by_task = names.into_iter().zip(by_task);
        let found = RouterGains {
            series: Series::Router(router.to_owned()),
            measured_on,
            report: GainReport::new(&gains, None, &settings)?,
            tasks: by_task.filter(|(_, gain)| gain.n_prompts > 0).collect(),
            of_prompts: gains.over_worths(),
        };
        self.found.push((router.to_owned(), found));
        Ok(())
    }
}

/// The repeats of a router's cross-fit that belong to the parts as they are.
fn usable_repeats(whole: &WholeSet, router: &str) -> anyhow::Result<Vec<OutOfFold>> {
    let mut repeats = Vec::new();
    for cross_fit in whole.cross_fits(router)? {
        match cross_fit {
            Ok(usable) => repeats.push(usable.out_of_fold),
            Err(unusable) => warn!("leaving out predictions: {unusable}"),
        }
    }
    Ok(repeats)
}

fn per_model(predictions: &Predictions) -> Option<&PerModel> {
    match predictions {
        Predictions::PerModel(predicted) => Some(predicted),
        Predictions::SmallWins(_) => None,
    }
}

/// The tasks in the order of their first prompts, and each prompt's position among them.
fn tasks(table: &PartTable) -> (Vec<String>, Vec<usize>) {
    let mut names: Vec<String> = Vec::new();
    let mut positions = std::collections::BTreeMap::new();
    let of_prompts = table.tasks.iter().map(|task| {
        *positions.entry(task).or_insert_with(|| {
            names.push(task.clone());
            names.len() - 1
        })
    });
    let of_prompts = of_prompts.collect();
    (names, of_prompts)
}
