//! configs/claims.toml: what is claimed, and how it is measured.

use std::{collections::BTreeSet, path::Path};

use evaluation::published::{Published, PublishedMetric, PublishedNumber};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The file as it is in the repository, and its text.
const PATH: &str = "configs/claims.toml";
const BUILT_IN: &str = include_str!("../../../configs/claims.toml");

/// The file as it is written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ClaimsFile {
    pub(crate) settings: ClaimSettings,
    pub(crate) groups: Vec<Group>,
}

/// How what a known truth demands is measured.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClaimSettings {
    /// Resamples of the test prompts.
    pub n_resamples: usize,
    /// Their seed.
    pub seed: u64,
    /// Level of all intervals.
    pub level: f64,
    /// Brings dollars to the scale of scores.
    pub cost_multiplier: f64,
}

/// Claims about one data set from one source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Group {
    dataset: String,
    source: String,
    /// The embedder whose embeddings the routers' numbers hold for; without one, for any.
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
pub struct Claim {
    /// A unique name.
    pub id: String,
    /// The data set that it is about.
    pub dataset: String,
    pub(crate) metric: Metric,
    /// What our number has to be; without it our number is reported, and held against nothing.
    pub expect: Option<Expect>,
    /// The embedder that it needs, if it needs a certain one.
    pub embedder: Option<String>,
    /// Where it is published.
    pub source: String,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind")]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(crate) enum Metric {
    /// Rows of both parts.
    NRows,
    /// Rows of the train part.
    NTrain,
    /// Rows of the test part.
    NTest,
    /// The source's own validation rows, which are the last of the train part.
    NValidation,
    /// LLMs.
    NModels,
    /// Highest mean true score of any LLM on the test part.
    BestSingle,
    /// Mean of the best true score of each test prompt.
    Oracle,
    /// Mean true score of an LLM on the test part.
    ModelAccuracy {
        model: String,
    },
    /// Mean true cost of an LLM on the test part.
    ModelCost {
        model: String,
    },
    /// Columns of the CARROT repository's table of KNN accuracies; see `evaluation::metric::prediction_accuracy`.
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
    /// The least accuracy over a reference LLM's, of the benchmarks, at a part of that LLM's cost; see `evaluation::study::benchmark_points`. A
    /// benchmark is the prompts with its name in their task.
    LeastBenchmarkRatio {
        router: String,
        reference: String,
        budget_ratio: f64,
        n_steps: usize,
        cost_multiplier: f64,
        benchmarks: Vec<String>,
    },
    /// Highest expected score of any LLM on the test part.
    ExpectedBestSingle,
    /// Expected score of the Bayes router that minds no cost.
    BayesAccuracy,
    /// Regret over all lambdas; see `evaluation::study::regret`.
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
    /// Mean gain over the best single LLM; see `evaluation::worth`.
    MeanGain {
        router: String,
        by: End,
    },
    /// The same by the known expectations, less that of the Bayes router.
    ExpectedGainOverBayes {
        router: String,
        by: End,
    },
    /// How far the gain by the known expectations lies outside the interval of the mean gain; 0 within.
    GainOutsideInterval {
        router: String,
    },
    /// By how much a router's choices were worth more than the Bayes router's on the test part as it was drawn.
    ObservedGainOverBayes {
        router: String,
        by: End,
    },
}

/// Which number of an interval decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The estimate itself.
    Estimate,
    /// The lower end.
    Low,
    /// The upper end.
    High,
}

