use std::{
    panic::resume_unwind,
    path::{Path, PathBuf},
    thread,
};

use dataset::Sketch;
use embeddings::count_tokens;
use encoder::{DeviceChoice, Runtime};
use ndarray::Array2;
use saved_routers::{Embedder, Model, ModelOutputs, PerModelOutputs};
use static_embeddings::EmbedderFiles;

use crate::{
    Error, Result, ServerEmbedder,
    backend::load_embedder,
    counter::Counter,
    predicted::{Length, Predicted},
};

/// Predicts from a prompt's embedding.
#[derive(Debug)]
pub(crate) struct Embedded {
    model: Model,
    embedder: PromptEmbedder,
}

/// What embeds prompts.
#[derive(Debug)]
pub(crate) enum PromptEmbedder {
    Local(Box<LocalEmbedder>),
    Server(Box<ServerEmbedder>),
}

/// A model on this machine.
#[derive(Debug)]
pub(crate) struct LocalEmbedder {
    model: Box<dyn encoder::PromptEmbedder>,
    folder: PathBuf,
    counter: Counter,
}

impl Embedded {
    /// `model` must be one that predicts every LLM's score and cost from embeddings.
    pub(crate) fn new(model: Model, embedder: PromptEmbedder) -> Self {
        Self { model, embedder }
    }

    pub(crate) fn predict(&self, prompts: &[String]) -> Result<Predicted> {
        // No network has to run for a router that does not route, and nothing is sent to a server.
        if let Some(outputs) = self.model.without_routing(prompts.len()) {
            return Ok(Predicted {
                scores: outputs.scores,
                cost: outputs.cost,
                lengths: self.embedder.lengths(prompts)?,
                shards_missing: Vec::new(),
                sketches: None,
            });
        }
        let (embeddings, lengths) = match &self.embedder {
            PromptEmbedder::Local(local) => local.embed(prompts)?,
            PromptEmbedder::Server(server) => server.embed(prompts)?,
        };
        let (PerModelOutputs { scores, cost }, shards_missing) = self.outputs(&embeddings)?;
        Ok(Predicted {
            scores,
            cost,
            lengths,
            shards_missing,
            sketches: Some(embeddings.outer_iter().map(Sketch::of).collect()),
        })
    }

    fn outputs(&self, embeddings: &Array2<f32>) -> Result<(PerModelOutputs, Vec<u32>)> {
        match self.model.predict_noting(embeddings.view(), &|_| ())? {
            (ModelOutputs::PerModel(outputs), missing) => Ok((outputs, missing)),
            (ModelOutputs::SmallWins(_), _) => {
                unreachable!("a router of a pair is refused when it is opened")
            }
        }
    }

    /// Whether what is predicted depends on the prompt.
    pub(crate) fn routes(&self) -> bool {
        self.model.routes()
    }

    pub(crate) fn is_on_server(&self) -> bool {
        matches!(self.embedder, PromptEmbedder::Server(_))
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
        let model = self.model.describe();
        if !self.model.routes() {
            return model;
        }
        match &self.embedder {
            PromptEmbedder::Local(local) => {
                format!("{model} by embeddings of `{}`", local.folder.display())
            }
            PromptEmbedder::Server(server) => format!(
                "{model} by embeddings from the server's `{}`, at {}",
                server.model_name(),
                server.price()
            ),
        }
    }
}

impl PromptEmbedder {
    /// The lengths of prompts that nothing embeds, so that nothing cuts them.
    fn lengths(&self, prompts: &[String]) -> Result<Vec<Length>> {
        let counts = match self {
            Self::Local(local) => local.counter.count_all(prompts)?,
            Self::Server(_) => prompts.iter().map(|prompt| count_tokens(prompt)).collect(),
        };
        let length = |n_tokens| Length {
            n_tokens,
            is_truncated: false,
        };
        Ok(counts.into_iter().map(length).collect())
    }
}

impl LocalEmbedder {
    /// Loads a model, which must be the one that was recorded.
    pub(crate) fn load(folder: &Path, recorded: Embedder, device: DeviceChoice) -> Result<Self> {
        let files = EmbedderFiles::in_folder(folder)?;
        let runtime = Runtime {
            device,
            precision: recorded.precision,
        };
        // Side by side, since either reads all of the model. As the train prompts were cut, so are those to be routed.
        let (found, model) = thread::scope(|scope| {
            let found =
                scope.spawn(|| recorded.sha256.as_ref().map(|_| files.sha256()).transpose());
            let model = files.load(|network| load_embedder(network, recorded.truncate, runtime));
            (found.join(), model)
        });
        let found = found.unwrap_or_else(|panic| resume_unwind(panic))?;
        // By hash, because a folder of the same name may hold another version of the model.
        if let (Some(expected), Some(found)) = (recorded.sha256, found)
            && found != expected
        {
            return Err(Error::OtherEmbedder {
                folder: folder.to_owned(),
                expected,
                found,
            });
        }
        let model = model?;
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
        Ok(Self {
            model,
            folder: folder.to_owned(),
            counter,
        })
    }

    fn embed(&self, prompts: &[String]) -> Result<(Array2<f32>, Vec<Length>)> {
        let embedded = self.model.embed(prompts, &|_| ())?;
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
