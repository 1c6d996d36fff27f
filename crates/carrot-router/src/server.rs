use std::path::Path;

use dataset::FolderName;
use embeddings::{Client, Endpoint, Limits, Model, Store, count_tokens};
use ndarray::Array2;
use tempfile::TempDir;
use tracing::{info, warn};

use crate::{Error, Result, embedder::recorded_embedder, predicted::Length};

/// Embeds prompts on a server that speaks OpenAI's protocol: each prompt is sent there, and the server may charge for it.
#[derive(Debug)]
pub struct ServerEmbedder {
    client: Client,
    model: Model,
    store: Store,
    /// Holds a store that is not kept; removed when this is dropped.
    // After `store`, because fields are dropped in this order, and the store's file has to be closed before its folder goes.
    _folder: Option<TempDir>,
}

/// Which server to ask, and for what.
#[derive(Debug, Clone)]
pub struct ServerSettings<'a> {
    /// The server.
    pub endpoint: Endpoint,
    /// The embedding model's name there; `None` derives it from the name of the saved router's embeddings.
    pub model: Option<&'a str>,
    /// A file to keep embeddings in, so that none is paid for twice; `None` keeps them as long as this lives.
    pub store: Option<&'a Path>,
}

impl ServerEmbedder {
    /// Sets up a client for the embeddings of a saved router such as `models/sprout/carrot-knn`. Sends nothing yet.
    ///
    /// # Errors
    /// [`Error::NotOnEmbeddings`]; [`Error::LocalEmbeddings`] for a router fitted on a local model's embeddings; [`Error::OtherServerModel`] when `model`
    /// makes different ones; [`Error::Embeddings`] for a bad setting or a store in use.
    pub fn of(folder: &Path, settings: ServerSettings<'_>) -> Result<Self> {
        let embedder = recorded_embedder(folder)?;
        // A server's embeddings would differ from a local model's, at best in the last digits; nothing would reveal the wrong predictions.
        if embedder.model.is_some() || embedder.sha256.is_some() {
            return Err(Error::LocalEmbeddings {
                folder: folder.to_owned(),
                name: embedder.name,
            });
        }
        let label = match embedder.name.parse::<FolderName>() {
            Ok(name) => name.decode(),
            Err(_) => embedder.name.clone(),
        };
        let recorded = Model::of_label(&label, embedder.dim);
        let model = match settings.model {
            None => recorded,
            Some(name) => {
                // Embeddings have the model's own length, or the one that they were shortened to.
                let dimensions = [None, Some(embedder.dim)].into_iter();
                let named = dimensions.map(|dimensions| Model {
                    dimensions,
                    max_tokens: recorded.max_tokens,
                    ..Model::named(name)
                });
                let found = named
                    .into_iter()
                    .find(|model| *model == recorded || model.label() == label);
                found.ok_or_else(|| Error::OtherServerModel {
                    folder: folder.to_owned(),
                    name: embedder.name,
                    model: name.to_owned(),
                })?
            }
        };
        // The client always works through a store, so where the user wants none kept, one lives as long as this.
        let (store, temporary) = match settings.store {
            Some(path) => (Store::open(path)?, None),
            None => {
                let folder = TempDir::new().map_err(|source| Error::TemporaryFolder { source })?;
                (
                    Store::open(&folder.path().join("store.redb"))?,
                    Some(folder),
                )
            }
        };
        let client = Client::new(settings.endpoint, model.clone(), Limits::openai())?;
        // The same server may answer at another address, so the user decides.
        if let Some(recorded) = embedder.server.filter(|server| server != client.server()) {
            warn!(
                "`{}` was fitted on embeddings of the server `{recorded}`, not of `{}`: if their models differ, its choices mean nothing",
                folder.display(),
                client.server()
            );
        }
        Ok(Self {
            client,
            model,
            store,
            _folder: temporary,
        })
    }

    /// The model's name on the server.
    pub fn model_name(&self) -> &str {
        &self.model.name
    }

    /// What a million tokens cost, in words.
    pub(crate) fn price(&self) -> String {
        match self.model.usd_per_mtok {
            Some(usd) => format!("${usd} per million tokens"),
            None => "an unknown price".to_owned(),
        }
    }

    pub(crate) fn embed(&self, prompts: &[String]) -> Result<(Array2<f32>, Vec<Length>)> {
        let embedded = self.client.embed(&self.store, prompts, &|_| ())?;
        let (n_tokens, usd) = (embedded.usage.n_tokens, embedded.usage.usd);
        info!(
            n_prompts = prompts.len(),
            n_tokens, usd, "embedded prompts on the server"
        );
        let length = |prompt: &String| {
            let n_tokens = count_tokens(prompt);
            Length {
                n_tokens,
                is_truncated: n_tokens > self.model.max_tokens,
            }
        };
        Ok((embedded.values, prompts.iter().map(length).collect()))
    }
}
