//! configs/rate-study.toml: what it may say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Error, LlmParams, Problem, Result, Search};

/// Most training rows, as a power of two.
const MAX_LOG2_N: u32 = 30;

/// A study, as configs/rate-study.toml has and explains it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StudyParams {
    /// Seed of everything random.
    pub seed: u64,
    /// Weight of the cost in the utility.
    pub mu: f64,
    /// Level of the intervals.
    pub level: f64,
    /// Bootstrap resamples of the repetitions.
    pub n_resamples: usize,
    /// The size of a study.
    pub full: SizeParams,
    /// The size of a first look.
    pub quick: SizeParams,
    /// The rule that ships for the number of neighbors.
    pub shipped_rule: ShippedRuleParams,
    /// The made-up LLMs.
    pub llms: LlmParams,
    /// The problems.
    pub problems: Vec<ProblemParams>,
}

/// How CARROT (KNN) chooses its number of neighbors where theory does not say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ShippedRuleParams {
    /// Numbers of neighbors to choose from.
    pub n_neighbors: Vec<usize>,
    /// Whether larger ones are added for many rows ([`routers::grown_neighbors`]).
    pub grows: bool,
}

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SizeParams {
    /// The least and the largest number of training rows, as powers of two; all powers between are run.
    pub log2_n: [u32; 2],
    /// The least one that exponents are fitted on.
    pub fit_from_log2_n: u32,
    /// Test points of each repetition.
    pub n_test: usize,
    /// Part of the repetitions that is run, in (0, 1].
    pub repetitions: f64,
}

/// A problem in several dimensions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProblemParams {
    /// Its name in files and figures.
    pub name: String,
    /// The Hoelder exponent.
    pub smoothness: f64,
    /// The dimensions that it is run in.
    pub dimensions: Vec<DimensionParams>,
}

/// A problem in one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DimensionParams {
    /// Number of coordinates of a prompt.
    pub dim: usize,
    /// The factor of the number of neighbors.
    pub neighbors: f64,
    /// Repetitions for each number of training rows.
    pub n_repetitions: usize,
    /// How neighbors are searched for.
    pub search: Search,
}

/// Which of the two sizes is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// All of it.
    Full,
    /// A first look.
    Quick,
}

/// A study that can be run.
#[derive(Debug, Clone)]
pub struct Study {
    pub(crate) params: StudyParams,
    pub(crate) size: SizeParams,
    pub(crate) cases: Vec<Case>,
}

/// A problem in one dimension, with what is run of it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) problem: Problem,
    pub(crate) dimension: DimensionParams,
    pub(crate) n_repetitions: usize,
    /// Sets its random streams apart from other cases': the position of its problem, and its dimension.
    pub(crate) stream: u64,
}

impl StudyParams {
    /// Rejects what cannot be run.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a level outside (0, 1), no resamples, fewer than two sizes to fit on, no test points, no candidates of the shipped rule, no problems, duplicate names or
    /// dimensions, fewer than two repetitions, a factor of neighbors that is not above 0, a search on a line in more than one
    /// dimension, and as [`Problem::new`].
    pub fn check(self, size: Size) -> Result<Study> {
        let size = match size {
            Size::Full => self.full,
            Size::Quick => self.quick,
        };
        let bad = |name: &str, found: String, expected| {
            Err(Error::BadSetting {
                name: name.to_owned(),
                found,
                expected,
            })
        };
        if !(self.level > 0.0 && self.level < 1.0) {
            return bad("level", self.level.to_string(), "above 0 and below 1");
        }
        if self.n_resamples == 0 {
            return bad("n-resamples", "0".to_owned(), "at least 1");
        }
        let [least, most] = size.log2_n;
        if least > most || most > MAX_LOG2_N {
            return bad(
                "log2-n",
                format!("{:?}", size.log2_n),
                "two ascending numbers up to 30",
            );
        }
        if !(least..most).contains(&size.fit_from_log2_n) {
            let found = size.fit_from_log2_n.to_string();
            return bad(
                "fit-from-log2-n",
                found,
                "in the range of `log2-n`, below its end",
            );
        }
        if size.n_test == 0 {
            return bad("n-test", "0".to_owned(), "at least 1");
        }
        if !(size.repetitions > 0.0 && size.repetitions <= 1.0) {
            return bad(
                "repetitions",
                size.repetitions.to_string(),
                "above 0 and at most 1",
            );
        }
        let candidates = &self.shipped_rule.n_neighbors;
        let ascends = candidates.windows(2).all(|pair| pair[0] < pair[1]);
        if candidates.first().is_none_or(|&k| k == 0) || !ascends {
            return bad(
                "shipped-rule.n-neighbors",
                format!("{candidates:?}"),
                "an ascending list of numbers of at least 1",
            );
        }
        let cases = self.cases(&size)?;
        Ok(Study {
            params: self,
            size,
            cases,
        })
    }

    fn cases(&self, size: &SizeParams) -> Result<Vec<Case>> {
        let bad = |name: &str, found: String, expected| {
            Err(Error::BadSetting {
                name: name.to_owned(),
                found,
                expected,
            })
        };
        let mut cases = Vec::new();
        let mut names = BTreeSet::new();
        for (i, of_problem) in self.problems.iter().enumerate() {
            let name = &of_problem.name;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
            if name.is_empty() || !name.chars().all(is_plain) || !names.insert(name) {
                let expected = "a name of letters, digits and `-` that no other problem has";
                return bad("problems.name", format!("`{name}`"), expected);
            }
            let mut dims = BTreeSet::new();
            for &dimension in &of_problem.dimensions {
                let DimensionParams {
                    dim,
                    neighbors,
                    n_repetitions,
                    search,
                } = dimension;
                if !dims.insert(dim) {
                    return bad(
                        "dim",
                        format!("{dim}, a duplicate"),
                        "a different one for each case",
                    );
                }
                if !(neighbors > 0.0 && neighbors.is_finite()) {
                    return bad("neighbors", neighbors.to_string(), "a number above 0");
                }
                if n_repetitions < 2 {
                    return bad("n-repetitions", n_repetitions.to_string(), "at least 2");
                }
                if search == Search::Line && dim != 1 {
                    return Err(Error::NotALine { dim });
                }
                let n_repetitions = (size.repetitions * n_repetitions as f64).ceil() as usize;
                cases.push(Case {
                    name: name.clone(),
                    problem: Problem::new(dim, of_problem.smoothness, self.mu, self.llms)?,
                    dimension,
                    n_repetitions: n_repetitions.max(2),
                    stream: ((i as u64) << 16) | dim as u64,
                });
            }
        }
        if cases.is_empty() {
            return bad(
                "problems",
                "empty".to_owned(),
                "at least one with a dimension",
            );
        }
        Ok(cases)
    }
}

impl Study {
    /// Repetitions of all problems and sizes: what a run's progress counts.
    pub fn n_repetitions(&self) -> usize {
        let of_each_n: usize = self.cases.iter().map(|case| case.n_repetitions).sum();
        of_each_n * self.log2_ns().count()
    }

    pub(crate) fn log2_ns(&self) -> impl Iterator<Item = u32> + use<> {
        let [least, most] = self.size.log2_n;
        least..=most
    }
}
