mod kept;
mod meter;
mod report;

use std::{
    env, fs,
    num::{NonZeroU64, NonZeroUsize},
    path::Path,
    time::Duration,
};

use anyhow::Context as _;
use atomic_files::TemporaryFolder;
use clap::ValueEnum;
use cli_support::{Progress, usage_error, with_hint};
use dataset::{
    DatasetDir, Embeddings, EmbeddingsMeta, FolderName, Lock, Part, PartTable, Precision,
    sha256_file,
};
use embeddings::{Client, Endpoint, Limits, Model, Store};
use tracing::info;

pub(crate) use self::report::EmbeddingReport;
use self::{
    kept::{hint, made_dim},
    meter::Meter,
    report::PartReport,
};

/// Where embeddings are kept once they are paid for, under the data folder: one store for all data sets.
const STORE: &str = "embeddings.redb";

/// Which embeddings are requested from a server. Part of [`crate::cli::GenArgs`].
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Embedding")]
pub struct EmbeddingArgs {
    /// What computes the embeddings of the prompts
    #[arg(long, value_enum, default_value = "none")]
    pub embedder: Embedder,
    /// The server's embedding model
    #[arg(long, value_name = "NAME", default_value = "text-embedding-3-small")]
    pub embedding_model: String,
    /// Length of the embeddings, for models that can shorten them [default: the model's own]
    #[arg(long, value_name = "N")]
    pub dimensions: Option<NonZeroUsize>,
    /// Truncate longer prompts to this many tokens
    #[arg(long, value_name = "N", default_value_t = Model::OPENAI_MAX_TOKENS)]
    pub max_tokens: usize,
    /// The model's price per million tokens, if it is not one of OpenAI's
    #[arg(long, value_name = "USD")]
    pub embedding_usd_per_mtok: Option<f64>,
    /// Maximum number of prompts in one request [default: 2048]; some servers accept only 10
    #[arg(long, value_name = "N")]
    pub max_request_inputs: Option<NonZeroUsize>,
    /// Maximum number of tokens in one request [default: 270000]
    #[arg(long, value_name = "N")]
    pub max_request_tokens: Option<NonZeroUsize>,
    /// Maximum number of requests in flight [default: 16]
    #[arg(long, value_name = "N")]
    pub requests_in_flight: Option<NonZeroUsize>,
    /// Longest wait that a server's limits may ask for; a longer one ends the run, and what has arrived is kept [default: 600]
    #[arg(long, value_name = "SECONDS")]
    pub max_wait: Option<NonZeroU64>,
    /// Request all embeddings, also those that are there already: for a server that computes others than it did
    #[arg(long)]
    pub refresh_embeddings: bool,
    /// Report how many prompts, tokens and dollars embedding would take; spend and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What computes embeddings while a data set is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Embedder {
    /// Nothing: train-and-infer computes embeddings with a local model when it needs them
    None,
    /// A server that speaks OpenAI's protocol: OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_ORG_ID, also from .env; for Azure's services
    /// OPENAI_API_TYPE=azure, if the address is not one of theirs
    Openai,
}

/// A client that is set up, and the name of its embeddings' folder.
pub(crate) struct EmbedJob {
    client: Client,
    asks_anew: bool,
    name: String,
}

impl EmbeddingArgs {
    /// Sets the client up. Done first, so that a mistake in its settings ends the program before the long work begins.
    pub(crate) fn job(&self) -> anyhow::Result<Option<EmbedJob>> {
        if self.embedder == Embedder::None {
            return Ok(None);
        }
        let mut model = Model::named(&self.embedding_model);
        model.dimensions = self.dimensions.map(NonZeroUsize::get);
        model.max_tokens = self.max_tokens;
        model.usd_per_mtok = self.embedding_usd_per_mtok.or(model.usd_per_mtok);
        let mut limits = Limits::openai();
        for (limit, own) in [
            (&mut limits.max_inputs_per_request, self.max_request_inputs),
            (&mut limits.max_tokens_per_request, self.max_request_tokens),
            (&mut limits.max_in_flight, self.requests_in_flight),
        ] {
            *limit = own.map_or(*limit, NonZeroUsize::get);
        }
        if let Some(seconds) = self.max_wait {
            limits.retry.max_asked_delay = Duration::from_secs(seconds.get());
        }
        // Before a server is asked: embeddings that have no place to go must not be paid for.
        let name = FolderName::encode(&model.label()).map_err(|error| {
            usage_error(format!("the embedding model's name has no folder: {error}"))
        })?;
        let client = Client::new(Endpoint::from_env()?, model, limits)
            .map_err(|error| usage_error(error.to_string()))?;
        Ok(Some(EmbedJob {
            client: client.asking_anew(self.refresh_embeddings),
            asks_anew: self.refresh_embeddings,
            name: name.as_str().to_owned(),
        }))
    }
}

