mod benchmarks;

use std::{collections::HashSet, path::Path};

use anyhow::{Context as _, ensure};
use cli_support::{read_toml, usage_error};
use datagen::{PriceList, cli::pair_among};
use dataset::{Pair, Price, Prices, Source};
use row_order::{AuditParams, CheckedAuditParams};
use serde::Deserialize;

pub(crate) use self::benchmarks::{Benchmark, Metric, Task};

use self::benchmarks::BenchmarkToml;

const BUILT_IN: &str = include_str!("../../../configs/open-llm-lb-v2.toml");
const BUILT_IN_PATH: &str = "configs/open-llm-lb-v2.toml";

/// `configs/open-llm-lb-v2.toml` as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ConfigToml {
    test_size: f64,
    seed: u32,
    // A few questions change between versions of a benchmark; more than a few mean that numbers do not identify documents.
    max_mismatch_share: f64,
    pair: Pair,
    audit: AuditParams,
    benchmarks: Vec<BenchmarkToml>,
    models: Vec<Model>,
}

/// Settings that can be used.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The file, or the built-in one's name.
    pub(crate) source: Source,
    pub(crate) test_size: f64,
    pub(crate) seed: u32,
    /// The share of a task's documents on whose question LLMs may differ.
    pub(crate) max_mismatch_share: f64,
    pub(crate) pair: Pair,
    pub(crate) audit: CheckedAuditParams,
    /// In the published order.
    pub(crate) benchmarks: Vec<Benchmark>,
    /// In the order that the columns of the data set have.
    pub(crate) models: Vec<Model>,
}

/// An LLM of the leaderboard.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Model {
    /// `owner/name`.
    pub(crate) name: String,
    /// One blended price.
    pub(crate) usd_per_mtok: f64,
    /// Where the price was read.
    pub(crate) source: String,
    /// The repository of its tokenizer.
    pub(crate) tokenizer: String,
}

impl Config {
    pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        let toml: ConfigToml = read_toml(path, BUILT_IN)?;
        let source = Source::of_settings(path, BUILT_IN_PATH, BUILT_IN)?;
        let what = source.path.clone();
        Self::new(toml, source)
            .with_context(|| format!("cannot use the settings in `{}`", what.display()))
    }

    fn new(toml: ConfigToml, source: Source) -> anyhow::Result<Self> {
        let share = toml.max_mismatch_share;
        ensure!(
            (0.0..=1.0).contains(&share),
            "`max-mismatch-share` is {share}, expected a number from 0 to 1"
        );
        let mut models = toml.models;
        // A duplicate would give one LLM two columns, and count it twice in every figure.
        let mut names = HashSet::new();
        for model in &models {
            ensure!(
                model
                    .name
                    .split_once('/')
                    .is_some_and(|(owner, name)| !owner.is_empty() && !name.is_empty()),
                "model `{}` is not of the form `owner/name`",
                model.name
            );
            ensure!(
                names.insert(model.name.clone()),
                "duplicate model `{}`",
                model.name
            );
        }
        // CARROT sorts its columns by the names of the repositories of details.
        models.sort_by_key(Model::details_repo);
        let benchmarks = toml.benchmarks.into_iter().map(Benchmark::new);
        let benchmarks: Vec<Benchmark> = benchmarks.collect::<anyhow::Result<_>>()?;
        let mut names = HashSet::new();
        for task in benchmarks.iter().flat_map(|benchmark| &benchmark.tasks) {
            ensure!(
                names.insert(&task.source_name),
                "duplicate task `{}`",
                task.source_name
            );
        }
        ensure!(!names.is_empty(), "no task is listed");
        Ok(Self {
            source,
            test_size: toml.test_size,
            seed: toml.seed,
            max_mismatch_share: share,
            pair: toml.pair,
            audit: toml
                .audit
                .check()
                .context("cannot use the parameters of the audit")?,
            benchmarks,
            models,
        })
    }

    /// Only the benchmarks that belong to CARROT's 38 tasks.
    pub(crate) fn without_optional(mut self) -> Self {
        self.benchmarks.retain(|benchmark| !benchmark.is_optional);
        self
    }

    /// Only the LLMs that are not named.
    ///
    /// # Errors
    /// A usage error if a name is none of the settings', or no LLM is left.
    pub(crate) fn without_models(mut self, names: &[String]) -> anyhow::Result<Self> {
        for name in names {
            if !self.models.iter().any(|model| model.name == *name) {
                let path = self.source.path.display();
                return Err(usage_error(format!(
                    "--exclude-model: `{path}` has no model `{name}`"
                )));
            }
        }
        self.models.retain(|model| !names.contains(&model.name));
        if self.models.is_empty() {
            return Err(usage_error("--exclude-model leaves no LLM"));
        }
        Ok(self)
    }

    /// All tasks in the published order.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.benchmarks
            .iter()
            .flat_map(|benchmark| &benchmark.tasks)
    }

    /// What the LLMs charge: the same for input and output tokens, of which the latter are never known.
    pub(crate) fn prices(&self) -> anyhow::Result<PriceList> {
        let prices = self.models.iter().map(|model| {
            // Output tokens are unknown for every LLM here, so that their price never enters a cost; it is recorded for completeness.
            let price = Price {
                input_usd_per_mtok: model.usd_per_mtok,
                output_usd_per_mtok: model.usd_per_mtok,
                source: Some(model.source.clone()),
            };
            (model.name.clone(), price)
        });
        Ok(PriceList::new(
            &self.source.path,
            prices.collect::<Prices>(),
        )?)
    }

    /// The pair, if it is among these LLMs.
    pub(crate) fn pair_among(&self, models: &[&Model]) -> Option<Pair> {
        let names: Vec<String> = models.iter().map(|model| model.name.clone()).collect();
        pair_among(&self.pair, &names).ok()
    }

    /// Notes on benchmarks of which some documents are there, but not as many as published; `counts` has one number per task, in order.
    pub(crate) fn count_notes(&self, counts: &[usize]) -> Vec<String> {
        let mut counts = counts.iter();
        let notes = self.benchmarks.iter().map(|benchmark| {
            let n: usize = counts.by_ref().take(benchmark.tasks.len()).sum();
            let expected = benchmark.n_documents;
            // A benchmark of which the source has nothing is noted elsewhere, by its tasks.
            (n > 0 && n != expected).then(|| {
                format!(
                    "`{}` has {n} documents, {expected} were published",
                    benchmark.name
                )
            })
        });
        notes.collect::<Vec<_>>().into_iter().flatten().collect()
    }
}

