use std::{collections::BTreeMap, path::PathBuf};

use datagen::{DatasetName, RandomSplit, Recipe, cli::GenArgs};
use dataset::Source;

use crate::{
    args::Args,
    config::{BUILT_IN, Config, Model},
    published::Order,
    tokens::StandIn,
};

const NAME: &str = "open-llm-lb-v2";
/// A name of its own, so that nobody mistakes the mixture for the data set.
const NAME_AS_PUBLISHED: &str = "open-llm-lb-v2-as-published";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) config: Config,
    pub(crate) config_source: Source,
    from: From,
    pub(crate) keep_incomplete: bool,
    name: DatasetName,
    options: BTreeMap<String, String>,
    pub(crate) shared: GenArgs,
}

/// Where scores come from.
#[derive(Debug)]
enum From {
    Details {
        /// Instead of the hub.
        folder: Option<PathBuf>,
        stand_in: Option<StandIn>,
    },
    Matrix {
        pickle: PathBuf,
        questions: PathBuf,
        order: Order,
    },
}

impl Job {
    /// Reads the settings and checks the arguments against them.
    ///
    /// # Errors
    /// When the settings cannot be used, or an argument names an LLM that they do not list.
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let (mut config, config_source) = args.configured.settings(BUILT_IN, Config::check)?;
        let shared = args.configured.shared;
        if !args.with_ifeval {
            config = config.without_optional();
        }
        let config = config.without_models(&args.exclude_model, &config_source.path)?;

        let mut options = BTreeMap::new();
        // Recorded only if set, so that a flag added later does not make older data sets differ.
        for (key, is_set) in [
            ("as-published", args.as_published),
            ("keep-incomplete", args.keep_incomplete),
            ("with-ifeval", args.with_ifeval),
        ] {
            if is_set {
                options.insert(key.to_owned(), "true".to_owned());
            }
        }
        if !args.exclude_model.is_empty() {
            options.insert("exclude-model".to_owned(), args.exclude_model.join(" "));
        }
        let from = match args.source_pickle.zip(args.questions) {
            Some((pickle, questions)) => From::Matrix {
                pickle,
                questions,
                order: if args.as_published {
                    Order::AsPublished
                } else {
                    Order::ByDocument
                },
            },
            None => From::Details {
                folder: args.source,
                stand_in: args.token_counter.map(|name| StandIn {
                    name,
                    of: args.token_counter_for,
                }),
            },
        };
        let usual_name = if args.as_published {
            NAME_AS_PUBLISHED
        } else {
            NAME
        };
        Ok(Self {
            config,
            config_source,
            from,
            keep_incomplete: args.keep_incomplete,
            name: shared.name_or(usual_name)?,
            options,
            shared,
        })
    }

    /// Finds, reads, checks, joins, splits and writes what is missing.
    ///
    /// # Errors
    /// When a source is missing or wrong, a download fails, the disk refuses, or a data set of that name exists with different options.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match &self.from {
            From::Details { folder, stand_in } => {
                self.run_details(folder.as_deref(), stand_in.as_ref())
            }
            From::Matrix {
                pickle,
                questions,
                order,
            } => self.run_matrix(pickle, questions, *order),
        }
    }

    /// What would be made of these LLMs and files.
    pub(crate) fn recipe(&self, models: &[&Model], mut sources: Vec<Source>) -> Recipe {
        // Tasks, LLMs and prices come from the settings, so other settings make a different data set.
        sources.push(self.config_source.clone());
        Recipe {
            name: self.name.clone(),
            pair: self.config.pair_among(models),
            split: RandomSplit {
                test_size: self.config.test_size,
                seed: self.config.seed,
            },
            sources,
            options: self.options.clone(),
            made_by: concat!("gen-openllm ", env!("CARGO_PKG_VERSION")).to_owned(),
            group: None,
        }
    }
}
