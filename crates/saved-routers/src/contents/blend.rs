use dataset::Quantity;
use routers::{Backend, BlendReport, BlendTarget, Setting};
use serde::{Deserialize, Serialize};

use super::{ClusterTarget, Contents, EmbeddingFormat, KernelTarget, KnnTarget, LinearTarget};

/// What a saved [`routers::Blend`] is made of. The learners that have weight are stored beside it as they are when they are saved alone; a blend
/// that does not route stores none, but keeps its weights here, which a change of its LLMs needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlendContents {
    /// What is predicted, the score first.
    pub targets: Vec<Quantity>,
    /// Weights, hyperparameters and what the decision to route was made by; without the tables that hyperparameters were chosen by, which are
    /// among the record's results.
    pub report: BlendReport,
    /// How the train prompts' embeddings are stored, where nearest neighbors have weight.
    #[serde(rename = "vectors")]
    pub embeddings: EmbeddingFormat,
    /// How neighbors are searched for.
    pub backend: Backend,
    /// Whether k counts the neighbors that know an LLM ([`routers::Knn::counting_known`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts_known: bool,
    /// What the LLMs' mean costs are given in.
    pub mean_cost: MeanCostUnit,
}

/// What mean costs are given in, see [`dataset::MeanCost`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MeanCostUnit {
    /// Tokens, which prices turn into dollars.
    Tokens,
    /// Dollars.
    Usd,
}

impl BlendContents {
    /// Whether choices depend on the prompt.
    pub fn routes(&self) -> bool {
        self.report.routes
    }

    /// The learners that are stored, each as the contents of a router of its own. Of clusters, as many are said as were asked for; a fit may have
    /// found fewer.
    pub(crate) fn learners(&self) -> Vec<Contents> {
        let mut learners = Vec::new();
        if !self.routes() {
            return learners;
        }
        if let Some(targets) = self.settings(|quantity, setting| match setting {
            Setting::Knn { n_neighbors } => Some(KnnTarget {
                quantity,
                n_neighbors,
                prior_values: self.counts_known.then_some(0.0),
            }),
            _ => None,
        }) {
            learners.push(Contents::Knn {
                embeddings: self.embeddings,
                backend: self.backend,
                targets,
            });
        }
        if let Some(targets) = self.settings(|quantity, setting| match setting {
            Setting::Linear { alpha } => Some(LinearTarget { quantity, alpha }),
            _ => None,
        }) {
            learners.push(Contents::Linear { targets });
        }
        if let Some(targets) = self.settings(|quantity, setting| match setting {
            Setting::Kernel { gamma, alpha } => Some(KernelTarget {
                quantity,
                gamma,
                alpha,
            }),
            _ => None,
        }) {
            learners.push(Contents::Kernel { targets });
        }
        if let Some(targets) = self.settings(|quantity, setting| match setting {
            Setting::Cluster { n_clusters } => Some(ClusterTarget {
                quantity,
                n_clusters,
            }),
            _ => None,
        }) {
            learners.push(Contents::Cluster { targets });
        }
        learners
    }

    /// One learner's settings for all targets, where it has weight for any.
    fn settings<T>(&self, of: impl Fn(Quantity, Setting) -> Option<T>) -> Option<Vec<T>> {
        let mut has_weight = false;
        let find = |(target, &quantity): (&BlendTarget, &Quantity)| {
            target.learners.iter().find_map(|learner| {
                let found = of(quantity, learner.setting)?;
                has_weight |= learner.deviation_weight > 0.0 || learner.level_weight > 0.0;
                Some(found)
            })
        };
        let targets = self.report.targets.iter().zip(&self.targets);
        let found: Option<Vec<T>> = targets.map(find).collect();
        found.filter(|_| has_weight)
    }
}
