use cli_support::{read_toml, usage_error};
use dataset::{DatasetDir, DatasetInfo, Precision, router_names::CARROT_ROBERTA};
use encoder::DeviceChoice;
use fitting::{BUILT_IN, Settings};
use tracing::{info, warn};

use crate::{
    args::FitArgs,
    cross_fit::CrossFitPlan,
    distill,
    embedder::Embedder,
    learner::Learner,
    router::{ROUTERS, Router, RouterChoice, default_router},
    setup::Setup,
    torch,
};

/// A checked command line: paths resolved, settings read and validated.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) routers: Vec<&'static Router>,
    /// Numbers of train prompts to fit on, ascending; none for all of them.
    pub(crate) train_sizes: Vec<usize>,
    /// Instead of a fit on the train part: predictions for all rows by routers fitted without them.
    pub(crate) cross_fit: Option<CrossFitPlan>,
    pub(crate) setup: Setup,
}

impl Job {
    /// Reads and checks everything that the command line names, except tables and models.
    ///
    /// # Errors
    /// A usage error for what cannot be done with this data set, these settings or this machine; any error of a file.
    pub(crate) fn check(args: FitArgs) -> anyhow::Result<Self> {
        let config: Settings = read_toml(args.program.config.config.as_deref(), BUILT_IN)?;
        let dir = DatasetDir::existing(&args.program.data_dir.data_dir, args.dataset().as_str())?;
        let info = DatasetInfo::read(&dir.info())?;
        let default = || config.default_embedding.of(&dir, &info).to_owned();
        let name = args.embedding.unwrap_or_else(default);
        let cross_fit = CrossFitPlan::of(args.cross_fit);
        let routers = choose(&args.routers, &info)?;
        let routers = match &cross_fit {
            Some(_) => can_be_cross_fitted(routers)?,
            None => routers,
        };
        let has_roberta = routers.iter().any(|router| router.name == CARROT_ROBERTA);
        // Otherwise the flag would be ignored, and everything trained that the user meant to skip.
        if args.roberta.pretrained.is_some() && !has_roberta {
            return Err(usage_error(format!(
                "`--pretrained` is for `{CARROT_ROBERTA}`, which is not among the routers"
            )));
        }
        let models_dir = args.models_dir.models_dir;
        let device = device(&args.device)?;
        let precision = precision(&args.precision, device)?;
        let resolve = |name: &str| {
            let found = Embedder::resolve(name, &config.embedders, &models_dir, &dir)?;
            found.in_precision(precision, &dir)
        };
        // Everything is checked whatever the routers are: a mistake should show now, and not after the hours that the first routers take.
        Ok(Self {
            routers,
            train_sizes: train_sizes(args.train_sizes, &info)?,
            cross_fit,
            setup: Setup {
                embedder: resolve(&name)?,
                sentence_embedder: resolve(&config.carrot_knn_sbert.embedder)?,
                learners: config.learners()?,
                distill: distill::params(&config.distill)?,
                roberta: torch::RobertaSettings::check(args.roberta, config.roberta)?,
                device,
                precision,
                truncate: args.truncate,
                train_sizes_seed: config.learning_curve.seed,
                cross_fit: config.cross_fit,
                force: args.force,
                quiet: args.program.output.quiet,
                models_dir,
                dir,
                info,
            },
        })
    }
}

/// The device that was asked for. Even if no model will run: one that this machine lacks is a mistake on the command line, and must not surface
/// only after the routers before the first network have been fitted.
pub(crate) fn device(name: &str) -> anyhow::Result<DeviceChoice> {
    let device = name.parse().and_then(|device| {
        torch::check_device(device)?;
        Ok(device)
    });
    device.map_err(|error| match error {
        encoder::Error::NoDevice { .. } if cfg!(not(feature = "torch")) => usage_error(format!(
            "{error}; `cargo run -p train-and-infer --features torch -- ...` builds it with libtorch"
        )),
        error => usage_error(error.to_string()),
    })
}

/// The precision that was asked for, as early for the same reason.
fn precision(name: &str, device: DeviceChoice) -> anyhow::Result<Precision> {
    let precision = name.parse();
    let precision = precision.and_then(|precision| torch::find_precision(precision, device));
    precision.map_err(|error| usage_error(error.to_string()))
}

/// The numbers that were asked for, sorted, without duplicates.
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

/// The routers that were asked for, each once; for `all`, those that are possible.
fn choose(choices: &[RouterChoice], info: &DatasetInfo) -> anyhow::Result<Vec<&'static Router>> {
    let mut routers = Vec::new();
    for choice in choices {
        let (candidates, is_named): (Vec<&Router>, bool) = match choice {
            RouterChoice::One(router) => (vec![*router], true),
            RouterChoice::Default => (vec![default_router(info)], true),
            RouterChoice::All => (ROUTERS.iter().collect(), false),
        };
        for router in candidates {
            match obstacle(router, info) {
                // First, so that a router that was named before `all` is not reported twice.
                _ if routers.contains(&router) => {}
                None => routers.push(router),
                // Whoever names a router wants it; `all` means what this data set and this build allow.
                Some(obstacle) if is_named => {
                    return Err(usage_error(format!("cannot fit `{router}`: {obstacle}")));
                }
                Some(obstacle) => info!("leaving out `{router}`: {obstacle}"),
            }
        }
    }
    Ok(routers)
}

/// The routers that are quick enough to be fitted for every fold.
fn can_be_cross_fitted(routers: Vec<&'static Router>) -> anyhow::Result<Vec<&'static Router>> {
    let (quick, dear): (Vec<_>, Vec<_>) = routers
        .into_iter()
        .partition(|router| matches!(router.learner, Some(Learner::OnEmbeddings(_))));
    for router in &dear {
        warn!(
            "leaving out `{router}`: it takes too long to be fitted for every fold; it is measured on the test part"
        );
    }
    if quick.is_empty() {
        return Err(usage_error(
            "none of the routers can be cross-fitted; `--cross-fit` is for those on embeddings",
        ));
    }
    Ok(quick)
}

/// Why a router cannot be fitted, as far as that shows without reading the tables.
fn obstacle(router: &Router, info: &DatasetInfo) -> Option<String> {
    if router.needs_pair && info.pair.is_none() {
        return Some(format!(
            "data set `{}` names no pair of a small and a large LLM in dataset.json",
            info.name
        ));
    }
    if router.learner.is_none() {
        return Some(
            "it needs libtorch, which this build lacks: `scripts/libtorch.sh` installs it, and `cargo run -p train-and-infer --features torch -- ...` \
             builds with it"
                .to_owned(),
        );
    }
    None
}
