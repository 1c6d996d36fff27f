use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// What every task's name begins with in the names of the leaderboard's files and in the matrix.
const TASK_PREFIX: &str = "leaderboard_";

/// A benchmark as it is written in the settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BenchmarkToml {
    name: String,
    metric: Metric,
    question: Vec<String>,
    n_documents: usize,
    is_optional: bool,
    tasks: Vec<String>,
}

/// Tasks that are scored and asked alike.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "BenchmarkToml")]
pub(crate) struct Benchmark {
    pub(crate) name: String,
    /// How many documents its tasks have together, as published.
    pub(crate) n_documents: usize,
    /// Whether it is outside CARROT's 38 tasks.
    pub(super) is_optional: bool,
    pub(crate) tasks: Vec<Task>,
}

/// A task of the leaderboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// `leaderboard_bbh_navigate`, as files and the matrix have it.
    pub(crate) source_name: String,
    /// `bbh/navigate`, as the data set has it.
    pub(crate) name: String,
    pub(crate) metric: Metric,
    /// The keys of `doc` that make the question.
    pub(crate) question: Vec<String>,
}

/// The key of a document's score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Metric {
    Acc,
    AccNorm,
    ExactMatch,
    PromptLevelStrictAcc,
}

impl TryFrom<BenchmarkToml> for Benchmark {
    type Error = anyhow::Error;

    fn try_from(toml: BenchmarkToml) -> anyhow::Result<Self> {
        // Without a key the question would be empty for every document, and all documents would agree.
        ensure!(
            !toml.question.is_empty(),
            "benchmark `{}` has no `question`",
            toml.name
        );
        let task = |source_name: String| {
            let name = source_name
                .strip_prefix(TASK_PREFIX)
                .and_then(|name| name.strip_prefix(toml.name.as_str()))
                .with_context(|| {
                    format!(
                        "task `{source_name}` does not begin with `{TASK_PREFIX}{}`",
                        toml.name
                    )
                })?;
            // A benchmark of one task has no second name.
            let name = name.strip_prefix('_').unwrap_or(&toml.name);
            Ok(Task {
                name: format!("{}/{name}", toml.name),
                source_name: source_name.clone(),
                metric: toml.metric,
                question: toml.question.clone(),
            })
        };
        Ok(Self {
            tasks: toml
                .tasks
                .into_iter()
                .map(task)
                .collect::<anyhow::Result<_>>()?,
            n_documents: toml.n_documents,
            is_optional: toml.is_optional,
            name: toml.name,
        })
    }
}

impl Metric {
    /// The key in a sample file.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Acc => "acc",
            Self::AccNorm => "acc_norm",
            Self::ExactMatch => "exact_match",
            Self::PromptLevelStrictAcc => "prompt_level_strict_acc",
        }
    }
}
