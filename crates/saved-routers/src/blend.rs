use std::path::Path;

use dataset::Standardizer;
use ndarray::ArrayView2;

use crate::{BlendContents, PerModelOutputs, Result, SavedMeans, learner::Outputs, means};

/// A blend that was opened in a folder.
#[derive(Debug, Clone)]
pub enum SavedBlend {
    /// It does not route.
    Means(SavedMeans),
}

pub(crate) fn read(
    path: &Path,
    contents: &BlendContents,
    outputs: Outputs,
    _scale: Option<Standardizer>,
) -> Result<SavedBlend> {
    let Outputs { dim, n_models } = outputs;
    match contents.mean_cost {
        Some(unit) => Ok(SavedBlend::Means(means::read(path, unit, dim, n_models)?)),
        None => todo!(),
    }
}

impl SavedBlend {
    /// What predicts, in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Means(_) => "each LLM's mean score and mean cost on the train prompts, whatever the prompt: this blend does not route".to_owned(),
        }
    }

    /// Predicts for embeddings of shape `(n_prompts, dim)`. A prediction does not depend on the other prompts. `on_progress` counts prompts.
    ///
    /// # Errors
    /// [`crate::Error::Dimension`] for embeddings of another length; [`crate::Error::Predict`] for embeddings that are not finite.
    pub fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<PerModelOutputs> {
        match self {
            Self::Means(means) => means.predict(embeddings, on_progress),
        }
    }
}
