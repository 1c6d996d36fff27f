//! Predictions for all rows of a data set, each by a router that was fitted without it.

use std::collections::BTreeMap;

use anyhow::Context as _;
use cli_support::{Progress, usage_error};
use dataset::{
    EqualPrompts, MadeFrom, OutOfFold, PartTable, RunManifest, Source, atomic, sha256_file,
};
use evaluation::worth::{GainReport, GainSettings};
use fitting::{CrossFitted, Folds, NullSettings, Subject, Together};
use ndarray::{Array2, Axis, concatenate};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::{
    args::CrossFitArgs,
    data::{Data, Prompts, inputs},
    job::Job,
    learner::Learner,
    report::{Report, Status},
    router::Router,
    run::{MADE_BY, as_read, config},
    sample::Sample,
    setup::Setup,
    stopwatch::Stopwatch,
};

/// Of the gain's interval in manifests.
const LEVEL: f64 = 0.95;
/// Draws of the band around the gain at all worths, of which only the mean is used here.
const N_RESAMPLES: usize = 1_000;

/// What `--cross-fit` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CrossFitPlan {
    n_folds: u32,
    n_repeats: u32,
    /// Permutations of each kind.
    n_null: u32,
    /// The column whose values stay together.
    group: Option<String>,
}

impl CrossFitPlan {
    pub(crate) fn of(args: CrossFitArgs) -> Option<Self> {
        Some(Self {
            n_folds: args.cross_fit?,
            n_repeats: args.repeats,
            n_null: args.null,
            group: args.group,
        })
    }

    /// Permutations of a repeat: only the first has any, because others would only repeat them with other folds.
    fn n_null(&self, router: &Router, repeat: u32) -> u32 {
        match repeat == 0 && !router.needs_pair {
            true => self.n_null,
            false => 0,
        }
    }
}

/// Cross-fits a router as often as asked, except where existing results were made from the same.
pub(crate) fn run(
    job: &Job,
    plan: &CrossFitPlan,
    router: &'static Router,
    data: &mut Data,
) -> anyhow::Result<Vec<Report>> {
    let Some(Learner::OnEmbeddings(learner)) = router.learner else {
        unreachable!("`Job::check` leaves out what cannot be cross-fitted");
    };
    let one = |repeat| {
        let run = Repeat {
            setup: &job.setup,
            plan,
            router,
            learner,
            repeat,
        };
        run.run(data)
            .with_context(|| format!("cannot cross-fit with the folds of repeat {repeat}"))
    };
    let reports: Vec<Report> = (0..plan.n_repeats)
        .map(one)
        .collect::<anyhow::Result<_>>()?;
    if let Some(report) = reports.first() {
        forget_other_settings(job, router, plan.n_repeats, &report.manifest.config)?;
    }
    Ok(reports)
}

/// Removes later repeats of an earlier run that were made with other settings: whoever reads the folder averages all repeats in it.
fn forget_other_settings(
    job: &Job,
    router: &Router,
    n_repeats: u32,
    config: &Value,
) -> anyhow::Result<()> {
    let dir = &job.setup.dir;
    let later = dir.repeats(router.name)?.into_iter();
    for repeat in later.filter(|&repeat| repeat >= n_repeats) {
        let path = dir.out_of_fold_manifest(router.name, repeat);
        let manifest = RunManifest::read(&path);
        if manifest.is_ok_and(|it| without_repeat(&it.config) == without_repeat(config)) {
            continue;
        }
        info!("removing repeat {repeat} of `{router}`, which was made with other settings");
        atomic::remove_file(&path)?;
        atomic::remove_file(&dir.out_of_fold(router.name, repeat))?;
    }
    Ok(())
}

/// Settings that all repeats of one run share.
fn without_repeat(config: &Value) -> Value {
    let mut config = config.clone();
    if let Some(settings) = config["cross-fit"].as_object_mut() {
        settings.remove("repeat");
        settings.remove("n-permutations");
    }
    config
}