impl EmbedJob {
    /// Embeds both parts of a data set, or plans it only.
    pub(crate) fn run(
        &self,
        dir: &DatasetDir,
        splits: [&PartTable; 2],
        is_dry: bool,
        quiet: bool,
    ) -> anyhow::Result<EmbeddingReport> {
        let data_dir = dir.root().parent().unwrap_or(Path::new("."));
        if is_dry {
            self.plan(data_dir, splits)
        } else {
            self.embed(data_dir, dir, splits, quiet)
        }
    }

    /// What would be embedded. The splits need not be on disk, and no server is asked.
    fn plan(&self, data_dir: &Path, splits: [&PartTable; 2]) -> anyhow::Result<EmbeddingReport> {
        let path = data_dir.join(STORE);
        let folder = TemporaryFolder::create_in(&env::temp_dir())
            .context("cannot create a temporary folder")?;
        // A plan must leave nothing behind, not even an empty store.
        let store = match path.is_file() {
            true => Store::open_to_read(&path, folder.path())?,
            false => Store::open(&folder.path().join(STORE))?,
        };
        let plan = |(part, split): (Part, &PartTable)| {
            anyhow::Ok(PartReport {
                part: part.name(),
                plan: Some(self.client.plan(&store, &split.prompts)?),
                usage: None,
            })
        };
        let parts = Part::ALL.into_iter().zip(splits).map(plan);
        Ok(EmbeddingReport {
            embedder: self.name.clone(),
            parts: parts.collect::<anyhow::Result<_>>()?,
        })
    }

    /// Writes the missing embeddings of both parts.
    fn embed(
        &self,
        data_dir: &Path,
        dir: &DatasetDir,
        splits: [&PartTable; 2],
        quiet: bool,
    ) -> anyhow::Result<EmbeddingReport> {
        // Another process may be embedding the same: then its embeddings are there at the end of the wait.
        let _lock = Lock::wait_for(&dir.embeddings_dir(&self.name), |holder| {
            info!(
                "waiting for the embeddings `{}`, which are being written by {holder}",
                self.name
            );
        })?;
        // The store is opened when the first part needs it: opening locks it, and most runs find both parts embedded.
        let mut store = None;
        let mut parts = Vec::new();
        for (part, split) in Part::ALL.into_iter().zip(splits) {
            let path = dir.embeddings(&self.name, part);
            let wanted = EmbeddingsMeta {
                embedder: self.name.clone(),
                embedder_sha256: None,
                server: Some(self.client.server().to_owned()),
                split_sha256: Some(sha256_file(&dir.split(part))?),
                truncate: None,
                precision: Precision::F32,
                n_truncated: None,
            };
            let mut report = PartReport {
                part: part.name(),
                plan: None,
                usage: None,
            };
            // Embeddings of two lengths, from before and after a change of the server, are useless together.
            let is_made = !self.asks_anew
                && made_dim(&path, &wanted, &split.ids)
                    .is_some_and(|dim| self.client.expect_dim(dim));
            if is_made {
                info!("the embeddings in `{}` already exist", path.display());
                parts.push(report);
                continue;
            }
            let store = match &mut store {
                Some(store) => store,
                none => {
                    fs::create_dir_all(data_dir)
                        .with_context(|| format!("cannot create `{}`", data_dir.display()))?;
                    none.insert(Store::open(&data_dir.join(STORE))?)
                }
            };
            let embedded = self.ask(store, part, split, quiet)?;
            let embeddings = Embeddings {
                ids: split.ids.clone(),
                values: embedded.values,
                meta: EmbeddingsMeta {
                    n_truncated: Some(embedded.plan.n_truncated + embedded.usage.n_shortened),
                    ..wanted
                },
            };
            embeddings.write(&path)?;
            report.plan = Some(embedded.plan);
            report.usage = Some(embedded.usage);
            parts.push(report);
        }
        Ok(EmbeddingReport {
            embedder: self.name.clone(),
            parts,
        })
    }

    fn ask(
        &self,
        store: &Store,
        part: Part,
        split: &PartTable,
        quiet: bool,
    ) -> anyhow::Result<embeddings::Embedded> {
        let label = format!("embedding {}", part.name());
        let bar = Progress::bar(&label, split.n_prompts() as u64, quiet);
        let meter = Meter::start(&bar);
        let embedded = self
            .client
            .embed(store, &split.prompts, &|progress| meter.show(progress));
        let embedded = embedded.map_err(|error| {
            let hint = hint(&error, split);
            let error = anyhow::Error::new(error).context(format!(
                "cannot embed the {} prompts; the embeddings that arrived are kept, and running again requests only the others",
                part.name()
            ));
            match hint {
                Some(hint) => with_hint(error, hint),
                None => error,
            }
        })?;
        if let Some(n) = embedded.usage.max_inputs {
            info!(
                "`--max-request-inputs {n}` asks this server for no more than it takes from the start"
            );
        }
        Ok(embedded)
    }
}
