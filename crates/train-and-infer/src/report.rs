use std::{fmt::Write as _, path::PathBuf};

use dataset::RunManifest;
use routers::TargetFit;
use serde::Serialize;

/// What a run gives back to whoever started it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report {
    pub(crate) predictions: PathBuf,
    pub(crate) n_train: usize,
    pub(crate) n_test: usize,
    #[serde(skip)]
    pub(crate) fits: Vec<TargetFit>,
    pub(crate) manifest: RunManifest,
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
            let rows = format!(
                "{} train and {} test prompts",
                report.n_train, report.n_test
            );
            _ = writeln!(text, "{}{embedder}: {rows}", manifest.router);
            for fit in &report.fits {
                let score = fit
                    .cross_validation
                    .iter()
                    .find(|score| score.n_neighbors == fit.n_neighbors);
                let score = score.map_or_else(
                    || "too few rows for cross-validation".to_owned(),
                    |score| format!("cross-validated R2 {:.4}", score.mean_r2),
                );
                _ = writeln!(
                    text,
                    "  {:<14} k = {:<4} {score}",
                    fit.target, fit.n_neighbors
                );
            }
            let stages = manifest
                .stages
                .iter()
                .map(|stage| format!("{} {:.1} s", stage.name, stage.seconds));
            _ = writeln!(text, "  {}", stages.collect::<Vec<_>>().join(", "));
            _ = writeln!(text, "  {}", report.predictions.display());
        }
        if let Some(report) = reports.first() {
            _ = writeln!(
                text,
                "next: cargo run -p plots -- --dataset {}",
                report.manifest.dataset
            );
        }
        text
    }
}
