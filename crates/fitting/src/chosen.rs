//! What a fit chose, for manifests and for people.

use std::fmt::Write as _;

use routers::{BlendCandidate, BlendReport, MfReport, ScaleGain, Setting, TargetFit};
use serde_json::{Value, json};

use crate::{
    FittedRouter,
    fitted::{Form, PairCounts},
};

/// What a fit decided of whether to route.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RouteDecision {
    /// The factor of differences between LLMs; 0 is not routing.
    pub g: f64,
    /// Whether there were rows enough to judge by.
    pub is_judged: bool,
}

impl RouteDecision {
    /// By what [`FittedRouter::results`] says, or a manifest has of it; `None` of a router that decides nothing.
    pub fn of(results: &Value) -> Option<Self> {
        // Of a blend only, see `routers::BlendReport`.
        results.get("routes")?;
        let g = results.get("scale")?.as_f64()?;
        // With fewer rows than twice its inner folds it has no gain at any factor but 0.
        let is_judged = |at: &Value| at["scale"].as_f64() > Some(0.0) && at["gain"].is_number();
        let gains = results.get("gains").and_then(Value::as_array);
        Some(Self {
            g,
            is_judged: gains.is_some_and(|gains| gains.iter().any(is_judged)),
        })
    }
}

impl FittedRouter {
    /// What was chosen or measured in the fit.
    pub fn results(&self) -> Value {
        match &self.form {
            Form::Knn { knn, selection, .. } => {
                json!({ "selection": selection, "targets": knn.fits() })
            }
            Form::Linear(linear) => json!({ "targets": linear.fits() }),
            Form::Kernel(kernel) => json!({ "targets": kernel.fits() }),
            Form::Cluster(cluster) => json!({ "targets": cluster.fits() }),
            Form::Blend { blend, .. } => json!(blend.report()),
            Form::Mf {
                report,
                n_small,
                n_large,
                ..
            } => json!({
                "n-small-wins": n_small, "n-large-wins": n_large, "n-train": report.n_train,
                "n-validation": report.n_validation, "n-unknown": report.n_unknown, "n-steps": report.n_steps, "best": report.best,
            }),
            Form::Rorf { rorf, outcomes } => json!({
                "n-trees": rorf.forest().n_trees(),
                "n-nodes": rorf.forest().n_nodes(),
                "train-outcomes": outcomes,
            }),
        }
    }

    /// The same for people, a line each.
    pub fn summary(&self) -> Vec<String> {
        match &self.form {
            Form::Knn { knn, .. } => knn.fits().iter().map(knn_summary).collect(),
            Form::Linear(linear) => (linear.fits().iter())
                .map(|fit| format!("{:<14} alpha = {}", fit.target, fit.alpha))
                .collect(),
            Form::Kernel(kernel) => (kernel.fits().iter())
                .map(|fit| {
                    let (gamma, alpha) = (fit.gamma, fit.alpha);
                    format!("{:<14} gamma = {gamma}, alpha = {alpha}", fit.target)
                })
                .collect(),
            Form::Cluster(cluster) => (cluster.fits().iter())
                .map(|fit| format!("{:<14} {} clusters", fit.target, fit.n_clusters))
                .collect(),
            Form::Blend { blend, .. } => blend_summary(blend.report()),
            Form::Mf { report, .. } => vec![mf_summary(report)],
            Form::Rorf { rorf, outcomes } => {
                let (n_trees, n_nodes) = (rorf.forest().n_trees(), rorf.forest().n_nodes());
                let PairCounts {
                    large_only,
                    neither,
                    both,
                    small_only,
                } = outcomes;
                vec![
                    format!("{n_trees} trees with {n_nodes} nodes"),
                    format!(
                        "right in train: large only {large_only}, neither {neither}, both {both}, small only {small_only}"
                    ),
                ]
            }
        }
    }
}

/// Whether it routes, and the learners that have weight.
fn blend_summary(report: &BlendReport) -> Vec<String> {
    // By what the rule goes by, and as it does the first of equals; where it routes, that is the factor taken.
    let bound = |at: &ScaleGain| Some(at.gain? - at.standard_error?);
    let mut best: Option<&ScaleGain> = None;
    for at in report.gains.iter().filter(|at| at.scale > 0.0) {
        // None is below every number.
        if bound(at) > best.and_then(bound) {
            best = Some(at);
        }
    }
    let best = match report.routes {
        true => report.gains.iter().find(|at| at.scale == report.scale),
        false => best,
    };
    let shown = |x: Option<f64>| x.map_or_else(|| "unknown".to_owned(), |x| format!("{x:.4}"));
    let by = best.map_or_else(
        || "too few rows to judge".to_owned(),
        |best| {
            format!(
                "out-of-fold gain {} (standard error {}) at {}",
                shown(best.gain),
                shown(best.standard_error),
                best.scale
            )
        },
    );
    let decision = match report.routes {
        true => {
            let taken = match report.taken {
                BlendCandidate::LeastError => "hyperparameters of least error",
                BlendCandidate::Smoothest => "smoothest hyperparameters",
            };
            format!("routes, {taken}, g = {}", report.scale)
        }
        false => "does not route".to_owned(),
    };
    let mut lines = vec![format!("{decision}: {by}")];
    if report.routes {
        for target in &report.targets {
            let weights = (target.learners.iter())
                .filter(|it| it.deviation_weight > 0.0)
                .map(|it| format!("{} {:.2}", setting(it.setting), it.deviation_weight));
            let weights: Vec<String> = weights.collect();
            lines.push(format!("{:<14} {}", target.target, weights.join(", ")));
        }
    }
    lines
}

fn setting(setting: Setting) -> String {
    match setting {
        Setting::Knn { n_neighbors } => format!("knn (k = {n_neighbors})"),
        Setting::Linear { alpha } => format!("linear (alpha = {alpha})"),
        Setting::Kernel { gamma, alpha } => format!("kernel (gamma = {gamma}, alpha = {alpha})"),
        Setting::Cluster { n_clusters } => format!("cluster ({n_clusters})"),
    }
}

fn knn_summary(fit: &TargetFit) -> String {
    let score = fit
        .cross_validation
        .iter()
        .find(|score| score.n_neighbors == fit.n_neighbors);
    let score = score.map_or_else(
        || "too few rows for cross-validation".to_owned(),
        |score| format!("cross-validated R2 {:.4}", score.mean_r2),
    );
    let (target, k) = (&fit.target, fit.n_neighbors);
    // To tell from a k that counts all neighbors.
    let of = match fit.prior_values {
        Some(prior) => format!(" that know an LLM, and {prior:.0} values at what all share,"),
        None => String::new(),
    };
    format!("{target:<14} k = {k:<4}{of} {score}")
}

fn mf_summary(report: &MfReport) -> String {
    report.best.map_or_else(
        || "no validation".to_owned(),
        |best| {
            format!(
                "validation log-likelihood {:.4} after step {} of {}",
                best.log_likelihood, best.step, report.n_steps
            )
        },
    )
}

/// The course of the training.
pub(crate) fn mf_metrics(report: &MfReport) -> String {
    let mut csv = String::from("epoch,loss,val_log_likelihood\n");
    for (epoch, found) in (1..).zip(&report.epochs) {
        let validation = found.val_log_likelihood;
        let validation = validation.map_or(String::new(), |x: f64| x.to_string());
        let epoch: u64 = epoch;
        writeln!(csv, "{epoch},{},{validation}", found.loss).expect("a string grows as needed");
    }
    csv
}
