use std::path::PathBuf;

use dataset::{DatasetDir, DatasetInfo, Truncate};
use routers::{CheckedForestParams, CheckedKnnParams, CheckedMfParams};
use saved_routers::EmbeddingFormat;

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
    pub(crate) knn: CheckedKnnParams,
    pub(crate) forest: CheckedForestParams,
    pub(crate) mf: CheckedMfParams,
    #[cfg_attr(
        not(feature = "torch"),
        expect(dead_code, reason = "only networks use it")
    )]
    pub(crate) torch: torch::Settings,
    /// How fitted nearest neighbors store their embeddings.
    pub(crate) saved_embeddings: EmbeddingFormat,
    pub(crate) models_dir: PathBuf,
    /// Which part of prompts that are too long is cut off; none where the models' files decide.
    pub(crate) truncate: Option<Truncate>,
    /// Seed of the order in which train prompts are taken for a learning curve.
    pub(crate) train_sizes_seed: u32,
    pub(crate) force: bool,
    pub(crate) quiet: bool,
}

impl Setup {
    /// The embedder whose embeddings a router predicts from, unless it reads prompts.
    pub(crate) fn embedder_for(&self, input: Input) -> Option<&Embedder> {
        match input {
            Input::ChosenEmbedding => Some(&self.embedder),
            Input::SentenceEmbedding => Some(&self.sentence_embedder),
            Input::Prompts => None,
        }
    }
}
