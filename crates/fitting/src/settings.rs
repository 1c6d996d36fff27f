use std::collections::BTreeMap;

use dataset::{DatasetDir, DatasetInfo, Part, router_names::is_of_own_table};
use evaluation::published::PAID_EMBEDDER;
use routers::{
    BlendLearners, BlendParams, ClusterParams, ForestParams, KernelParams, KnnParams, LinearParams,
    MfParams, PropensityParams,
};
use saved_routers::EmbeddingFormat;
use serde::Deserialize;

use crate::{LearnerParams, Result};

/// configs/routers.toml: the settings of every router, also of those that other crates fit.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// CARROT (KNN).
    pub carrot_knn: KnnParams,
    /// CARROT (KNN) on a sentence embedding.
    pub carrot_knn_sbert: SentenceKnn,
    /// Ridge regression.
    pub carrot_linear: LinearParams,
    /// Kernel ridge regression.
    pub carrot_kernel: KernelParams,
    /// Means over clusters.
    pub carrot_cluster: ClusterParams,
    /// The blend.
    pub carrot_blend: BlendParams,
    /// The matrix factorization.
    pub mf: MfParams,
    /// The random forest.
    pub rorf: ForestParams,
    /// Which LLM a log's policy asked.
    pub propensity: PropensityParams,
    /// The networks that read prompts.
    pub roberta: RobertaNames,
    /// How routers are kept.
    pub saved: SavedSettings,
    /// How subsets of the train part are drawn.
    pub learning_curve: LearningCurveSettings,
    /// How out-of-fold predictions are made.
    pub cross_fit: CrossFitSettings,
    /// Models behind short names of embedders.
    pub embedders: BTreeMap<String, EmbedderSettings>,
    /// How a static embedder is made of another.
    pub distill: DistillSettings,
    /// What prompts are embedded with where the user does not say.
    pub default_embedding: DefaultEmbedding,
}

/// Settings of `carrot-knn-sbert` only.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SentenceKnn {
    /// The embedder's name.
    pub embedder: String,
}

/// Settings of networks other than those of their training.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RobertaNames {
    /// The network that training begins with.
    pub base: String,
    /// Tokens that prompts are cut to in prediction.
    pub predict_max_tokens: usize,
    /// Prompts in a batch where the reference's quirks are repeated.
    pub quirks_batch_size: usize,
    /// The released network of scores.
    pub released_performance: String,
    /// The released network of costs.
    pub released_cost: String,
}

/// How fitted routers are kept.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SavedSettings {
    /// How nearest neighbors store their embeddings.
    // The key's older name, so that settings files in use stay valid.
    #[serde(rename = "vectors")]
    pub embeddings: EmbeddingFormat,
}

/// How subsets of the train part are drawn.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LearningCurveSettings {
    /// Seed of the order in which train prompts are taken.
    pub seed: u32,
}

/// How out-of-fold predictions are made.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CrossFitSettings {
    /// Seed of the order in which prompts are dealt to folds, and of permutations.
    pub seed: u64,
    /// Whether prompts with the same text go to the same fold.
    pub keep_equal_prompts_together: bool,
}

/// Where to find the model behind a short name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EmbedderSettings {
    /// Its folder under the models folder.
    pub folder: String,
    /// Its id on the hub.
    pub hub: Option<String>,
    /// The short name of the sentence embedder that it is distilled from, when it is first asked for.
    pub distilled_from: Option<String>,
}

impl DefaultEmbedding {
    /// The one for a data set: the paper's, where it has them. Train embeddings of the paper's embedder are enough to prefer it: if those of the test part are missing, an
    /// error is better than other embeddings without a word.
    pub fn of(&self, dir: &DatasetDir, info: &DatasetInfo) -> &str {
        if dir.embeddings(PAID_EMBEDDER, Part::Train).is_file() {
            return PAID_EMBEDDER;
        }
        match is_of_own_table(info) {
            true => &self.own_logs,
            false => &self.other,
        }
    }
}

/// How a static embedder is made of a sentence embedder.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DistillSettings {
    /// Length of a vector.
    pub dim: usize,
    /// a in the weight a / (a + p) of a token with probability p.
    pub sif_coefficient: f64,
}

/// Names of embedders.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DefaultEmbedding {
    /// For data sets of one's own tables.
    pub own_logs: String,
    /// For others.
    pub other: String,
}

/// The settings that programs are built with.
pub const BUILT_IN: &str = include_str!("../../../configs/routers.toml");

impl Settings {
    /// The learners' settings, checked.
    ///
    /// # Errors
    /// [`crate::Error::Learner`] for the first that no fit can use.
    pub fn learners(&self) -> Result<LearnerParams> {
        let learners = BlendLearners {
            knn: self.carrot_knn.clone().check()?,
            linear: self.carrot_linear.clone().check()?,
            kernel: self.carrot_kernel.clone().check()?,
            cluster: self.carrot_cluster.clone().check()?,
        };
        Ok(LearnerParams {
            knn: learners.knn.clone(),
            linear: learners.linear.clone(),
            kernel: learners.kernel.clone(),
            cluster: learners.cluster.clone(),
            blend: self.carrot_blend.clone().check(learners)?,
            mf: self.mf.clone().check()?,
            forest: self.rorf.clone().check()?,
            propensity: self.propensity.clone().check()?,
            saved_embeddings: self.saved.embeddings,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use test_support::dataset_info;

    use super::*;

    #[test]
    fn the_built_in_settings_can_be_used() {
        let settings: Settings = toml::from_str(BUILT_IN).expect("readable");
        settings.learners().expect("good parameters");
        assert!(settings.cross_fit.keep_equal_prompts_together);
    }

    #[test]
    fn embeddings_that_nobody_names_go_by_the_data_set() {
        let settings: Settings = toml::from_str(BUILT_IN).expect("readable");
        let folder = tempfile::tempdir().expect("a folder");
        let dir = DatasetDir::new(folder.path(), "d");
        let default = |made_by: &str| {
            let info = DatasetInfo {
                made_by: made_by.to_owned(),
                ..dataset_info("d", &["a"], [1, 1])
            };
            settings.default_embedding.of(&dir, &info).to_owned()
        };
        assert_eq!(default("gen-custom 0.1.0"), "static");
        assert_eq!(default("gen-sprout 0.1.0"), "minilm");
        let train = dir.embeddings(PAID_EMBEDDER, Part::Train);
        fs::create_dir_all(train.parent().expect("it is in a folder")).expect("made");
        fs::write(&train, "").expect("written");
        assert_eq!(default("gen-custom 0.1.0"), PAID_EMBEDDER);
    }
}
