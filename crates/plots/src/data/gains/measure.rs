use std::collections::BTreeMap;

use dataset::{
    CrossFitPredictions, DatasetDir, EqualPrompts, Part, PartTable, PerModel, Predictions,
    RunManifest, WholeSet, worth,
};
use evaluation::{
    Predicted, Truth,
    worth::{
        Baseline, CrossFit, GainReport, GainSettings, PromptGains, doubly_robust_gains,
        gain_difference, gains_by_task, means_of,
    },
};
use tracing::warn;

use super::{Found, GainDifference, Gains, MeasuredOn, Null, RouterGains};
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
    /// The worths are those of the LLMs' mean costs on all prompts, as in train-and-infer and `carrot-router worth`.
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
        let mut measure = Measure {
            worths_usd: worth::grid(&means_of(&Truth::of(whole.table())?, |_| true).1),
            settings: GainSettings {
                level: settings.level,
                n_resamples: settings.n_resamples,
                seed: settings.seed,
            },
            found: Vec::new(),
        };
        for router in dir.cross_fit_routers()? {
            measure.add_out_of_fold(&whole, &router)?;
        }
        if let Some(test) = test {
            measure.add_test_part(&whole, test)?;
        }
        if measure.found.is_empty() {
            return Ok(Err((
                "no router predicts the score of each LLM".to_owned(),
                format!("create predictions with `{}`", inputs::command(dir.name())),
            )));
        }
        let mut found = measure.found;
        found.sort_by(|a, b| rank(&a.router).cmp(&rank(&b.router)));
        let mut differences = Vec::new();
        for (i, first) in found.iter().enumerate() {
            for (j, second) in found.iter().enumerate().skip(i + 1) {
                differences.extend(difference(&measure.settings, (i, first), (j, second))?);
            }
        }
        Ok(Ok(Self {
            dataset: dir.name().to_owned(),
            worths_usd: measure.worths_usd,
            routers: found.into_iter().map(|of| of.gains).collect(),
            differences,
            level: settings.level,
        }))
    }
}

/// What all routers of a data set are measured by, and what was found.
struct Measure {
    worths_usd: Vec<f64>,
    settings: GainSettings,
    found: Vec<Measured>,
}

/// A router with what each prompt says of it.
struct Measured {
    router: String,
    gains: RouterGains,
    of_prompts: PromptGains,
    /// Prompts that belong together.
    groups: Vec<usize>,
}

impl Measure {
    /// Measures a router by the repeats of its cross-fit that belong to the parts as they are.
    fn add_out_of_fold(&mut self, whole: &WholeSet, router: &str) -> anyhow::Result<()> {
        let mut repeats: Vec<CrossFitPredictions> = Vec::new();
        for cross_fit in whole.cross_fits(router)? {
            match cross_fit {
                Ok(usable) => repeats.push(usable),
                Err(unusable) => warn!("leaving out predictions: {unusable}"),
            }
        }
        let per_model = repeats.iter().filter_map(|of| {
            Some((
                per_model(&of.out_of_fold.predictions)?,
                &of.out_of_fold.folds,
            ))
        });
        let fits = per_model.map(|(predicted, folds)| {
            Ok(CrossFit {
                predicted: Predicted::of(predicted)?,
                baseline: Baseline::Folds(folds),
            })
        });
        let fits = fits.collect::<evaluation::Result<Vec<_>>>()?;
        let Some(first) = repeats.first().filter(|_| !fits.is_empty()) else {
            return Ok(());
        };
        let path = whole.dir().out_of_fold_manifest(router, first.repeat);
        let manifest = path
            .is_file()
            .then(|| RunManifest::read(&path))
            .transpose()?;
        let groups = groups(whole.table(), manifest.as_ref());
        let null = manifest
            .as_ref()
            .and_then(|manifest| null(router, manifest));
        let on = MeasuredOn::OutOfFold;
        self.add((router, on), whole.table(), groups, &fits, null)
    }

