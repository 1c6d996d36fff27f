use ndarray::{Array1, Array2, ArrayView2};

use super::{
    check::check,
    combine::{Parts, Weighted},
    report::{BlendReport, LearnerReport, Setting},
};
use crate::{Cluster, Error, Kernel, Knn, Linear, Result};

/// Fitted blend; made by [`super::CheckedBlendParams::fit`], or from what a fit left.
#[derive(Debug, Clone)]
pub struct Blend {
    parts: BlendParts,
    /// The means of each target as an array.
    means: Vec<Array1<f64>>,
}

/// What a blend is made of, to be stored.
#[derive(Debug, Clone)]
pub struct BlendParts {
    /// Length of the embeddings it predicts for.
    pub dim: usize,
    /// The mean of each LLM over the rows of the fit, for each target; NaN where it is known in none.
    pub means: Vec<Vec<f64>>,
    /// The mean cost of each LLM over the rows of the fit, in dollars: what a blend that does not route predicts.
    pub mean_costs_usd: Vec<f64>,
    /// The weights, g and the hyperparameters.
    pub report: BlendReport,
    /// Nearest neighbors, where they have weight.
    pub knn: Option<Knn>,
    /// Ridge regression, where it has weight.
    pub linear: Option<Linear>,
    /// Kernel ridge regression, where it has weight.
    pub kernel: Option<Kernel>,
    /// Means over clusters, where they have weight.
    pub cluster: Option<Cluster>,
}

/// A learner's predictions, one matrix for each target.
struct OfLearner {
    setting: Setting,
    predicted: Vec<Array2<f64>>,
}

impl Blend {
    /// Puts a blend together again from what its fit left ([`Blend::parts`]). It predicts the same to the last bit.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Empty`] when targets, LLMs or dimensions of the parts differ; [`Error::BadWeight`] for weights and factors that no
    /// fit leaves, a learner that has weight and is absent, or one that is there without weight.
    pub fn from_parts(parts: BlendParts) -> Result<Self> {
        check(&parts)?;
        let means = parts.means.iter().map(|it| Array1::from_vec(it.clone()));
        Ok(Self {
            means: means.collect(),
            parts,
        })
    }

    /// What is to be stored.
    pub fn parts(&self) -> &BlendParts {
        &self.parts
    }

    /// Whether it routes at all. If not, every prompt is predicted the same, and costs are [`Blend::mean_costs_usd`], whatever the prompt.
    pub fn routes(&self) -> bool {
        self.parts.report.routes
    }

    /// What was chosen, and by what.
    pub fn report(&self) -> &BlendReport {
        &self.parts.report
    }

    /// The mean cost of each LLM over the rows of the fit, in dollars; NaN where it is known in none.
    pub fn mean_costs_usd(&self) -> &[f64] {
        &self.parts.mean_costs_usd
    }

    /// Predicts every target for some embeddings of shape `(n_queries, dim)`; the matrices have shape `(n_queries, n_models)`.
    ///
    /// A prediction does not depend on the other queries. `on_progress` counts queries.
    ///
    /// # Errors
    /// [`Error::Shape`] when the dimension is not the fitted one; [`Error::NotFinite`]; [`Error::Backend`].
    pub fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<Array2<f32>>> {
        let (n_queries, dim) = embeddings.dim();
        if dim != self.parts.dim {
            return Err(Error::Shape {
                what: "query embedding",
                expected: (n_queries, self.parts.dim),
                found: (n_queries, dim),
            });
        }
        if let Some(row) = embeddings
            .outer_iter()
            .position(|row| row.iter().any(|it| !it.is_finite()))
        {
            return Err(Error::NotFinite { row });
        }
        let learners = self.predict_learners(embeddings)?;
        let predict = |(target, means): (usize, &Array1<f64>)| {
            let weighted: Vec<Weighted<'_>> = (learners.iter())
                .filter_map(|learner| {
                    let weights = self.weights(target, learner.setting)?;
                    Some(Weighted {
                        predicted: learner.predicted[target].view(),
                        deviation: weights.deviation_weight,
                        level: weights.level_weight,
                    })
                })
                .collect();
            let parts = Parts::of((n_queries, means.len()), &weighted, |_| means.view());
            let predicted = parts.scaled(self.parts.report.scale, |_| means.view());
            predicted.mapv(|value| value as f32)
        };
        let predicted = self.means.iter().enumerate().map(predict).collect();
        on_progress(n_queries as u64);
        Ok(predicted)
    }

    fn predict_learners(&self, embeddings: ArrayView2<'_, f32>) -> Result<Vec<OfLearner>> {
        let parts = &self.parts;
        let mut found = Vec::new();
        let mut push = |kind: Setting, predicted: Vec<Array2<f32>>| {
            let predicted = predicted.into_iter().map(|it| it.mapv(f64::from));
            found.push(OfLearner {
                setting: kind,
                predicted: predicted.collect(),
            });
        };
        if let Some(knn) = &parts.knn {
            push(Setting::KNN, knn.predict(embeddings, &|_| ())?);
        }
        if let Some(linear) = &parts.linear {
            push(Setting::LINEAR, linear.predict(embeddings, &|_| ())?);
        }
        if let Some(kernel) = &parts.kernel {
            push(Setting::KERNEL, kernel.predict(embeddings, &|_| ())?);
        }
        if let Some(cluster) = &parts.cluster {
            push(Setting::CLUSTER, cluster.predict(embeddings, &|_| ())?);
        }
        Ok(found)
    }

    fn weights(&self, target: usize, of: Setting) -> Option<&LearnerReport> {
        let learners = &self.parts.report.targets[target].learners;
        learners.iter().find(|it| it.setting.is_of(of))
    }
}
