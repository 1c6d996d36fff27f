use std::path::PathBuf;

use dataset::{DatasetDir, DatasetInfo, Precision, Truncate};
use encoder::DeviceChoice;
use fitting::{CrossFitSettings, LearnerParams};
use static_embeddings::CheckedDistillParams;

use crate::{
    embedder::{Embedder, Input},
    torch,
};

/// What all routers of a job share: the data set, the paths, and the settings.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) dir: DatasetDir,
    pub(crate) info: DatasetInfo,
    pub(crate) embedder: Embedder,
    pub(crate) sentence_embedder: Embedder,
    /// Settings of the routers on embeddings.
    pub(crate) learners: LearnerParams,
    /// How a static embedder is made that is first asked for.
    pub(crate) distill: CheckedDistillParams,
    #[cfg_attr(
        not(feature = "torch"),
        expect(dead_code, reason = "only networks use it")
    )]
    pub(crate) roberta: torch::RobertaSettings,
    /// Where models run.
    pub(crate) device: DeviceChoice,
    /// How exactly networks multiply when they predict.
    #[cfg_attr(
        not(feature = "torch"),
        expect(dead_code, reason = "only networks use it; each embedder has its own")
    )]
    pub(crate) precision: Precision,
    pub(crate) models_dir: PathBuf,
    /// Which part of prompts that are too long is cut off; none where the models' files decide.
    pub(crate) truncate: Option<Truncate>,
    /// Seed of the order in which train prompts are taken for a learning curve.
    pub(crate) train_sizes_seed: u32,
    /// Seed of folds and permutations, and whether equal prompts stay in one fold.
    pub(crate) cross_fit: CrossFitSettings,
    pub(crate) force: bool,
    pub(crate) quiet: bool,
}

/// How an embedder on this machine is found and run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ModelSetup {
    /// Where it runs.
    pub(crate) device: DeviceChoice,
    /// Which part of prompts that are too long is cut off; none where the model's files decide.
    pub(crate) truncate: Option<Truncate>,
    pub(crate) quiet: bool,
}

impl Setup {
    /// What an embedder needs of it.
    pub(crate) fn of_models(&self) -> ModelSetup {
        ModelSetup {
            device: self.device,
            truncate: self.truncate,
            quiet: self.quiet,
        }
    }

    /// The embedder whose embeddings a router predicts from, unless it reads prompts.
    pub(crate) fn embedder_for(&self, input: Input) -> Option<&Embedder> {
        match input {
            Input::ChosenEmbedding => Some(&self.embedder),
            Input::SentenceEmbedding => Some(&self.sentence_embedder),
            Input::Prompts => None,
        }
    }
}
