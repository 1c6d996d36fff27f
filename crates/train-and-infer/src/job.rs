use std::path::PathBuf;

use cli_support::{read_toml, usage_error};
use dataset::{DatasetDir, DatasetInfo};
use routers::CheckedKnnParams;

use crate::{
    args::{Args, Router},
    config::{BUILT_IN, Config},
    embed::Device,
    embedder::Embedder,
};

/// Embeddings that are preferred where a data set has them: those of the paper.
const PAID_EMBEDDER: &str = "text-embedding-3-small";
/// Embeddings that anyone can compute.
const FREE_EMBEDDER: &str = "minilm";

/// A command line that was understood: paths resolved, settings read and checked.
pub(crate) struct Job {
    pub(crate) dir: DatasetDir,
    pub(crate) info: DatasetInfo,
    pub(crate) routers: Vec<Router>,
    pub(crate) embedder: Embedder,
    pub(crate) sentence_embedder: Embedder,
    pub(crate) device: Device,
    pub(crate) knn: CheckedKnnParams,
    pub(crate) quiet: bool,
}

impl Job {
    pub(crate) fn check(args: Args) -> anyhow::Result<Self> {
        let config: Config = read_toml(args.config.config.as_deref(), BUILT_IN)?;
        let dir = DatasetDir::existing(&args.data_dir.data_dir, &args.dataset)?;
        let info = DatasetInfo::read(&dir.info())?;
        let name = args.embedding.unwrap_or_else(|| {
            let is_there = dir
                .embeddings(PAID_EMBEDDER, dataset::Part::Train)
                .is_file();
            if is_there {
                PAID_EMBEDDER
            } else {
                FREE_EMBEDDER
            }
            .to_owned()
        });
        let mut routers = Vec::new();
        for router in args.routers {
            if !routers.contains(&router) {
                routers.push(router);
            }
        }
        let resolve = |name: &str| {
            Embedder::resolve(name, &config.embedders, &args.models_dir.models_dir, &dir)
        };
        Ok(Self {
            embedder: resolve(&name)?,
            sentence_embedder: resolve(&config.carrot_knn_sbert.embedder)?,
            device: Device::parse(&args.device)
                .map_err(|error| usage_error(format!("{error:#}")))?,
            knn: config.carrot_knn.check()?,
            quiet: args.output.quiet,
            dir,
            info,
            routers,
        })
    }

    /// The embedder that a router uses.
    pub(crate) fn embedder_of(&self, router: Router) -> &Embedder {
        match router {
            Router::CarrotKnn => &self.embedder,
            Router::CarrotKnnSbert => &self.sentence_embedder,
        }
    }

    /// The data set's files that fits depend on.
    pub(crate) fn split_paths(&self) -> [PathBuf; 2] {
        dataset::Part::ALL.map(|part| self.dir.split(part))
    }
}
