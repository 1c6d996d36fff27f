mod benchmarks;
mod model;

use std::path::Path;

use anyhow::ensure;
use cli_support::usage_error;
use datagen::{
    PriceList,
    cli::{BuiltIn, check_unique, pair_among},
};
use dataset::{Pair, Prices};
use row_order::{AuditParams, CheckedAuditParams};
use serde::{Deserialize, Deserializer, de::Error as _};

pub(crate) use self::{
    benchmarks::{Benchmark, Metric, Task},
    model::Model,
};

pub(crate) const BUILT_IN: BuiltIn = BuiltIn {
    path: "configs/open-llm-lb-v2.toml",
    text: include_str!("../../../configs/open-llm-lb-v2.toml"),
};

/// `configs/open-llm-lb-v2.toml`; [`Config::check`] makes sure that it can be used.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// In the published order.
    pub(crate) benchmarks: Vec<Benchmark>,
    /// In the order that the columns of the data set have.
    pub(crate) models: Vec<Model>,
    #[serde(deserialize_with = "checked")]
    pub(crate) audit: CheckedAuditParams,
    // A few questions change between versions of a benchmark; more than a few mean that numbers do not identify documents.
    /// The share of a task's documents on whose question LLMs may differ.
    pub(crate) max_mismatch_share: f64,
    pub(crate) test_size: f64,
    pub(crate) seed: u32,
    pub(crate) pair: Pair,
}

fn checked<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CheckedAuditParams, D::Error> {
    let params = AuditParams::deserialize(deserializer)?;
    params.check().map_err(D::Error::custom)
}

impl Config {
    /// Refuses what no run can use, and brings the LLMs into the order of the data set's columns.
    pub(crate) fn check(mut self) -> anyhow::Result<Self> {
        let share = self.max_mismatch_share;
        ensure!(
            (0.0..=1.0).contains(&share),
            "`max-mismatch-share` is {share}, expected a number from 0 to 1"
        );
        for model in &self.models {
            model.check()?;
        }
        check_unique("model", self.models.iter().map(|model| model.name.as_str()))?;
        check_unique("task", self.tasks().map(|task| task.source_name.as_str()))?;
        ensure!(self.tasks().next().is_some(), "no task is listed");
        // CARROT sorts its columns by the names of the repositories of details.
        self.models.sort_by_key(Model::details_repo);
        Ok(self)
    }

    /// Only the benchmarks that belong to CARROT's 38 tasks.
    pub(crate) fn without_optional(mut self) -> Self {
        self.benchmarks.retain(|benchmark| !benchmark.is_optional);
        self
    }

    /// Only the LLMs that are not named. `path` is the settings' file, for messages.
    ///
    /// # Errors
    /// A usage error if the settings do not list a name, or no LLM is left.
    pub(crate) fn without_models(mut self, names: &[String], path: &Path) -> anyhow::Result<Self> {
        let path = path.display();
        for name in names {
            if !self.models.iter().any(|model| model.name == *name) {
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

    /// What the LLMs charge. `path` is the settings' file, for messages.
    pub(crate) fn prices(&self, path: &Path) -> anyhow::Result<PriceList> {
        let models = self.models.iter();
        let prices = models.map(|model| (model.name.clone(), model.price()));
        Ok(PriceList::new(path, prices.collect::<Prices>())?)
    }

    /// The pair, if it is among these LLMs.
    pub(crate) fn pair_among(&self, models: &[&Model]) -> Option<Pair> {
        let names: Vec<String> = models.iter().map(|model| model.name.clone()).collect();
        pair_among(&self.pair, &names).ok()
    }

    /// Notes on benchmarks that have some documents, but not as many as published; `counts` has one number per task, in order.
    pub(crate) fn count_notes(&self, counts: &[usize]) -> Vec<String> {
        let mut counts = counts.iter();
        let notes = self.benchmarks.iter().map(|benchmark| {
            let n: usize = counts.by_ref().take(benchmark.tasks.len()).sum();
            let expected = benchmark.n_documents;
            // Benchmarks without any document are noted elsewhere, by their tasks.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(toml: &str) -> anyhow::Result<Config> {
        toml::from_str::<Config>(toml)?.check()
    }

    #[test]
    fn the_built_in_settings_are_carrots() {
        let all = config(BUILT_IN.text).expect("good settings");
        assert_eq!((all.tasks().count(), all.models.len()), (39, 20));
        let excluded = ["google/gemma-2b-it".to_owned()];
        let some = all
            .without_optional()
            .without_models(&excluded, BUILT_IN.path.as_ref())
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
    fn no_tokenizer_of_the_built_in_settings_is_gated_or_missing() {
        let all = config(BUILT_IN.text).expect("good settings");
        for model in &all.models {
            let owner = model.tokenizer.split('/').next().expect("a name");
            let is_closed = ["alpindale", "google", "meta-llama", "mistralai"].contains(&owner);
            assert!(!is_closed, "{}", model.tokenizer);
            let is_own = model.tokenizer == model.name;
            assert_eq!(model.tokenizer_note().is_none(), is_own, "{}", model.name);
        }
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
                "tokenizer-note = \"a copy of its own\"",
                "",
                "and no `tokenizer-note` that says how their counts differ",
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
            let toml = BUILT_IN.text.replacen(from, to, 1);
            assert_ne!(toml, BUILT_IN.text, "{from}");
            let error = config(&toml).expect_err(to);
            assert!(format!("{error:#}").contains(message), "{error:#}");
        }
    }

    #[test]
    fn counts_that_differ_from_the_published_ones_are_noted() {
        let config = config(BUILT_IN.text).expect("good settings");
        let mut counts = vec![0; 39];
        (counts[0], counts[25], counts[26], counts[27]) = (5761, 900, 1, 541);
        assert_eq!(
            config.count_notes(&counts),
            ["`gpqa` has 901 documents, 1192 were published"]
        );
    }
}
