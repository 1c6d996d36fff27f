use std::path::{Path, PathBuf};

use anyhow::Context as _;
use carrot_router::{
    AssumedOrder, CarrotRouter, EmbedderPlace, EmbeddingSource, IndexPlace, NamedFolder,
    NetworkPair, PriceFile, ServerEmbedder, ServerSettings, Setup,
};
use cli_support::{Progress, usage_error, with_hint};
use dataset::Precision;
use embeddings::Endpoint;
use encoder::{DeviceChoice, ModelFiles, Need, RobertaParts};
use hub::{Hub, ModelPlace, WantedFile, is_hub_id};
use saved_routers::read_label_order;
use static_embeddings::EmbedderFiles;
use tracing::info;

use super::{
    args::RouterArgs,
    built_in::{self, BuiltInPrices},
};
use crate::cli::hints;

/// The value of `--embedder` that stands for a server; a folder of that name is `./openai`.
const SERVER: &str = "openai";

/// The checked arguments that determine which router to open.
#[derive(Debug)]
pub(super) struct Opening {
    args: RouterArgs,
    device: DeviceChoice,
    /// Of a pair; a saved router knows its own.
    precision: Precision,
    prices: Option<PriceFile>,
    label_order: Option<Vec<String>>,
    index: Option<IndexPlace>,
    quiet: bool,
}

impl Opening {
    /// Checks everything that can be checked before a router is read.
    pub(super) fn check(args: RouterArgs, quiet: bool) -> anyhow::Result<Self> {
        let device = hints::device(&args.device)?;
        let is_server = args.embedder.as_deref() == Some(Path::new(SERVER));
        if !is_server && (args.embedding_model.is_some() || args.embedding_store.is_some()) {
            return Err(usage_error(
                "`--embedding-model` and `--embedding-store` are only for `--embedder openai`",
            ));
        }
        let order = args.label_order.as_deref().map(read_label_order);
        Ok(Self {
            device,
            precision: hints::precision(&args.precision, device)?,
            prices: args.prices.as_deref().map(PriceFile::read).transpose()?,
            index: args.index.place()?,
            label_order: order.transpose().context("cannot read `--label-order`")?,
            args,
            quiet,
        })
    }

    /// Opens the router, and downloads what it needs from the hub.
    pub(super) fn open(&self) -> anyhow::Result<CarrotRouter> {
        let setup = Setup {
            device: self.device,
            prices: self.prices.as_ref(),
            tokenizers: self.args.tokenizers.as_deref(),
            index: self.index.as_ref(),
        };
        match &self.args.model {
            Some(folder) => self.open_saved(folder, &setup),
            None => self.open_pair(&setup),
        }
    }

    fn open_saved(&self, folder: &Path, setup: &Setup<'_>) -> anyhow::Result<CarrotRouter> {
        let from_hub;
        let embeddings = match &self.args.embedder {
            Some(embedder) if embedder == Path::new(SERVER) => {
                let settings = ServerSettings {
                    endpoint: Endpoint::from_env()?,
                    model: self.args.embedding_model.as_deref(),
                    store: self.args.embedding_store.as_deref(),
                };
                EmbeddingSource::Server(ServerEmbedder::of(folder, settings)?.into())
            }
            Some(embedder) => EmbeddingSource::Folder(embedder),
            // The library looks on disk only. That a recorded name may be a hub id, and be downloaded, is for the program to decide.
            None => match EmbedderPlace::of(folder)? {
                Some(EmbedderPlace::Elsewhere {
                    recorded: Some(id), ..
                }) if is_hub_id(&id) => {
                    let found = self.folder(&id, ModelFiles::FILES, EmbedderFiles::further);
                    from_hub = found.map_err(|error| {
                        let error = error.context(format!(
                            "cannot find the embedder that `{}` was fitted with",
                            folder.display()
                        ));
                        with_hint(error, "pass its folder with `--embedder`")
                    })?;
                    EmbeddingSource::Folder(&from_hub)
                }
                _ => EmbeddingSource::Recorded,
            },
        };
        Ok(CarrotRouter::open_saved(folder, embeddings, setup)?)
    }

    fn open_pair(&self, setup: &Setup<'_>) -> anyhow::Result<CarrotRouter> {
        let pairs = built_in::pairs()?;
        let BuiltInPrices { prices, notes } = built_in::prices()?;
        let default = pairs
            .first()
            .context("configs/carrot-router.toml has no pair")?;
        let (performance, cost) = match (&self.args.performance, &self.args.cost) {
            (Some(performance), Some(cost)) => (performance, cost),
            _ => (&default.performance, &default.cost),
        };
        // By the ids on the hub; nothing is assumed of a folder.
        let released = pairs
            .iter()
            .find(|pair| (&pair.performance, &pair.cost) == (performance, cost));
        let assumed_order = released.map(|pair| AssumedOrder {
            models: &pair.label_order,
            evidence: &pair.label_order_evidence,
        });
        let max_tokens = released.unwrap_or(default).max_tokens;
        // Either is of no use without the other.
        let needed = self
            .hub()
            .survey_models(&[performance, cost], &wanted(RobertaParts::FILES))?;
        if !needed.is_nothing() {
            info!("{needed} to download for the pair of networks");
        }
        let folders = [
            self.folder(performance, RobertaParts::FILES, RobertaParts::further)?,
            self.folder(cost, RobertaParts::FILES, RobertaParts::further)?,
        ];
        let pair = NetworkPair {
            performance: NamedFolder {
                name: performance,
                folder: &folders[0],
            },
            cost: NamedFolder {
                name: cost,
                folder: &folders[1],
            },
            label_order: self.label_order.as_deref(),
            assumed_order,
            prices: &prices,
            max_tokens,
            truncate: self.args.truncate,
            precision: self.precision,
        };
        let router = CarrotRouter::open_pair(&pair, setup)?;
        // A note is about the built-in price, so it does not concern an LLM whose price the user gave.
        for note in notes {
            let is_offered = router.models().iter().any(|it| it.name == note.model);
            let is_own = self.prices.as_ref().is_some_and(|own| own.has(&note.model));
            if is_offered && !is_own {
                info!("`{}` is {}", note.model, note.note);
            }
        }
        Ok(router)
    }

    /// The folder of a model by its name, a folder or a hub id, with the model's files in it. `further` says what else the files that are there call
    /// for.
    fn folder(
        &self,
        name: &str,
        files: &[(&str, Need)],
        further: impl Fn(&Path) -> encoder::Result<Vec<String>>,
    ) -> anyhow::Result<PathBuf> {
        ModelPlace::of(name).folder_with(&self.hub(), &wanted(files), |folder| {
            further(folder).with_context(|| format!("cannot use `{name}`"))
        })
    }

    fn hub(&self) -> Hub {
        Hub::from_env().with_progress(Progress::of_downloads(self.quiet))
    }
}

fn wanted<'a>(files: &[(&'a str, Need)]) -> Vec<WantedFile<'a>> {
    let wanted = files.iter().map(|&(name, need)| WantedFile {
        name,
        is_required: need == Need::Required,
    });
    wanted.collect()
}
