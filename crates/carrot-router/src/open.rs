use std::path::{Path, PathBuf};

use anyhow::Context as _;
use carrot_router::{
    CarrotRouter, EmbedderPlace, NamedFolder, NetworkPair, PriceFile, ServerEmbedder,
    ServerSettings, Setup, VectorSource,
};
use cli_support::{Progress, usage_error};
use embeddings::Endpoint;
use hub::{Hub, WantedFile, is_hub_id};
use nets::{DeviceChoice, ModelFiles, Need, RobertaModel};
use saved_routers::{Contents, NewFolder, Record, read_label_order};
use tracing::info;

use crate::{
    args::RouterArgs,
    built_in::{self, BuiltInPrices},
};

/// What `--embedder` is called for a server; a folder of that name is `./openai`.
const SERVER: &str = "openai";

/// Which router is to be opened: the command line's part that says so, checked.
#[derive(Debug)]
pub(crate) struct Opening {
    args: RouterArgs,
    device: DeviceChoice,
    prices: Option<PriceFile>,
    label_order: Option<Vec<String>>,
    quiet: bool,
}

impl Opening {
    /// Looks at what needs no router yet.
    pub(crate) fn check(args: RouterArgs, quiet: bool) -> anyhow::Result<Self> {
        let bad_device = |error: nets::Error| usage_error(error.to_string());
        let device: DeviceChoice = args.device.parse().map_err(bad_device)?;
        device.device().map_err(bad_device)?;
        let is_server = args.embedder.as_deref() == Some(Path::new(SERVER));
        if !is_server && (args.embedding_model.is_some() || args.embedding_store.is_some()) {
            return Err(usage_error(
                "`--embedding-model` and `--embedding-store` are for `--embedder openai`",
            ));
        }
        let order = args.label_order.as_deref().map(read_label_order);
        Ok(Self {
            device,
            prices: args.prices.as_deref().map(PriceFile::read).transpose()?,
            label_order: order.transpose().context("cannot read `--label-order`")?,
            args,
            quiet,
        })
    }

    /// Opens the router, with what it needs from the hub.
    pub(crate) fn open(&self) -> anyhow::Result<CarrotRouter> {
        let setup = Setup {
            device: self.device,
            prices: self.prices.as_ref(),
            tokenizers: self.args.tokenizers.as_deref(),
        };
        match &self.args.model {
            Some(folder) => self.open_saved(folder, &setup),
            None => self.open_pair(&setup),
        }
    }

    fn open_saved(&self, folder: &Path, setup: &Setup<'_>) -> anyhow::Result<CarrotRouter> {
        NewFolder::recover(folder)?;
        let is_knn = matches!(Record::read(folder)?.contents, Contents::Knn { .. });
        let from_hub;
        let vectors = match &self.args.embedder {
            Some(embedder) if embedder == Path::new(SERVER) => {
                let settings = ServerSettings {
                    endpoint: Endpoint::from_env()?,
                    model: self.args.embedding_model.as_deref(),
                    store: self.args.embedding_store.as_deref(),
                };
                VectorSource::Server(ServerEmbedder::of(folder, settings)?.into())
            }
            Some(embedder) => VectorSource::Folder(embedder),
            None if !is_knn => VectorSource::Recorded,
            None => match EmbedderPlace::of(folder)? {
                EmbedderPlace::Elsewhere {
                    recorded: Some(id), ..
                } if is_hub_id(&id) => {
                    from_hub = self.hub_folder(&id, ModelFiles::FILES).with_context(|| {
                        format!(
                            "cannot get the embedder `{id}`, which is no folder here; pass its folder with --embedder"
                        )
                    })?;
                    VectorSource::Folder(&from_hub)
                }
                _ => VectorSource::Recorded,
            },
        };
        Ok(CarrotRouter::open_saved(folder, vectors, setup)?)
    }

    fn open_pair(&self, setup: &Setup<'_>) -> anyhow::Result<CarrotRouter> {
        let config = built_in::pair()?;
        let BuiltInPrices { prices, notes } = built_in::prices()?;
        let (performance, cost, assumed_order) = match (&self.args.performance, &self.args.cost) {
            (Some(performance), Some(cost)) => (performance, cost, None),
            _ => (
                &config.performance,
                &config.cost,
                Some(&*config.label_order),
            ),
        };
        let folders = [self.network(performance)?, self.network(cost)?];
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
            max_tokens: config.max_tokens,
        };
        let router = CarrotRouter::open_pair(&pair, setup)?;
        for note in notes {
            let is_there = router.models().iter().any(|it| it.name == note.model);
            let is_own = self.prices.as_ref().is_some_and(|own| own.has(&note.model));
            if is_there && !is_own {
                info!("`{}` is {}", note.model, note.note);
            }
        }
        Ok(router)
    }

    /// The folder of a network by its name: that folder, else what the hub has under this id.
    fn network(&self, name: &str) -> anyhow::Result<PathBuf> {
        if Path::new(name).is_dir() {
            return Ok(name.into());
        }
        self.hub_folder(name, RobertaModel::FILES).with_context(|| {
            format!("`{name}` is no folder, and cannot be had from the hub either")
        })
    }

    fn hub_folder(&self, id: &str, files: &[(&'static str, Need)]) -> anyhow::Result<PathBuf> {
        let wanted = files.iter().map(|&(name, need)| WantedFile {
            name,
            is_required: need == Need::Required,
        });
        let wanted: Vec<WantedFile<'_>> = wanted.collect();
        Ok(Hub::from_env()
            .with_progress(Progress::of_downloads(self.quiet))
            .model_folder(id, &wanted)?)
    }
}
