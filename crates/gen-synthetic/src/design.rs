use std::collections::BTreeMap;

use dataset::{ModelInfo, Pair, Source};

use crate::{
    args::Args,
    config::{BUILT_IN, Config, ModelConfig},
    log::Log,
    rows::{Chunk, Rows},
    world::{Choice, Signal, World, WorldConfig, WorldRows},
};

/// Which latent model rows come from.
#[derive(Debug)]
pub(crate) enum Design {
    /// Families and LLMs as the settings list them.
    Listed(Config),
    /// A hard world.
    World(Box<World>),
}

/// What the settings say, with what the command line says instead.
#[derive(Debug)]
pub(crate) struct Designed {
    pub(crate) design: Design,
    pub(crate) source: Source,
    /// The data set's usual name.
    pub(crate) name: String,
    pub(crate) n_prompts: usize,
    pub(crate) seed: u32,
    pub(crate) test_size: f64,
    /// What of the rows is known.
    pub(crate) log: Log,
    /// The arguments that decide what is in the data set, by name.
    pub(crate) options: BTreeMap<String, String>,
}

impl Designed {
    /// Reads and checks the settings.
    ///
    /// # Errors
    /// When they cannot be read or used.
    pub(crate) fn new(args: &Args) -> anyhow::Result<Self> {
        let usual = "synthetic";
        let log = Log {
            policy: args.log,
            is_unrecorded: args.no_propensities,
            missing: args.missing,
            missing_not_at_random: args.missing_not_at_random,
        };
        let n_more = args.system_prompt_tokens;
        let mut options = log.options();
        if n_more > 0 {
            options.insert("system-prompt-tokens".to_owned(), n_more.to_string());
        }
        let choice = match &args.world {
            Some(choice) => choice,
            None => {
                let with_system_prompt = |mut config: Config| {
                    for model in &mut config.models {
                        model.template_tokens = model.template_tokens.saturating_add(n_more);
                    }
                    config.check()
                };
                let (config, source) = args.configured.settings(BUILT_IN, with_system_prompt)?;
                return Ok(Self {
                    name: usual.to_owned(),
                    n_prompts: args.n.map_or(config.n_prompts, Into::into),
                    seed: args.seed.unwrap_or(config.seed),
                    test_size: args.test_size.unwrap_or(config.test_size),
                    options,
                    log,
                    design: Design::Listed(config),
                    source,
                });
            }
        };
        let change = |mut config: WorldConfig| {
            config.n_models = args.models.map_or(config.n_models, Into::into);
            config.signal = args.gain.map_or(config.signal, Signal::Gain);
            config.check()
        };
        let (config, source) = choice.settings(change)?;
        let name = match choice {
            Choice::BuiltIn(name, _) => format!("{usual}-{name}"),
            Choice::File(path) => path
                .file_stem()
                .map_or(usual.to_owned(), |stem| stem.to_string_lossy().into_owned()),
        };
        let n_prompts = args.n.map_or(config.n_prompts, Into::into);
        let seed = args.seed.unwrap_or(config.seed);
        let of_world = [
            ("models", args.models.map(|n| n.to_string())),
            ("gain", args.gain.map(|gain| gain.to_string())),
        ];
        let of_world = of_world.into_iter();
        options.extend(of_world.filter_map(|(key, value)| Some((key.to_owned(), value?))));
        Ok(Self {
            name,
            n_prompts,
            seed,
            test_size: args.test_size.unwrap_or(config.test_size),
            options,
            log,
            design: Design::World(Box::new(World::new(config, seed, n_prompts, n_more)?)),
            source,
        })
    }
}

impl Design {
    /// The LLMs that binary routers choose between.
    pub(crate) fn pair(&self) -> Option<Pair> {
        match self {
            Self::Listed(config) => Some(config.pair.clone()),
            Self::World(world) => world.pair(),
        }
    }

    /// The LLMs in column order.
    pub(crate) fn models(&self) -> Vec<ModelInfo> {
        match self {
            Self::Listed(config) => config.models.iter().map(ModelConfig::info).collect(),
            Self::World(world) => world.models(),
        }
    }

    /// What else a reader of the numbers should know.
    pub(crate) fn note(&self) -> Option<String> {
        match self {
            Self::Listed(_) => None,
            Self::World(world) => Some(world.note()),
        }
    }

    /// What makes the rows.
    ///
    /// # Errors
    /// When the families' weights cannot be used.
    pub(crate) fn rows(&self, seed: u32) -> anyhow::Result<RowMaker<'_>> {
        Ok(match self {
            Self::Listed(config) => RowMaker::Listed(Rows::new(config, seed)?),
            Self::World(world) => RowMaker::World(WorldRows::new(world)),
        })
    }
}

/// Makes rows by their numbers.
pub(crate) enum RowMaker<'a> {
    Listed(Rows<'a>),
    World(WorldRows<'a>),
}

impl RowMaker<'_> {
    /// The rows of these numbers, in this order.
    pub(crate) fn chunk(&self, rows: &[u32]) -> Chunk {
        match self {
            Self::Listed(maker) => maker.chunk(rows),
            Self::World(maker) => maker.chunk(rows),
        }
    }
}
