use std::{fmt::Write as _, path::PathBuf};

use dataset::RunManifest;
use serde::Serialize;

/// The result of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report {
    /// Whether it was fitted now.
    pub(crate) status: Status,
    /// The file of predictions.
    pub(crate) predictions: PathBuf,
    /// The folder of the fitted router, if one is kept.
    pub(crate) model: Option<PathBuf>,
    /// Number of prompts that it was fitted on.
    pub(crate) n_train: usize,
    /// Number of prompts that it predicted for.
    pub(crate) n_test: usize,
    /// The number of folds, where the prompts of both parts were predicted by routers that were fitted without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cross_fit: Option<u32>,
    /// What was chosen or measured in the fit, for people, a line each.
    // Not in the JSON, which has the same numbers in the manifest's results.
    #[serde(skip)]
    pub(crate) summary: Vec<String>,
    /// How the predictions were made.
    pub(crate) manifest: RunManifest,
}

/// Whether predictions are new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// Made in this run.
    Fitted,
    /// Made in an earlier run with the same data, settings and program.
    Kept,
}

impl Report {
    /// A few lines for each router, and the command that comes next.
    pub(crate) fn table(reports: &[Self]) -> String {
        let mut text = String::new();
        for report in reports {
            let manifest = &report.manifest;
            let embedder = manifest
                .embedder
                .as_deref()
                .map(|name| format!(" on {name}"))
                .unwrap_or_default();
            let kept = match report.status {
                Status::Fitted => "",
                Status::Kept => ", kept from an earlier run",
            };
            let (n_train, n_test) = (report.n_train, report.n_test);
            let rows = match report.cross_fit {
                None => format!("{n_train} train and {n_test} test prompts{kept}"),
                Some(n_folds) => {
                    format!("{} prompts in {n_folds} folds{kept}", n_train + n_test)
                }
            };
            _ = writeln!(text, "{}{embedder}: {rows}", manifest.router);
            for line in &report.summary {
                _ = writeln!(text, "  {line}");
            }
            let stages = manifest
                .timings
                .stages
                .iter()
                .map(|stage| format!("{} {:.1} s", stage.name, stage.seconds));
            _ = writeln!(text, "  {}", stages.collect::<Vec<_>>().join(", "));
            _ = writeln!(text, "  {}", report.predictions.display());
            if let Some(model) = &report.model {
                _ = writeln!(text, "  {}", model.display());
            }
        }
        if let Some(report) = reports.first() {
            _ = writeln!(
                text,
                "next: cargo run -p plots -- --dataset {}    # then open plots/report.html",
                report.manifest.dataset
            );
        }
        text
    }
}
