use std::fmt::Write as _;

use dataset::{
    DatasetInfo, PartTable, PerModel, PredictedCost, Predictions, Quantity, SmallWins,
    Standardizer, write_atomically,
};
use ndarray::{Array2, ArrayView2};
use routers::{Backend, Knn, Mf, MfReport, Rorf, Selection, Target, TargetFit};
use saved_routers::{
    Contents, EmbeddingFormat, KnnParts, KnnTarget, ModelOutputs, NewFolder, PerModelOutputs,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Result;

/// The folder of a matrix factorization in its router's.
const MF_FOLDER: &str = "factorization";
const MF_METRICS: &str = "metrics.csv";

/// A fitted router in memory.
#[derive(Debug, Clone)]
pub struct FittedRouter {
    pub(crate) form: Form,
    /// What is predicted for each LLM, the score first; nothing for a router of a pair.
    pub(crate) quantities: Vec<Quantity>,
    pub(crate) scale: Option<Standardizer>,
}

#[derive(Debug, Clone)]
pub(crate) enum Form {
    Knn {
        knn: Knn,
        targets: Vec<Target>,
        format: EmbeddingFormat,
        backend: Backend,
        selection: Selection,
    },
    Mf {
        mf: Mf,
        report: MfReport,
        n_small: usize,
        n_large: usize,
    },
    Rorf {
        rorf: Rorf,
        outcomes: PairCounts,
    },
}

/// Prompts by which LLM of the pair is right.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct PairCounts {
    pub(crate) large_only: usize,
    pub(crate) neither: usize,
    pub(crate) both: usize,
    pub(crate) small_only: usize,
}

impl FittedRouter {
    pub(crate) fn of_pair(form: Form) -> Self {
        Self {
            form,
            quantities: Vec::new(),
            scale: None,
        }
    }

    /// Predicts for embeddings of shape `(n_prompts, dim)`, as the router does that [`FittedRouter::save`] writes (to the last bits, where
    /// the format rounds). `on_progress` counts prompts.
    ///
    /// # Errors
    /// [`crate::Error::Learner`] for embeddings of another length or that are not finite.
    pub fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<ModelOutputs> {
        let small_wins = |probability: ndarray::Array1<f64>| {
            on_progress(embeddings.nrows() as u64);
            ModelOutputs::SmallWins(probability.mapv(|p| p as f32))
        };
        Ok(match &self.form {
            Form::Knn { knn, .. } => {
                ModelOutputs::PerModel(self.outputs(knn.predict(embeddings, on_progress)?))
            }
            Form::Mf { mf, .. } => small_wins(mf.predict(embeddings)?),
            Form::Rorf { rorf, .. } => small_wins(rorf.predict(embeddings)?),
        })
    }

    /// Predictions for a table's prompts, whose embeddings have shape `(n_prompts, dim)`.
    ///
    /// # Errors
    /// As for [`FittedRouter::predict`].
    pub fn predictions(
        &self,
        embeddings: ArrayView2<'_, f32>,
        table: &PartTable,
        info: &DatasetInfo,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Predictions> {
        Ok(match self.predict(embeddings, on_progress)? {
            ModelOutputs::PerModel(PerModelOutputs { scores, cost }) => {
                Predictions::PerModel(PerModel::of_split(&info.models, table, scores, cost))
            }
            ModelOutputs::SmallWins(probability) => Predictions::SmallWins(SmallWins {
                ids: table.ids.clone(),
                probability,
            }),
        })
    }

    /// What the predicted matrices, one per quantity, say.
    fn outputs(&self, predicted: Vec<Array2<f32>>) -> PerModelOutputs {
        let mut scores = None;
        let mut cost = PredictedCost::Known;
        for (values, quantity) in predicted.into_iter().zip(&self.quantities) {
            match quantity.cost(&values, self.scale.as_ref()) {
                None => scores = Some(values),
                Some(predicted) => cost = predicted,
            }
        }
        PerModelOutputs {
            scores: scores.expect("the first target is the score"),
            cost,
        }
    }

    /// Writes the router's files and gives what `router.json` has to say of them.
    ///
    /// # Errors
    /// [`crate::Error::Saved`] or [`crate::Error::Dataset`] when the disk is full, say.
    pub fn save(&self, folder: &NewFolder) -> Result<Contents> {
        if let Some(scale) = &self.scale {
            folder.write_scale(scale)?;
        }
        Ok(match &self.form {
            Form::Knn {
                knn,
                targets,
                format,
                backend,
                ..
            } => {
                folder.write_knn(&KnnParts {
                    embeddings: knn.rows(),
                    targets,
                    format: *format,
                })?;
                let targets = self.quantities.iter().zip(knn.fits());
                Contents::Knn {
                    embeddings: *format,
                    backend: *backend,
                    targets: targets
                        .map(|(&quantity, fit)| KnnTarget {
                            quantity,
                            n_neighbors: fit.n_neighbors,
                        })
                        .collect(),
                }
            }
            Form::Mf { mf, report, .. } => {
                folder.write_mf(MF_FOLDER, mf)?;
                let path = folder.path().join(MF_FOLDER).join(MF_METRICS);
                write_atomically(path, mf_metrics(report).as_bytes())?;
                Contents::Mf {
                    folder: MF_FOLDER.to_owned(),
                }
            }
            Form::Rorf { rorf, .. } => {
                folder.write_forest(rorf.forest())?;
                Contents::Forest {}
            }
        })
    }

    /// What was chosen or measured in the fit.
    pub fn results(&self) -> Value {
        match &self.form {
            Form::Knn { knn, selection, .. } => {
                json!({ "selection": selection, "targets": knn.fits() })
            }
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

fn knn_summary(fit: &TargetFit) -> String {
    let score = fit
        .cross_validation
        .iter()
        .find(|score| score.n_neighbors == fit.n_neighbors);
    let score = score.map_or_else(
        || "too few rows for cross-validation".to_owned(),
        |score| format!("cross-validated R2 {:.4}", score.mean_r2),
    );
    format!("{:<14} k = {:<4} {score}", fit.target, fit.n_neighbors)
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
fn mf_metrics(report: &MfReport) -> String {
    let mut csv = String::from("epoch,loss,val_log_likelihood\n");
    for (epoch, found) in (1..).zip(&report.epochs) {
        let validation = found.val_log_likelihood;
        let validation = validation.map_or(String::new(), |x: f64| x.to_string());
        let epoch: u64 = epoch;
        writeln!(csv, "{epoch},{},{validation}", found.loss).expect("a string grows as needed");
    }
    csv
}