impl Model {
    /// `owner__name`, as the leaderboard's folders have it.
    pub(crate) fn folder(&self) -> String {
        self.name.replacen('/', "__", 1)
    }

    /// `owner__name-details`, the name of its repository at the leaderboard.
    pub(crate) fn details_repo(&self) -> String {
        format!("{}-details", self.folder())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(toml: &str) -> anyhow::Result<Config> {
        let source = Source {
            path: BUILT_IN_PATH.into(),
            sha256: String::new(),
            n_bytes: 0,
        };
        Config::new(toml::from_str(toml)?, source)
    }

    #[test]
    fn the_built_in_settings_are_carrots() {
        let all = config(BUILT_IN).expect("good settings");
        assert_eq!((all.tasks().count(), all.models.len()), (39, 20));
        let excluded = ["google/gemma-2b-it".to_owned()];
        let some = all
            .without_optional()
            .without_models(&excluded)
            .expect("known models");
        assert_eq!((some.tasks().count(), some.models.len()), (38, 19));
        let n_documents: usize = some
            .benchmarks
            .iter()
            .map(|benchmark| benchmark.n_documents)
            .sum();
        assert_eq!(n_documents, 21_065);
        let names: Vec<&str> = some.tasks().map(|task| task.name.as_str()).collect();
        assert_eq!(
            (names[0], names[24]),
            ("bbh/boolean_expressions", "gpqa/diamond")
        );
        assert_eq!(
            (names[27], names[34]),
            ("math/algebra_hard", "mmlu_pro/mmlu_pro")
        );
        // The order of the names of the repositories, in which `-` comes before `.`.
        let models: Vec<&str> = some
            .models
            .iter()
            .map(|model| model.name.as_str())
            .collect();
        assert_eq!(models[0], "01-ai/Yi-34B-Chat");
        assert_eq!(
            models[3..6],
            [
                "Qwen/Qwen2-72B-Instruct",
                "Qwen/Qwen2.5-72B-Instruct",
                "Qwen/Qwen2.5-7B-Instruct"
            ]
        );
        let two: Vec<&Model> = some
            .models
            .iter()
            .filter(|model| model.name.starts_with("Qwen"))
            .collect();
        assert!(some.pair_among(&two).is_some());
        assert_eq!(some.pair_among(&two[..2]), None);
    }

    #[test]
    fn settings_that_cannot_be_used_are_refused() {
        for (from, to, message) in [
            (
                "max-mismatch-share = 0.01",
                "max-mismatch-share = 1.5",
                "`max-mismatch-share` is 1.5",
            ),
            (
                "\"leaderboard_ifeval\"",
                "\"leaderboard_bbh_navigate\"",
                "does not begin with `leaderboard_ifeval`",
            ),
            (
                "    \"leaderboard_bbh_snarks\",",
                "    \"leaderboard_bbh_navigate\",",
                "duplicate task `leaderboard_bbh_navigate`",
            ),
            (
                "name = \"google/gemma-2b-it\"",
                "name = \"google/gemma-2-9b-it\"",
                "duplicate model `google/gemma-2-9b-it`",
            ),
            (
                "name = \"google/gemma-2b-it\"",
                "name = \"gemma\"",
                "is not of the form `owner/name`",
            ),
            (
                "candidate-widths = [1, 2, 4, 8]",
                "candidate-widths = [1]",
                "candidate-widths",
            ),
            (
                "question = [\"input\"]",
                "question = []",
                "has no `question`",
            ),
            (
                "metric = \"acc\"",
                "metric = \"f1\"",
                "unknown variant `f1`",
            ),
        ] {
            let toml = BUILT_IN.replacen(from, to, 1);
            assert_ne!(toml, BUILT_IN, "{from}");
            let error = config(&toml).expect_err(to);
            assert!(format!("{error:#}").contains(message), "{error:#}");
        }
    }

    #[test]
    fn counts_that_differ_from_the_published_ones_are_noted() {
        let config = config(BUILT_IN).expect("good settings");
        let mut counts = vec![0; 39];
        (counts[0], counts[25], counts[26], counts[27]) = (5761, 900, 1, 541);
        assert_eq!(
            config.count_notes(&counts),
            ["`gpqa` has 901 documents, 1192 were published"]
        );
    }
}