    /// Measures those that have no out-of-fold predictions, which may be too dear to fit again and again.
    fn add_test_part(&mut self, whole: &WholeSet, test: &Inputs) -> anyhow::Result<()> {
        let n_train = whole.n_train();
        let (scores, costs_usd) = means_of(&Truth::of(whole.table())?, |row| row < n_train);
        let groups = EqualPrompts::groups(&test.test().prompts);
        for input in &test.routers {
            let is_found = self.found.iter().any(|of| of.router == input.router);
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
            let on = MeasuredOn::TestPart;
            self.add(
                (&input.router, on),
                test.test(),
                groups.clone(),
                &[fit],
                None,
            )?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        (router, measured_on): (&str, MeasuredOn),
        table: &PartTable,
        groups: Vec<usize>,
        fits: &[CrossFit<'_>],
        null: Option<Null>,
    ) -> anyhow::Result<()> {
        let of_prompts = match doubly_robust_gains(&Truth::of(table)?, fits, &self.worths_usd) {
            Ok(gains) => gains,
            // One router of which nothing can be said must not cost the others their figure.
            Err(error @ evaluation::Error::NothingToJudge { .. }) => {
                warn!("leaving out `{router}`: {error}");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let (names, tasks) = tasks(table);
        let together = Some(&groups[..]);
        let by_task = gains_by_task(&of_prompts, &tasks, names.len(), together, &self.settings)?;
        let by_task = names.into_iter().zip(by_task);
        self.found.push(Measured {
            router: router.to_owned(),
            gains: RouterGains {
                series: Series::Router(router.to_owned()),
                measured_on,
                report: GainReport::new(&of_prompts, together, &self.settings)?,
                tasks: by_task.filter(|(_, gain)| gain.n_prompts > 0).collect(),
                null,
            },
            of_prompts,
            groups,
        });
        Ok(())
    }
}

/// `None` of routers that were measured on different prompts, or that were not kept together in the same way.
fn difference(
    settings: &GainSettings,
    (i, first): (usize, &Measured),
    (j, second): (usize, &Measured),
) -> anyhow::Result<Option<GainDifference>> {
    if first.gains.measured_on != second.gains.measured_on || first.groups != second.groups {
        return Ok(None);
    }
    let groups = Some(&first.groups[..]);
    let gain = gain_difference(&first.of_prompts, &second.of_prompts, groups, settings)?;
    Ok(Some(GainDifference {
        first: i,
        second: j,
        n_prompts: first
            .gains
            .report
            .n_prompts
            .min(second.gains.report.n_prompts),
        gain,
    }))
}

fn per_model(predictions: &Predictions) -> Option<&PerModel> {
    match predictions {
        Predictions::PerModel(predicted) => Some(predicted),
        Predictions::SmallWins(_) => None,
    }
}

/// Prompts that were kept in one fold: equal ones, and those of a value of the column that the cross-fit names.
fn groups(table: &PartTable, manifest: Option<&RunManifest>) -> Vec<usize> {
    let column = manifest.and_then(|manifest| manifest.config["cross-fit"]["group"].as_str());
    match column.and_then(|column| table.kept(column)) {
        Some(values) => EqualPrompts::together(values, &table.prompts),
        None => EqualPrompts::groups(&table.prompts),
    }
}

/// What the manifest of a cross-fit says of permuted prompts; `None` where it was not asked for.
fn null(router: &str, manifest: &RunManifest) -> Option<Null> {
    let found = manifest
        .results
        .get("null")
        .filter(|null| !null.is_null())?;
    serde_json::from_value(found.clone())
        .inspect_err(|error| warn!("leaving out the permuted prompts of `{router}`: {error}"))
        .ok()
}

/// The tasks in the order of their first prompts, and each prompt's position among them.
fn tasks(table: &PartTable) -> (Vec<String>, Vec<usize>) {
    positions(&table.tasks)
}

/// Values in the order in which they first occur, and the position of each row's among them.
fn positions(values: &[String]) -> (Vec<String>, Vec<usize>) {
    let mut names: Vec<String> = Vec::new();
    let mut known = BTreeMap::new();
    let mut of_rows = Vec::with_capacity(values.len());
    for value in values {
        let position = *known.entry(value).or_insert_with(|| {
            names.push(value.clone());
            names.len() - 1
        });
        of_rows.push(position);
    }
    (names, of_rows)
}
