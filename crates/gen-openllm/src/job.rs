use std::{collections::BTreeMap, path::PathBuf};

use anyhow::ensure;
use cli_support::Progress;
use datagen::{DatasetName, RandomSplit};
use dataset::Source;
use gen_cli::{Extra, GenArgs, Raw, Recipe};
use hub::Hub;
use serde_json::json;

use crate::{
    args::Args,
    config::{Config, Model},
    details::{Found, find_in_folder, find_on_hub, incomplete_note, raw_table, read},
    published::{Matrix, Order, Questions, align, raw_table as published_table},
    summary::{Summary, test_rows},
    tokens::{Counters, StandIn, TokenizerFiles},
};

const NAME: &str = "open-llm-lb-v2";
/// So that nobody takes the mixture for the data set.
const NAME_AS_PUBLISHED: &str = "open-llm-lb-v2-as-published";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Job {
    config: Config,
    from: From,
    keep_incomplete: bool,
    name: DatasetName,
    options: BTreeMap<String, String>,
    shared: GenArgs,
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
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let mut config = Config::read(args.config.config.as_deref())?;
        if !args.with_ifeval {
            config = config.without_optional();
        }
        let config = config.without_models(&args.exclude_model)?;

        let mut options = BTreeMap::new();
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
            from,
            keep_incomplete: args.keep_incomplete,
            name: match &args.shared.name {
                Some(name) => name.clone(),
                None => usual_name.parse()?,
            },
            options,
            shared: args.shared,
        })
    }

    /// Finds, reads, checks, joins, splits and writes what is not there yet.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match &self.from {
            From::Details { folder, stand_in } => {
                let hub =
                    Hub::from_env().with_progress(Progress::of_downloads(self.shared.output.quiet));
                let found = match folder {
                    Some(folder) => find_in_folder(&self.config, folder, self.keep_incomplete)?,
                    None => find_on_hub(&self.config, &hub, self.keep_incomplete)?,
                };
                let tokenizers = TokenizerFiles::find(&found.models, &hub, stand_in.as_ref())?;
                let sources = [found.sources.clone(), tokenizers.sources.clone()].concat();
                let mut recipe = self.recipe(&found.models, sources);
                if let (Some(stand_in), false) = (stand_in, tokenizers.stood_in.is_empty()) {
                    recipe
                        .options
                        .insert("token-counter".to_owned(), stand_in.name.clone());
                    recipe.options.insert(
                        "token-counter-for".to_owned(),
                        tokenizers.stood_in.join(" "),
                    );
                }
                gen_cli::run(&self.shared, recipe, || {
                    let stand_in = stand_in.as_ref().map(|stand_in| stand_in.name.as_str());
                    self.read_details(found, &tokenizers, stand_in)
                })
            }
            From::Matrix {
                pickle,
                questions,
                order,
            } => {
                let sources = vec![Source::of(pickle)?, Source::of(questions)?];
                let mut matrix = Matrix::read(pickle, &self.config)?;
                let kept: Vec<usize> = (0..matrix.models.len())
                    .filter(|&m| self.keep_incomplete || matrix.is_complete(m))
                    .collect();
                ensure!(
                    !kept.is_empty(),
                    "no LLM of `{}` has all tasks; --keep-incomplete keeps those that lack some",
                    pickle.display()
                );
                let incomplete = (0..matrix.models.len()).filter(|&m| !matrix.is_complete(m));
                let incomplete = incomplete.map(|m| {
                    incomplete_note(matrix.models[m], &missing(&matrix, m), self.keep_incomplete)
                });
                let incomplete: Vec<String> = incomplete.collect();
                matrix.notes.extend(incomplete);
                let models: Vec<&Model> = kept.iter().map(|&m| matrix.models[m]).collect();
                let recipe = self.recipe(&models, sources);
                gen_cli::run(&self.shared, recipe, || {
                    self.read_matrix(
                        &matrix,
                        &kept,
                        &Questions::read(questions, &models)?,
                        *order,
                    )
                })
            }
        }
    }

    fn recipe(&self, models: &[&Model], mut sources: Vec<Source>) -> Recipe {
        sources.push(self.config.source.clone());
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
        }
    }

    fn read_details(
        &self,
        found: Found<'_>,
        tokenizers: &TokenizerFiles,
        stand_in: Option<&str>,
    ) -> anyhow::Result<Raw> {
        let n_files = found.files.iter().flatten().flatten().count();
        let progress = Progress::bar("sample files", n_files as u64, self.shared.output.quiet);
        let counters = Counters::load(tokenizers)?;
        let samples = read(&found, &counters, &|n| progress.add(n))?;
        drop(progress);
        let joined = raw_table(&found, &samples, self.config.max_mismatch_share)?;
        let mut notes = found.notes;
        notes.extend(joined.notes);
        let n_of = |name: &str| {
            let place = found.tasks.iter().position(|task| task.name == name);
            place.map_or(0, |t| joined.n_documents[t])
        };
        let counts: Vec<usize> = self.config.tasks().map(|task| n_of(&task.name)).collect();
        notes.extend(self.config.count_notes(&counts));
        if let (Some(stand_in), false) = (stand_in, tokenizers.stood_in.is_empty()) {
            notes.push(format!(
                "input tokens, and so costs, of {} are counted with `{stand_in}`, not with their own tokenizers",
                tokenizers.stood_in.join(", ")
            ));
        }
        let names: Vec<&str> = joined
            .table
            .models
            .iter()
            .map(|model| model.name.as_str())
            .collect();
        let columns: Vec<Vec<f64>> = joined
            .table
            .models
            .iter()
            .map(|model| model.scores.clone())
            .collect();
        let rows = test_rows(&self.config, joined.table.n_prompts())?;
        let summary = Summary::of(&names, &columns, &rows);
        let summary = Extra {
            name: "summary",
            value: json!({
                "n-tasks": found.tasks.len(),
                "n-documents": joined.table.n_prompts(),
                "n-test": rows.len(),
                "models": names,
                "by-document": summary,
            }),
            text: format!(
                "{} documents, {} test rows: {}\n",
                joined.table.n_prompts(),
                rows.len(),
                summary.line()
            ),
        };
        Ok(Raw {
            prices: Some(self.config.prices()?),
            table: joined.table,
            notes,
            extras: vec![summary],
        })
    }

    fn read_matrix(
        &self,
        matrix: &Matrix<'_>,
        kept: &[usize],
        questions: &Questions,
        order: Order,
    ) -> anyhow::Result<Raw> {
        let alignment = align(matrix, &self.config)?;
        let published = published_table(matrix, &alignment, questions, kept, order, &self.config)?;
        Ok(Raw {
            table: published.table,
            prices: Some(self.config.prices()?),
            notes: [matrix.notes.clone(), published.notes].concat(),
            extras: vec![alignment.extra(), published.summary],
        })
    }
}

/// The tasks that the matrix has and an LLM lacks.
fn missing(matrix: &Matrix<'_>, model: usize) -> Vec<String> {
    let tasks = matrix
        .tasks
        .iter()
        .filter(|task| task.columns[model].is_none());
    tasks.map(|task| format!("`{}`", task.task.name)).collect()
}
