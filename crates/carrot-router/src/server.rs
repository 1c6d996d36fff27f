use std::path::Path;

use embeddings::{Client, Endpoint, Limits, Model, Store, count_tokens};
use ndarray::Array2;
use saved_routers::{Contents, NewFolder, Record};
use tempfile::TempDir;
use tracing::info;

use crate::{Error, Result, predicted::Length};

/// Makes vectors by asking a server that speaks OpenAI's protocol: each prompt is sent there, and costs money where the server takes it.
#[derive(Debug)]
pub struct ServerEmbedder {
    client: Client,
    model: Model,
    store: Store,
    /// Where the store lies if nobody is to keep it; removed when this is dropped.
    _folder: Option<TempDir>,
}

/// Which server is asked, and for what.
#[derive(Debug, Clone)]
pub struct ServerSettings<'a> {
    /// The server.
    pub endpoint: Endpoint,
    /// The embedding model's name there; `None` takes the one that the saved router's vectors are called by.
    pub model: Option<&'a str>,
    /// A file that vectors are kept in, so that none is paid for twice; `None` keeps them as long as this lives.
    pub store: Option<&'a Path>,
}

impl ServerEmbedder {
    /// Sets a client up for the vectors of a saved router such as `models/sprout/carrot-knn`. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::NotKnn`]; [`Error::LocalVectors`] for a router whose vectors are a local model's; [`Error::OtherServerModel`] when `model` makes
    /// others; [`Error::Embeddings`] for a bad setting or a store in use.
    pub fn of(folder: &Path, settings: ServerSettings<'_>) -> Result<Self> {
        NewFolder::recover(folder)?;
        let record = Record::read(folder)?;
        let (Contents::Knn { .. }, Some(embedder)) = (record.contents, record.embedder) else {
            return Err(Error::NotKnn {
                folder: folder.to_owned(),
                router: record.router,
            });
        };
        if embedder.model.is_some() || embedder.sha256.is_some() {
            return Err(Error::LocalVectors {
                folder: folder.to_owned(),
                name: embedder.name,
            });
        }
        let recorded = Model::of_file_name(&embedder.name, embedder.dim);
        let model = match settings.model {
            None => recorded,
            Some(name) => {
                // Its own length, or one that vectors were shortened to.
                let dimensions = [None, Some(embedder.dim)].into_iter();
                let named = dimensions.map(|dimensions| Model {
                    dimensions,
                    max_tokens: recorded.max_tokens,
                    ..Model::named(name)
                });
                let found = named.into_iter().find(|it| it.file_name() == embedder.name);
                found.ok_or_else(|| Error::OtherServerModel {
                    folder: folder.to_owned(),
                    name: embedder.name,
                    model: name.to_owned(),
                })?
            }
        };
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
        Ok(Self {
            client: Client::new(settings.endpoint, model.clone(), Limits::openai())?,
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
            Some(usd) => format!("{usd} $ per million tokens"),
            None => "a price that is not known".to_owned(),
        }
    }

    pub(crate) fn embed(&self, prompts: &[String]) -> Result<(Array2<f32>, Vec<Length>)> {
        let embedded = self.client.embed(&self.store, prompts, &|_| ())?;
        let (n_tokens, usd) = (embedded.usage.n_tokens, embedded.usage.usd);
        info!(
            n_prompts = prompts.len(),
            n_tokens, usd, "asked for vectors of prompts"
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
