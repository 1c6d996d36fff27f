use serde::{Deserialize, Serialize};

/// What a fit of a blend chose, and by what; all that a later fit with the same weights needs ([`super::PreparedBlend::fit_kept`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlendReport {
    /// Whether it routes at all. If not, every prompt is predicted the LLMs' means.
    pub routes: bool,
    /// The factor of the predicted differences between LLMs in force; 0 where it does not route.
    pub scale: f64,
    /// What predicts scores: of all that were tried, the one that routes with the highest gain less its standard error.
    #[serde(default)]
    pub taken: BlendCandidate,
    /// The out-of-fold gain of what was taken over not routing at each factor, from 0 on; empty where there were too few rows for folds.
    pub gains: Vec<ScaleGain>,
    /// Each candidate at its best factor, in the order tried; empty where there were too few rows, and after a change of the LLMs, which keeps
    /// what was taken.
    #[serde(default)]
    pub tried: Vec<CandidateGain>,
    /// What was decided of LLMs that have far fewer scores than others, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub few_scores: Option<FewScores>,
    /// The weights of scores, and of costs where they are predicted; in force only where the blend routes.
    pub targets: Vec<BlendTarget>,
}

/// What may predict scores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum BlendCandidate {
    /// The learners with the hyperparameters of the least squared error of differences between LLMs.
    #[default]
    LeastError,
    /// The learners with the smoothest of their hyperparameters: the most neighbors, the strongest penalties, the fewest clusters.
    Smoothest,
}

/// What a candidate gains.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CandidateGain {
    /// The candidate.
    pub candidate: BlendCandidate,
    /// At the factor of its highest gain less its standard error.
    pub best: ScaleGain,
}

/// The LLMs that have few scores, and whether they may be chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FewScores {
    /// Their positions, ascending: those with fewer than a quarter of the scores of the LLM that has the most.
    pub models: Vec<usize>,
    /// Whether they are never chosen, which is where choosing among all LLMs was not shown to be better than choosing among the others.
    pub held_back: bool,
    /// The mean out-of-fold gain of the one over the other, in scores, over rows and worths; `None` where no choice is known.
    pub gain: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
}

/// The gain at one factor of the predicted differences.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScaleGain {
    /// The factor; 0 is not routing.
    pub scale: f64,
    /// Mean gain over not routing, in scores, over rows and worths; `None` where no choice is known.
    pub gain: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
}

/// The weights of one target's learners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlendTarget {
    /// The target's name.
    pub target: String,
    /// The learners, whether they have weight or not; none where there were too few rows for folds.
    pub learners: Vec<LearnerReport>,
}

/// One learner of one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LearnerReport {
    /// The learner, and its hyperparameters in force.
    pub setting: Setting,
    /// Weight of its differences between LLMs, at least 0.
    pub deviation_weight: f64,
    /// Weight of its mean over LLMs, at least 0.
    pub level_weight: f64,
    /// What the hyperparameters were chosen by; where the smoothest were taken, they were not.
    pub cross_validation: Vec<SettingScore>,
}

/// A learner with its hyperparameters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Setting {
    /// Nearest neighbors.
    #[serde(rename_all = "kebab-case")]
    Knn {
        /// Number of neighbors.
        n_neighbors: usize,
    },
    /// Ridge regression.
    Linear {
        /// Penalty of squared coefficients.
        alpha: f64,
    },
    /// Kernel ridge regression.
    Kernel {
        /// The kernel's factor of squared distances.
        gamma: f64,
        /// Penalty of squared coefficients.
        alpha: f64,
    },
    /// Means over clusters.
    #[serde(rename_all = "kebab-case")]
    Cluster {
        /// Number of clusters.
        n_clusters: usize,
    },
}

/// The cross-validation score of one setting.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SettingScore {
    /// The setting.
    pub setting: Setting,
    /// Mean squared out-of-fold error of differences between LLMs; `None` where nothing is known.
    pub difference_error: Option<f64>,
}

impl BlendReport {
    /// The positions of LLMs that are never chosen, because they have few scores.
    pub fn held_back(&self) -> &[usize] {
        match &self.few_scores {
            Some(few) if few.held_back => &few.models,
            _ => &[],
        }
    }

    /// Whether the learner of a setting has weight for any target.
    pub fn has_weight(&self, setting: Setting) -> bool {
        let learners = self.targets.iter().flat_map(|target| &target.learners);
        learners
            .filter(|learner| learner.setting.is_of(setting))
            .any(|learner| learner.deviation_weight > 0.0 || learner.level_weight > 0.0)
    }
}

impl Setting {
    /// One of each learner, to compare others with ([`Setting::is_of`]).
    pub(super) const KNN: Self = Self::Knn { n_neighbors: 1 };
    pub(super) const LINEAR: Self = Self::Linear { alpha: 1.0 };
    pub(super) const KERNEL: Self = Self::Kernel {
        gamma: 1.0,
        alpha: 1.0,
    };
    pub(super) const CLUSTER: Self = Self::Cluster { n_clusters: 1 };
    pub(super) const KINDS: [Self; 4] = [Self::KNN, Self::LINEAR, Self::KERNEL, Self::CLUSTER];

    /// Whether both are of the same learner.
    pub fn is_of(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}
