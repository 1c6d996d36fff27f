use std::path::{Path, PathBuf};

use anyhow::Context as _;
use encoder::ProblemType;
use ndarray::Array2;
use nets::{RobertaModel, TrainReport, TrainSetup, fine_tune};
use saved_routers::{Base, CHECKPOINTS};
use serde_json::{Value, json};
use tracing::info;

use super::folders::{NetworkFolder, copy_if_exists};
use crate::learner::Fit;

const METRICS: &str = "metrics.csv";

/// A network to be trained.
pub(super) struct Network<'a> {
    /// The name of its folder.
    pub(super) name: &'static str,
    /// What its outputs are called.
    pub(super) labels: &'a [String],
    pub(super) problem_type: ProblemType,
    /// Shape `(n_prompts, n_labels)`, NaN where unknown.
    pub(super) targets: Array2<f32>,
}

/// A network that was trained.
pub(super) struct Trained {
    pub(super) model: RobertaModel,
    report: TrainReport,
    pub(super) base: Base,
    name: &'static str,
    checkpoint: PathBuf,
}

impl Network<'_> {
    /// Trains it on the train prompts, resuming where an earlier run was interrupted.
    pub(super) fn train(self, fit: &mut Fit<'_>) -> anyhow::Result<Trained> {
        let (setup, train) = (fit.setup, fit.train);
        let plan = &setup.roberta.plan;
        let params = plan.params.params();
        // Below the router's final place and not in the staging folder, which is another one for each run: an interrupted training finds its
        // checkpoint again.
        let checkpoint = fit.place.join(CHECKPOINTS).join(self.name);
        if setup.force {
            nets::forget_checkpoint(&checkpoint)?;
        }
        let base = NetworkFolder::find(setup, &plan.base)?;
        let mut model = base.with_head(setup, self.labels, self.problem_type, params.seed)?;
        info!(
            "training the {} network on {:?} from `{}`",
            self.name,
            model.device(),
            plan.base
        );
        let validation_rows = validation_rows(fit.n_validation, train.n_prompts());
        let n_prompts = train.n_prompts() as u64 * params.n_epochs;
        let bar = fit.bar(&format!("training {}", self.name), n_prompts);
        let report = fit.stopwatch.time(&format!("train {}", self.name), || {
            let setup = TrainSetup {
                validation_rows: validation_rows.as_deref(),
                folder: Some(&checkpoint),
                on_progress: &|n| bar.add(n),
            };
            let targets = self.targets.view();
            fine_tune(&mut model, &train.prompts, targets, &plan.params, &setup).with_context(
                || {
                    format!(
                        "cannot train the {} network (--force starts over)",
                        self.name
                    )
                },
            )
        })?;
        fit.stopwatch
            .note(&format!("{} seconds", self.name), report.seconds);
        if let Some(step) = report.resumed_at {
            let name = format!("{} resumed at step", self.name);
            fit.stopwatch.note(&name, step as f64);
        }
        Ok(Trained {
            model,
            report,
            base: base.base()?,
            name: self.name,
            checkpoint,
        })
    }
}

impl Trained {
    /// Writes it into a router's folder, with the metrics of its training.
    pub(super) fn save(&self, folder: &Path) -> anyhow::Result<()> {
        let folder = folder.join(self.name);
        // The hub reads the license from these lines; a network inherits that of the one it was trained from.
        let license = self.base.license.as_deref();
        let head = license.map_or(String::new(), |it| format!("---\nlicense: {it}\n---\n"));
        let card = format!(
            "{head}# The {} network of a router\n\nTrained from `{}`. The folder above this one has the details.\n",
            self.name, self.base.model
        );
        self.model.save(&folder, &card)?;
        // The checkpoints are removed once the router takes its place, the record of the training is not.
        copy_if_exists(&self.checkpoint.join(METRICS), &folder.join(METRICS))
    }

    /// The outcome of the training, without its course, which is in metrics.csv, and without what another run of the same training would have
    /// otherwise: that is among the manifest's timings.
    pub(super) fn results(&self) -> Value {
        let mut results = json!(self.report);
        if let Some(results) = results.as_object_mut() {
            for key in ["records", "seconds", "resumed-at"] {
                results.remove(key);
            }
        }
        results
    }

    /// A line for people.
    pub(super) fn summary(&self) -> String {
        let TrainReport {
            n_steps,
            n_skipped,
            seconds,
            ..
        } = self.report;
        let best = self.report.best.map_or_else(
            || "no validation".to_owned(),
            |best| {
                format!(
                    "validation loss {:.4} after step {} of {n_steps}",
                    best.val_loss, best.step
                )
            },
        );
        let skipped = match n_skipped {
            0 => String::new(),
            n => format!(", {n} steps skipped"),
        };
        format!("{:<14} {best}{skipped}, {seconds:.0} s", self.name)
    }
}

/// The last rows of the train prompts, where the data set says that they are for validation.
fn validation_rows(n_validation: Option<usize>, n_prompts: usize) -> Option<Vec<u32>> {
    let n_validation = n_validation.filter(|&n| n > 0)?;
    Some((n_prompts.saturating_sub(n_validation) as u32..n_prompts as u32).collect())
}