/// One cross-fit of one router.
struct Repeat<'a> {
    setup: &'a Setup,
    plan: &'a CrossFitPlan,
    router: &'static Router,
    learner: fitting::Learner,
    repeat: u32,
}

impl Repeat<'_> {
    fn run(&self, data: &mut Data) -> anyhow::Result<Report> {
        let recipe = (self.setup.learners).recipe(self.learner);
        let config = self.config(data, &recipe)?;
        if !self.setup.force
            && let Some(manifest) = self.kept(data, &config)?
        {
            return Ok(self.report(Status::Kept, Vec::new(), manifest));
        }
        let mut stopwatch = Stopwatch::start();
        let prompts = data.prompts(self.setup, self.router, &Sample::Whole, &mut stopwatch)?;
        let (table, embeddings) = whole(&prompts)?;
        let equal = prompts.splits.equal;
        let together = self.together(&table)?;
        let seed = self.setup.cross_fit.seed + u64::from(self.repeat);
        let folds = Folds::shuffled(
            table.n_prompts(),
            self.plan.n_folds,
            seed,
            Some(together.groups()),
        )?;
        let subject = Subject {
            learner: self.learner,
            params: &self.setup.learners,
            info: &self.setup.info,
            table: &table,
            embeddings: embeddings.view(),
        };
        let bar = Progress::bar("folds", folds.n_folds().into(), self.setup.quiet);
        let cross_fitted = stopwatch.time("cross-fit", || {
            Ok(fitting::cross_fit(&subject, &folds, &|n| bar.add(n))?)
        })?;
        drop(bar);
        let (mut results, mut summary) = self.results(&cross_fitted, &together, &folds, equal);
        if !self.router.needs_pair {
            let estimated = cross_fitted.propensities.as_ref();
            let weighed = estimated.map(|it| it.on(&table));
            let weighed = weighed.as_ref().unwrap_or(&table);
            let gain = self.gain(weighed, &cross_fitted.out_of_fold, &folds, &together)?;
            summary.push(format!(
                "mean gain {:+.4} (standard error {:.4}) over the best single LLM",
                gain.mean.value, gain.mean.standard_error
            ));
            results["gain"] = json!({ "mean": gain.mean, "level": LEVEL, "n-prompts": gain.n_prompts, "routes": gain.routes });
        }
        let n_null = self.plan.n_null(self.router, self.repeat);
        if n_null > 0 {
            let observed = &cross_fitted.out_of_fold;
            let estimated = cross_fitted.propensities.as_ref();
            let weighed = estimated.map(|it| it.on(&table));
            let subject = Subject {
                table: weighed.as_ref().unwrap_or(&table),
                ..subject
            };
            let permuted = self.null(&subject, &folds, observed, n_null, &mut stopwatch)?;
            summary.push(format!(
                "against {n_null} permutations: p = {:.3} over all prompts, {:.3} within tasks",
                permuted.p_over_all(),
                permuted.p_within_tasks()
            ));
            results["null"] = json!({
                "over-all": { "gains": permuted.over_all, "p": permuted.p_over_all() },
                "within-tasks": { "gains": permuted.within_tasks, "p": permuted.p_within_tasks() },
                "observed": permuted.observed,
            });
        }
        let manifest = self.write(
            data,
            &cross_fitted.out_of_fold,
            (config, recipe.seed, results),
            stopwatch,
        )?;
        Ok(self.report(Status::Fitted, summary, manifest))
    }

    /// The recipe's settings, the embedder, and what decides the folds.
    fn config(&self, data: &mut Data, recipe: &fitting::Recipe) -> anyhow::Result<Value> {
        let mut config = config(
            self.setup,
            self.router,
            &Sample::Whole,
            data,
            recipe.config.clone(),
        )?;
        let settings = &self.setup.cross_fit;
        config["cross-fit"] = json!({
            "n-folds": self.plan.n_folds,
            "repeat": self.repeat,
            "seed": settings.seed,
            "group": self.plan.group,
            "keep-equal-prompts-together": settings.keep_equal_prompts_together,
            "n-permutations": self.plan.n_null(self.router, self.repeat),
        });
        Ok(config)
    }

    /// The manifest on disk, if it is of the same data with the same settings by the same program, and its predictions are whole.
    fn kept(&self, data: &mut Data, config: &Value) -> anyhow::Result<Option<RunManifest>> {
        let (router, repeat) = (self.router, self.repeat);
        let dir = &self.setup.dir;
        let path = dir.out_of_fold(router.name, repeat);
        let Ok(manifest) = RunManifest::read(&dir.out_of_fold_manifest(router.name, repeat)) else {
            return Ok(None);
        };
        let is_same = path.is_file()
            && manifest.made_by == MADE_BY
            && manifest.config == as_read(config)?
            && Some(&manifest.inputs) == inputs(self.setup, router, &[], data)?.as_ref();
        if !is_same {
            info!(
                "`{router}` was cross-fitted with different data, settings or program version; cross-fitting it again"
            );
            return Ok(None);
        }
        if manifest.predictions_sha256.as_ref() != Some(&sha256_file(&path)?) {
            warn!(
                "`{}` has changed since it was written; cross-fitting `{router}` again",
                path.display()
            );
            return Ok(None);
        }
        info!("keeping `{router}`, repeat {repeat}: nothing it depends on has changed");
        Ok(Some(manifest))
    }

    /// Prompts of one group, and equal prompts.
    fn together(&self, table: &PartTable) -> anyhow::Result<Together> {
        let mut together = Together::new(table.n_prompts());
        if self.setup.cross_fit.keep_equal_prompts_together {
            together = together.join_prompts(&table.prompts)?;
        }
        if let Some(column) = &self.plan.group {
            let values = table.kept(column).ok_or_else(|| {
                usage_error(format!(
                    "`--group` names `{column}`, which is not a column of `{}`; `gen-custom --keep {column}` keeps it in a data set",
                    self.setup.dir.name()
                ))
            })?;
            together = together.join_values(values)?;
        }
        Ok(together)
    }

    /// What was chosen in each fold, and how many prompts stayed together; as lines, those of the first fold.
    fn results(
        &self,
        cross_fitted: &CrossFitted,
        together: &Together,
        folds: &Folds,
        equal: EqualPrompts,
    ) -> (Value, Vec<String>) {
        let fits = cross_fitted.fits.iter().map(|fit| {
            json!({ "n-train": fit.n_train, "n-judged": fit.n_judged, "results": fit.results })
        });
        let mut groups = together.groups().to_vec();
        groups.sort_unstable();
        groups.dedup();
        let mut results = json!({
            "n-folds": folds.n_folds(),
            "n-groups": groups.len(),
            "equal-prompts": equal,
            "folds": fits.collect::<Vec<Value>>(),
        });
        let mut summary = Vec::new();
        if let Some(estimated) = &cross_fitted.propensities {
            let calibration = &estimated.calibration;
            results["propensities"] = json!({ "calibration": calibration, "fits": estimated.fits });
            summary.push(format!(
                "which LLM was asked: log loss {:.3}, of the LLMs' shares alone {:.3}",
                calibration.log_loss, calibration.log_loss_of_shares
            ));
        }
        if let Some(first) = cross_fitted.fits.first() {
            let lines = first.summary.iter();
            summary.extend(lines.map(|line| format!("first fold: {line}")));
        }
        if equal.n_repeated > 0 && self.setup.cross_fit.keep_equal_prompts_together {
            summary.push(format!(
                "{} prompts repeat an earlier one; equal prompts are in one fold",
                equal.n_repeated
            ));
        }
        (results, summary)
    }

    fn gain(
        &self,
        table: &PartTable,
        out_of_fold: &OutOfFold,
        folds: &Folds,
        together: &Together,
    ) -> anyhow::Result<GainReport> {
        let gains = fitting::cross_fit_gains(self.learner, table, &[(out_of_fold, folds)])?;
        let settings = GainSettings {
            level: LEVEL,
            n_resamples: N_RESAMPLES,
            seed: self.setup.cross_fit.seed,
        };
        Ok(GainReport::new(&gains, Some(together.groups()), &settings)?)
    }

    fn null(
        &self,
        subject: &Subject<'_>,
        folds: &Folds,
        observed: &OutOfFold,
        n_permutations: u32,
        stopwatch: &mut Stopwatch,
    ) -> anyhow::Result<fitting::NullGains> {
        let n_fits = 2 * u64::from(n_permutations) * u64::from(folds.n_folds());
        let bar = Progress::bar("permutations", n_fits, self.setup.quiet);
        let settings = NullSettings {
            n_permutations,
            seed: self.setup.cross_fit.seed,
        };
        stopwatch.time("null", || {
            let on_progress = |n| bar.add(n);
            Ok(fitting::null_gains(
                subject,
                folds,
                observed,
                settings,
                &on_progress,
            )?)
        })
    }

    /// Writes the predictions and, last, the manifest, as for other fits.
    fn write(
        &self,
        data: &mut Data,
        out_of_fold: &OutOfFold,
        (config, seed, results): (Value, Option<u64>, Value),
        mut stopwatch: Stopwatch,
    ) -> anyhow::Result<RunManifest> {
        let (setup, name) = (self.setup, self.router.name);
        let path = setup.dir.out_of_fold(name, self.repeat);
        let manifest_path = setup.dir.out_of_fold_manifest(name, self.repeat);
        atomic::remove_file(&manifest_path)?;
        let inputs = inputs(setup, self.router, &[], data)?
            .context("the embeddings were removed while the router was fitted")?;
        let embedder = setup.embedder_for(self.router.input);
        let embedder = embedder.map(|embedder| embedder.name.clone());
        let made_from = made_from(name, embedder.clone(), &inputs);
        stopwatch.time("write", || Ok(out_of_fold.write(&path, &made_from)?))?;
        let manifest = RunManifest {
            dataset: setup.dir.name().to_owned(),
            router: name.to_owned(),
            embedder,
            seed,
            made_by: MADE_BY.to_owned(),
            config,
            inputs,
            results,
            predictions_sha256: Some(sha256_file(&path)?),
            environment: BTreeMap::new(),
            timings: stopwatch.timings(),
        };
        manifest.write(&manifest_path)?;
        Ok(manifest)
    }

    fn report(&self, status: Status, summary: Vec<String>, manifest: RunManifest) -> Report {
        Report {
            status,
            predictions: (self.setup.dir).out_of_fold(self.router.name, self.repeat),
            model: None,
            n_train: self.setup.info.n_train,
            n_test: self.setup.info.n_test,
            cross_fit: Some(self.plan.n_folds),
            summary,
            manifest,
        }
    }
}

/// Both parts as one table, and their embeddings.
pub(crate) fn whole(prompts: &Prompts) -> anyhow::Result<(PartTable, Array2<f32>)> {
    let embeddings = prompts.embeddings.as_ref();
    let embeddings = embeddings.context("the router predicts from embeddings")?;
    let parts = [embeddings.train.view(), embeddings.test.view()];
    Ok((
        prompts.splits.train.concat(&prompts.splits.test)?,
        concatenate(Axis(0), &parts).context("the embeddings of both parts differ in length")?,
    ))
}

fn made_from(router: &str, embedder: Option<String>, inputs: &[Source]) -> MadeFrom {
    let [train, test, others @ ..] = inputs else {
        unreachable!("the train and the test part come first");
    };
    MadeFrom {
        split_sha256: test.sha256.clone(),
        made_by: Some(MADE_BY.to_owned()),
        router: Some(router.to_owned()),
        embedder,
        train_sha256: Some(train.sha256.clone()),
        other_sha256: others.iter().map(|input| input.sha256.clone()).collect(),
    }
}
