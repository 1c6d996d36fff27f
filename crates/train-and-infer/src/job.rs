use std::path::PathBuf;

use cli_support::{read_toml, usage_error};
use dataset::{DatasetDir, DatasetInfo, Part};
use routers::{CheckedForestParams, CheckedKnnParams};
use saved_routers::VectorFormat;
use tracing::info;

use crate::{
    args::Args,
    config::{BUILT_IN, Config},
    embedder::Embedder,
    router::{Router, Wanted},
    torch,
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
    pub(crate) knn: CheckedKnnParams,
    pub(crate) forest: CheckedForestParams,
    #[cfg_attr(
        not(feature = "torch"),
        expect(dead_code, reason = "there is nothing that would look at it")
    )]
    pub(crate) torch: torch::Settings,
    pub(crate) vectors: VectorFormat,
    pub(crate) models_dir: PathBuf,
    /// Numbers of train prompts to fit on, ascending; none for all of them.
    pub(crate) train_sizes: Vec<usize>,
    /// Seed of the order in which train prompts are taken for them.
    pub(crate) train_sizes_seed: u32,
    /// The one that is being fitted.
    pub(crate) train_size: Option<usize>,
    pub(crate) force: bool,
    pub(crate) quiet: bool,
}

impl Job {
    pub(crate) fn check(args: Args) -> anyhow::Result<Self> {
        let config: Config = read_toml(args.config.config.as_deref(), BUILT_IN)?;
        let dir = DatasetDir::existing(&args.data_dir.data_dir, &args.dataset)?;
        let info = DatasetInfo::read(&dir.info())?;
        let name = args.embedding.unwrap_or_else(|| {
            let is_there = dir.embeddings(PAID_EMBEDDER, Part::Train).is_file();
            if is_there {
                PAID_EMBEDDER
            } else {
                FREE_EMBEDDER
            }
            .to_owned()
        });
        let routers = choose(&args.routers, &info)?;
        if args.roberta.pretrained.is_some() && !routers.contains(&Router::CarrotRoberta) {
            return Err(usage_error(
                "`--pretrained` is for `carrot-roberta`, which is not among the routers",
            ));
        }
        let models_dir = args.models_dir.models_dir;
        let resolve = |name: &str| Embedder::resolve(name, &config.embedders, &models_dir, &dir);
        Ok(Self {
            embedder: resolve(&name)?,
            sentence_embedder: resolve(&config.carrot_knn_sbert.embedder)?,
            knn: config.carrot_knn.check()?,
            forest: config.rorf.check()?,
            torch: torch::Settings::check(&args.device, args.roberta, config.mf, config.roberta)?,
            vectors: config.saved.vectors,
            train_sizes: train_sizes(args.train_sizes, &info)?,
            train_sizes_seed: config.learning_curve.seed,
            train_size: None,
            force: args.force,
            quiet: args.output.quiet,
            models_dir,
            dir,
            info,
            routers,
        })
    }

    /// The embedder whose vectors a router is fitted on.
    pub(crate) fn embedder_of(&self, router: Router) -> Option<&Embedder> {
        match router {
            Router::CarrotKnn | Router::Mf | Router::Rorf => Some(&self.embedder),
            Router::CarrotKnnSbert => Some(&self.sentence_embedder),
            Router::CarrotRoberta | Router::RobertaBinary => None,
        }
    }

    /// Where a router is kept; for one that is fitted on a part of the train split, where it works.
    pub(crate) fn model_folder(&self, router: Router) -> PathBuf {
        let folder = self.models_dir.join(self.dir.name());
        match self.train_size {
            None => folder.join(router.name()),
            Some(n) => folder
                .join("learning-curve")
                .join(router.name())
                .join(n.to_string()),
        }
    }
}

/// The numbers asked for, each once and in order.
fn train_sizes(mut sizes: Vec<usize>, info: &DatasetInfo) -> anyhow::Result<Vec<usize>> {
    sizes.sort_unstable();
    sizes.dedup();
    let bad = |&&size: &&usize| size == 0 || size > info.n_train;
    match sizes.iter().find(bad) {
        Some(size) => Err(usage_error(format!(
            "`--train-sizes` has {size}, expected numbers from 1 to the {} train prompts of `{}`",
            info.n_train, info.name
        ))),
        None => Ok(sizes),
    }
}

/// The routers asked for, each once; of `all`, those that are possible.
fn choose(wanted: &[Wanted], info: &DatasetInfo) -> anyhow::Result<Vec<Router>> {
    let mut routers = Vec::new();
    for wanted in wanted {
        let (candidates, is_named) = match wanted {
            Wanted::One(router) => (vec![*router], true),
            Wanted::All => (Router::ALL.to_vec(), false),
        };
        for router in candidates {
            match obstacle(router, info) {
                _ if routers.contains(&router) => {}
                None => routers.push(router),
                Some(obstacle) if is_named => {
                    return Err(usage_error(format!("cannot fit `{router}`: {obstacle}")));
                }
                Some(obstacle) => info!("leaving out `{router}`: {obstacle}"),
            }
        }
    }
    Ok(routers)
}

/// What keeps a router from being fitted, whatever the numbers are.
fn obstacle(router: Router, info: &DatasetInfo) -> Option<String> {
    if router.is_binary() && info.pair.is_none() {
        return Some(format!(
            "data set `{}` names no pair of a small and a large LLM in dataset.json",
            info.name
        ));
    }
    if router.needs_torch() && !torch::IS_THERE {
        return Some(
            "it needs libtorch, which this build lacks; build it with `--features torch`"
                .to_owned(),
        );
    }
    None
}
