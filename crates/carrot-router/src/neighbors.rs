use std::path::{Path, PathBuf};

use dataset::Sketch;
use ndarray::Array2;
use nets::{DeviceChoice, ModelFiles, SentenceEmbedder};
use saved_routers::{Embedder, PerModelOutputs, SavedKnn};

use crate::{
    Error, Result, ServerEmbedder,
    counter::Counter,
    one_thread::OneThread,
    predicted::{Length, Predicted},
};

/// Predicts means over the nearest train prompts.
#[derive(Debug)]
pub(crate) struct Neighbors {
    pub(crate) knn: SavedKnn,
    pub(crate) embedder: PromptEmbedder,
}

/// What embeds prompts.
#[derive(Debug)]
pub(crate) enum PromptEmbedder {
    Local(Box<LocalEmbedder>),
    Server(Box<ServerEmbedder>),
}

/// A sentence-transformers model on this machine.
#[derive(Debug)]
pub(crate) struct LocalEmbedder {
    model: SentenceEmbedder,
    folder: PathBuf,
    counter: Counter,
}

impl Neighbors {
    pub(crate) fn predict(&self, prompts: &[String]) -> Result<Predicted> {
        let (embeddings, lengths) = match &self.embedder {
            PromptEmbedder::Local(local) => local.embed(prompts)?,
            PromptEmbedder::Server(server) => server.embed(prompts)?,
        };
        let PerModelOutputs { scores, cost } = self.knn.predict(embeddings.view(), &|_| ())?;
        Ok(Predicted {
            scores,
            cost,
            lengths,
            sketches: Some(embeddings.outer_iter().map(Sketch::of).collect()),
        })
    }

    pub(crate) fn stand_in(&self) -> String {
        match &self.embedder {
            PromptEmbedder::Local(local) => {
                format!("the tokenizer of the embedder `{}`", local.folder.display())
            }
            PromptEmbedder::Server(server) => {
                format!(
                    "the encoding cl100k_base of the embedder `{}`",
                    server.model_name()
                )
            }
        }
    }

    pub(crate) fn describe(&self) -> String {
        let n_rows = self.knn.n_rows();
        match &self.embedder {
            PromptEmbedder::Local(local) => format!(
                "the nearest of {n_rows} prompts by embeddings of `{}`",
                local.folder.display()
            ),
            PromptEmbedder::Server(server) => format!(
                "the nearest of {n_rows} prompts by embeddings from the server's `{}`, at {}",
                server.model_name(),
                server.price()
            ),
        }
    }
}

impl LocalEmbedder {
    /// Loads a model, which must be the one that was recorded.
    pub(crate) fn load(folder: &Path, recorded: Embedder, device: DeviceChoice) -> Result<Self> {
        let files = ModelFiles::in_folder(folder)?;
        // By hash, because a folder of the same name may hold another version of the model.
        if let Some(expected) = recorded.sha256 {
            let found = files.sha256()?;
            if found != expected {
                return Err(Error::OtherEmbedder {
                    folder: folder.to_owned(),
                    expected,
                    found,
                });
            }
        }
        let model = {
            let _one_thread = OneThread::start();
            SentenceEmbedder::load(&files, device)?
        };
        // Without a recorded hash, the length of the embeddings is all there is to compare.
        if model.dim() != recorded.dim {
            return Err(saved_routers::Error::Dimension {
                expected: recorded.dim,
                found: model.dim(),
            }
            .into());
        }
        let counter = Counter::new(model.tokenizer().clone());
        let counter = counter.map_err(|source| Error::Tokenizer {
            path: folder.to_owned(),
            source,
        })?;
        // As the train prompts were cut, so are those to be routed.
        Ok(Self {
            model: model.with_truncate(recorded.truncate),
            folder: folder.to_owned(),
            counter,
        })
    }

    fn embed(&self, prompts: &[String]) -> Result<(Array2<f32>, Vec<Length>)> {
        let embedded = {
            // Several prompts are spread over the cores; a single one is faster without.
            let _one_thread = (prompts.len() == 1).then(OneThread::start);
            self.model.embed(prompts, &|_| ())?
        };
        let length = |(n_tokens, is_truncated)| Length {
            n_tokens,
            is_truncated,
        };
        // Counted separately, as the model truncates and an LLM charges for the whole prompt.
        let counts = self.counter.count_all(prompts)?;
        let lengths = counts.into_iter().zip(embedded.is_truncated).map(length);
        Ok((embedded.values, lengths.collect()))
    }
}
