use dataset::Quantity;
use serde::{Deserialize, Serialize};

use super::Contents;

/// What a saved [`routers::Blend`] is made of:
///
/// ```text
/// prediction of LLM m = mean_m + level(x) + g * deviation_m(x)
///   level       sum over learners of their weight for levels times the mean over LLMs of (what they predict - mean)
///   deviation   sum over learners of their weight for deviations times what is left of (what they predict - mean)
/// ```
///
/// With `g = 0` the router does not route: it predicts each LLM's mean score and mean cost, and no learner is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlendContents {
    /// What deviations are multiplied by, one of [`routers::BLEND_FACTORS`].
    pub g: f64,
    /// What is predicted, the score first.
    pub targets: Vec<Quantity>,
    /// The learners that have weight; none where the router does not route.
    pub learners: Vec<BlendLearner>,
    /// What the mean costs are given in, where the router does not route; else absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_cost: Option<MeanCostUnit>,
}

/// A learner of a blend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlendLearner {
    /// What it is, as if it were saved alone.
    pub learner: Contents,
    /// Its weights for each target.
    pub weights: Vec<TargetWeights>,
}

/// How much a learner counts for one target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TargetWeights {
    /// For what all LLMs have in common on a prompt.
    pub level: f64,
    /// For the differences between LLMs.
    pub deviation: f64,
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
        self.g != 0.0
    }
}