/// What a number has to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub enum Expect {
    /// At most `tolerance` away from `value`.
    Equal {
        /// The number.
        value: f64,
        /// The largest difference that still is the same number.
        tolerance: f64,
    },
    /// No less than `value`.
    AtLeast {
        /// The number.
        value: f64,
    },
    /// No more than `value`.
    AtMost {
        /// The number.
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
    /// Reads and checks the claims; without a path, those that are built in.
    ///
    /// # Errors
    /// When the file cannot be read or is not of the expected form; [`Error::BadSettings`].
    pub(crate) fn read(path: Option<&Path>) -> Result<Self> {
        let this: Self = match path {
            Some(path) => dataset::toml::read(path)?,
            None => dataset::toml::parse(BUILT_IN, Path::new(PATH))?,
        };
        let ClaimSettings {
            n_resamples,
            level,
            cost_multiplier,
            ..
        } = this.settings;
        // Checked once here, as a bad setting would otherwise fail in the middle of the claims, after minutes of work.
        if n_resamples > 0 && level > 0.0 && level < 1.0 && cost_multiplier > 0.0 {
            Ok(this)
        } else {
            Err(Error::BadSettings {
                n_resamples,
                level,
                cost_multiplier,
            })
        }
    }
}

/// All claims, those of a data set together, in the order in which data sets first occur: first the published numbers, then the groups.
///
/// # Errors
/// [`Error::DuplicateClaim`], or [`Error::BadExpectation`] for a claim that cannot be held against any number.
pub(crate) fn all(published: &Published, groups: Vec<Group>) -> Result<Vec<Claim>> {
    let mut claims: Vec<Claim> = published.numbers().iter().map(Claim::of).collect();
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
    // Published numbers and claims come from two files, and an id must be unique over both, as users select by it.
    let (mut ids, mut datasets) = (BTreeSet::new(), Vec::new());
    for claim in &claims {
        let id = || claim.id.clone();
        if !ids.insert(&claim.id) {
            return Err(Error::DuplicateClaim { id: id() });
        }
        if !claim.expect.is_none_or(Expect::is_usable) {
            return Err(Error::BadExpectation { id: id() });
        }
        if !datasets.contains(&claim.dataset) {
            datasets.push(claim.dataset.clone());
        }
    }
    // Stable: within a data set the order of the files stays. `judge` reads each data set once because of it.
    claims.sort_by_key(|claim| datasets.iter().position(|name| *name == claim.dataset));
    Ok(claims)
}

impl Claim {
    /// The claim that our number is a published one.
    fn of(number: &PublishedNumber) -> Self {
        let router = number.router.clone();
        Self {
            id: number.id.clone(),
            dataset: number.holds_on(),
            metric: match number.metric {
                PublishedMetric::NTest => Metric::NTest,
                PublishedMetric::NModels => Metric::NModels,
                PublishedMetric::BinarizedAcc => Metric::BinarizedAcc { router },
                PublishedMetric::ScoreMae => Metric::ScoreMae { router },
                PublishedMetric::ScoreR2 => Metric::ScoreR2 { router },
                PublishedMetric::RoutingAcc => Metric::RoutingAcc { router },
                PublishedMetric::BestSingle => Metric::BestSingle,
                PublishedMetric::Oracle => Metric::Oracle,
                PublishedMetric::CostMae => Metric::CostMae { router },
            },
            expect: Some(Expect::Equal {
                value: number.value,
                tolerance: number.tolerance,
            }),
            embedder: number.embedder().map(str::to_owned),
            source: number.source.clone(),
        }
    }
}

impl Expect {
    fn is_usable(self) -> bool {
        match self {
            Self::Equal { value, tolerance } => value.is_finite() && tolerance >= 0.0,
            Self::AtLeast { value } | Self::AtMost { value } => value.is_finite(),
        }
    }
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

#[cfg(test)]
mod tests {
    use evaluation::choice::COST_MULTIPLIER;

    use super::*;

    #[test]
    fn the_built_in_claims_weigh_costs_as_routers_do() {
        let file = ClaimsFile::read(None).expect("good");
        assert_eq!(file.settings.cost_multiplier, COST_MULTIPLIER);
        let published = Published::read(None).expect("good");
        assert!(all(&published, file.groups).expect("good").len() > published.numbers().len());
    }
}
