use dataset::{
    DatasetInfo, MeanCost, PartTable, PerModel, PredictedCost, Predictions, Quantity, SmallWins,
    Standardizer, write_atomically,
};
use ndarray::{Array2, ArrayView2, s};
use routers::{Blend, Cluster, Kernel, Knn, Linear, Mf, MfReport, Rorf, Selection, Target};
use saved_routers::{
    BlendParts, Contents, EmbeddingFormat, KnnParts, KnnTarget, ModelOutputs, NewFolder,
    PerModelOutputs,
};
use serde::Serialize;

use crate::{Result, chosen::mf_metrics};

/// The folder of a matrix factorization in its router's.
const MF_FOLDER: &str = "factorization";
const MF_METRICS: &str = "metrics.csv";

/// A fitted router in memory.
#[derive(Debug, Clone)]
pub struct FittedRouter {
    pub(crate) form: Form,
    /// What was learned of each LLM, the score first; nothing for a router of a pair.
    pub(crate) targets: Vec<Target>,
    /// What the targets are.
    pub(crate) quantities: Vec<Quantity>,
    pub(crate) scale: Option<Standardizer>,
}

#[derive(Debug, Clone)]
pub(crate) enum Form {
    Knn {
        knn: Knn,
        format: EmbeddingFormat,
        selection: Selection,
    },
    Linear(Linear),
    Kernel(Kernel),
    Cluster(Cluster),
    Blend {
        blend: Box<Blend>,
        mean_cost: MeanCost,
        format: EmbeddingFormat,
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
            targets: Vec::new(),
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
        let outputs = |predicted| ModelOutputs::PerModel(self.outputs(predicted));
        Ok(match &self.form {
            Form::Knn { knn, .. } => outputs(knn.predict(embeddings, on_progress)?),
            Form::Linear(linear) => outputs(linear.predict(embeddings, on_progress)?),
            Form::Kernel(kernel) => outputs(kernel.predict(embeddings, on_progress)?),
            Form::Cluster(cluster) => outputs(cluster.predict(embeddings, on_progress)?),
            Form::Blend { blend, .. } => outputs(blend.predict(embeddings, on_progress)?),
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
        // Costs of the prompt at hand would still route: the dearer an LLM's input, the less it would get of long prompts.
        if let Form::Blend {
            blend, mean_cost, ..
        } = &self.form
            && !blend.routes()
        {
            cost = PredictedCost::Mean(mean_cost.clone());
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
            Form::Knn { knn, format, .. } => {
                let held = knn.in_memory().expect("a fit keeps its rows in memory");
                // As the fit has them: what was unknown is filled in.
                let learned = self.targets.iter().enumerate();
                let learned = learned.map(|(target_idx, target)| Target {
                    name: target.name.clone(),
                    values: (held.values())
                        .slice(s![.., knn.outputs(target_idx)])
                        .to_owned(),
                });
                let learned: Vec<Target> = learned.collect();
                folder.write_knn(&KnnParts {
                    embeddings: held.rows(),
                    targets: &learned,
                    format: *format,
                })?;
                let targets = self.quantities.iter().zip(knn.fits());
                Contents::Knn {
                    embeddings: *format,
                    backend: held.backend(),
                    targets: targets
                        .map(|(&quantity, fit)| KnnTarget {
                            quantity,
                            n_neighbors: fit.n_neighbors,
                            prior_values: fit.prior_values,
                        })
                        .collect(),
                }
            }
            Form::Linear(linear) => folder.write_linear(linear, &self.quantities)?,
            Form::Kernel(kernel) => folder.write_kernel(kernel, &self.quantities)?,
            Form::Cluster(cluster) => folder.write_cluster(cluster, &self.quantities)?,
            Form::Blend {
                blend,
                mean_cost,
                format,
            } => folder.write_blend(&BlendParts {
                blend,
                quantities: &self.quantities,
                mean_cost,
                format: *format,
            })?,
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
}
