//! configs/claims.toml: what is claimed, and how it is measured.

use std::{collections::BTreeSet, path::Path};

use anyhow::ensure;
use cli_support::read_toml;
use serde::{Deserialize, Serialize};

const BUILT_IN: &str = include_str!("../../../configs/claims.toml");

/// The file as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ClaimsFile {
    pub(crate) settings: Settings,
    pub(crate) groups: Vec<Group>,
}

/// How what a known truth demands is measured.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Settings {
    pub(crate) n_resamples: usize,
    pub(crate) seed: u64,
    pub(crate) level: f64,
    pub(crate) cost_multiplier: f64,
}

/// Claims about one data set from one source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Group {
    dataset: String,
    source: String,
    /// The embedder whose vectors the routers' numbers hold for; without one, for any.
    embedder: Option<String>,
    claims: Vec<ClaimToml>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ClaimToml {
    id: String,
    metric: Metric,
    /// Without it our number is reported, and held against nothing.
    expect: Option<Expect>,
}

/// One number that can be held against ours.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Claim {
    pub(crate) id: String,
    pub(crate) dataset: String,
    pub(crate) metric: Metric,
    pub(crate) expect: Option<Expect>,
    pub(crate) embedder: Option<String>,
    pub(crate) source: String,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    tag = "kind"
)]
pub(crate) enum Metric {
    /// Rows of both parts.
    NRows,
    /// Rows of the train split.
    NTrain,
    /// Rows of the test split.
    NTest,
    /// The source's own validation rows, which are the last of the train split.
    NValidation,
    /// LLMs.
    NModels,
    /// Highest mean true score of any LLM on the test split.
    BestSingle,
    /// Mean of the best true score of each test prompt.
    Oracle,
    /// Mean true score of an LLM on the test split.
    ModelAccuracy {
        model: String,
    },
    /// Mean true cost of an LLM on the test split.
    ModelCost {
        model: String,
    },
    /// Columns of the CARROT repository's table of KNN accuracies; see `evaluation::prediction_accuracy`.
    BinarizedAcc {
        router: String,
    },
    ScoreMae {
        router: String,
    },
    ScoreR2 {
        router: String,
    },
    RoutingAcc {
        router: String,
    },
    CostMae {
        router: String,
    },
    /// `routing-acc` less `best-single`.
    GainOverBestSingle {
        router: String,
    },
    /// Highest accuracy on the routing curve at no more than a mean cost.
    AccuracyAtCost {
        router: String,
        cost_usd: f64,
    },
    /// Least cost of the best single LLM's accuracy, over that LLM's cost.
    RelativeCostOfBestSingle {
        router: String,
    },
    /// By how much a router is more accurate than another at the same cost, at the worst of the other's costs.
    LeastLead {
        router: String,
        over: String,
    },
    /// The least accuracy over a reference LLM's, of the benchmarks, at a part of that LLM's cost; see `evaluation::benchmark_points`. A
    /// benchmark is the prompts with its name in their task.
    LeastBenchmarkRatio {
        router: String,
        reference: String,
        budget_ratio: f64,
        n_steps: usize,
        cost_multiplier: f64,
        benchmarks: Vec<String>,
    },
    /// Highest expected score of any LLM on the test split.
    ExpectedBestSingle,
    /// Expected score of the Bayes router that minds no cost.
    BayesAccuracy,
    /// Regret over all lambdas; see `evaluation::regret`.
    Regret {
        router: String,
        by: End,
    },
    /// Regret on the most train prompts of a learning curve less that on the fewest.
    RegretChange {
        router: String,
        by: End,
    },
    /// Regret less that of the best single LLM for each lambda, which does not look at the prompt.
    RegretOverZero {
        router: String,
        by: End,
    },
    /// By how much a router's choices were worth more than the Bayes router's on the test split as it was drawn.
    ObservedGainOverBayes {
        router: String,
        by: End,
    },
}

/// Which number of an interval decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum End {
    Estimate,
    Low,
    High,
}

/// What a number has to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub(crate) enum Expect {
    /// At most `tolerance` away from `value`.
    Equal {
        value: f64,
        tolerance: f64,
    },
    AtLeast {
        value: f64,
    },
    AtMost {
        value: f64,
    },
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    Count,
    /// A score, a share, a ratio, or a difference of these.
    Score,
    UsdPerQuery,
    /// Dollars or output tokens per query, as the data set has costs.
    Cost,
}

impl ClaimsFile {
    /// Reads and checks the claims.
    ///
    /// # Errors
    /// When the file cannot be read or is not of the expected form.
    pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        let this: Self = read_toml(path, BUILT_IN)?;
        let Settings {
            n_resamples,
            level,
            cost_multiplier,
            ..
        } = this.settings;
        ensure!(
            n_resamples > 0 && level > 0.0 && level < 1.0 && cost_multiplier > 0.0,
            "the claims' settings ask for {n_resamples} resamples, level {level} and multiplier {cost_multiplier}, expected numbers above 0 and a \
             level below 1"
        );
        Ok(this)
    }
}

/// All claims, those of a data set together, in the order in which data sets first occur.
///
/// # Errors
/// When two have the same id, or one cannot be held against any number.
pub(crate) fn all(mut claims: Vec<Claim>, groups: Vec<Group>) -> anyhow::Result<Vec<Claim>> {
    for group in groups {
        claims.extend(group.claims.into_iter().map(|claim| Claim {
            id: claim.id,
            dataset: group.dataset.clone(),
            metric: claim.metric,
            expect: claim.expect,
            embedder: group.embedder.clone(),
            source: group.source.clone(),
        }));
    }
    let (mut ids, mut datasets) = (BTreeSet::new(), Vec::new());
    for claim in &claims {
        ensure!(
            ids.insert(&claim.id),
            "two claims have the id `{}`",
            claim.id
        );
        let is_usable = claim.expect.is_none_or(|expect| match expect {
            Expect::Equal { value, tolerance } => value.is_finite() && tolerance >= 0.0,
            Expect::AtLeast { value } | Expect::AtMost { value } => value.is_finite(),
        });
        ensure!(
            is_usable,
            "claim `{}` expects no finite number, or has a tolerance below 0",
            claim.id
        );
        if !datasets.contains(&claim.dataset) {
            datasets.push(claim.dataset.clone());
        }
    }
    claims.sort_by_key(|claim| datasets.iter().position(|name| *name == claim.dataset));
    Ok(claims)
}

impl Metric {
    pub(crate) fn unit(&self) -> Unit {
        match self {
            Self::NRows | Self::NTrain | Self::NTest | Self::NValidation | Self::NModels => {
                Unit::Count
            }
            Self::ModelCost { .. } => Unit::UsdPerQuery,
            Self::CostMae { .. } => Unit::Cost,
            _ => Unit::Score,
        }
    }
}
