use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    DatasetDir, Error, Pair, Part, Price, Result, Source, check_model_name, json, sha256_file,
};

/// `dataset.json`: what a data set is and how it was made. Holds no date, so the same input gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DatasetInfo {
    /// The data set's name, which is its folder's.
    pub name: String,
    /// The LLMs in the order in which every table of the data set has them.
    pub models: Vec<ModelInfo>,
    /// The pair that binary routers choose between.
    pub pair: Option<Pair>,
    /// What an estimator has to predict to know a cost.
    pub cost_kind: CostKind,
    /// Rows of `train.parquet`.
    pub n_train: usize,
    /// Rows of `test.parquet`.
    pub n_test: usize,
    /// How many of the last rows of `train.parquet` are the source's validation part, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_validation: Option<usize>,
    /// What the two parts are, so that parts of another run are not taken for them; data sets of older versions do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_sha256: Option<PartHashes>,
    /// How rows came to their part.
    pub split: SplitOrigin,
    /// The files that the data set was made from.
    pub sources: Vec<Source>,
    /// Program and version that made it.
    pub made_by: String,
    /// The arguments that decided what is in it, by name, except those recorded elsewhere in this file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// What a reader of the numbers should know: what was dropped, assumed or replaced.
    pub notes: Vec<String>,
    /// What else was found out about the source, for programs; each generator has its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub findings: BTreeMap<String, Value>,
}

/// SHA-256 of `train.parquet` and `test.parquet`, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PartHashes {
    /// Of `train.parquet`.
    pub train: String,
    /// Of `test.parquet`.
    pub test: String,
}

impl PartHashes {
    /// Hashes both parts of a data set.
    ///
    /// # Errors
    /// [`Error::Io`] when a part cannot be read.
    pub fn of(dir: &DatasetDir) -> Result<Self> {
        Ok(Self {
            train: sha256_file(&dir.split(Part::Train))?,
            test: sha256_file(&dir.split(Part::Test))?,
        })
    }

    /// The hash of one part.
    pub fn get(&self, part: Part) -> &str {
        match part {
            Part::Train => &self.train,
            Part::Test => &self.test,
        }
    }
}

/// One LLM of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelInfo {
    /// The LLM's name, as in the column names.
    pub name: String,
    /// Its price, if one was needed or known.
    pub price: Option<Price>,
    /// Where its costs come from.
    pub cost_rule: CostRule,
}

/// Where the costs of one LLM come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CostRule {
    /// `cost_usd` was given.
    Given,
    /// Input and output tokens times their prices.
    InputAndOutputTokens,
    /// Input tokens times their price; there were no output tokens.
    InputTokens,
}

/// What an estimator has to predict to know the cost of a call before it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CostKind {
    /// Output tokens: cost = true input tokens x price + predicted output tokens x price (SPROUT).
    OutputTokens,
    /// Dollars, z-scored per LLM with the train rows' mean and deviation (RouterBench).
    Usd,
    /// Nothing: cost = input tokens x price is known beforehand (Open LLM Leaderboard).
    Known,
}

impl CostKind {
    /// What an estimator has to predict, given the cost rule of each LLM.
    pub fn of(rules: &[CostRule]) -> Self {
        let all = |rule| rules.iter().all(|&other| other == rule);
        if all(CostRule::InputTokens) {
            Self::Known
        } else if all(CostRule::InputAndOutputTokens) {
            Self::OutputTokens
        } else {
            // A mixture has only dollars in common.
            Self::Usd
        }
    }
}

/// How rows came to their part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub enum SplitOrigin {
    /// [`crate::train_test_split`].
    Random {
        /// Share of test rows.
        test_size: f64,
        /// Seed of the permutation.
        seed: u32,
    },
    /// Groups of rows at random: rows with one value of a column are in one part, and so are rows with one prompt.
    Grouped {
        /// Share of test rows, as nearly as whole groups give it.
        test_size: f64,
        /// Seed of the permutations.
        seed: u32,
        /// The column.
        column: String,
    },
    /// The source came in parts.
    Given,
}

impl DatasetInfo {
    /// Reads `dataset.json`.
    ///
    /// # Errors
    /// [`crate::Error::Io`], [`crate::Error::Json`] or [`crate::Error::ModelName`].
    pub fn read(path: &Path) -> Result<Self> {
        let info: Self = json::read(path)?;
        for model in &info.models {
            check_model_name(path, &model.name)?;
        }
        Ok(info)
    }

    /// Writes `dataset.json` atomically.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        json::write(path, self)
    }

    /// Refuses a part that another run wrote than this description, by the hashes that it records. Nothing is refused where it records none.
    ///
    /// # Errors
    /// [`Error::Mismatch`], or [`Error::Io`] when the part cannot be read.
    pub fn check_hash(&self, dir: &DatasetDir, part: Part) -> Result<()> {
        let Some(hashes) = &self.part_sha256 else {
            return Ok(());
        };
        let path = dir.split(part);
        let (found, expected) = (sha256_file(&path)?, hashes.get(part));
        if found == expected {
            return Ok(());
        }
        Err(Error::OtherRun {
            path,
            info: dir.info(),
            what: format!("its SHA-256 is `{found}` instead of `{expected}`"),
        })
    }

    /// Number of rows that a part has by this description.
    pub fn n_rows(&self, part: Part) -> usize {
        match part {
            Part::Train => self.n_train,
            Part::Test => self.n_test,
        }
    }

    /// The LLMs' names in order.
    pub fn model_names(&self) -> Vec<String> {
        self.models.iter().map(|model| model.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CostRule::{Given, InputAndOutputTokens as Both, InputTokens as Input};

    #[test]
    fn the_kind_of_cost_follows_from_the_rules() {
        for (rules, expected) in [
            (vec![Input, Input], CostKind::Known),
            (vec![Both, Both], CostKind::OutputTokens),
            (vec![Given, Given], CostKind::Usd),
            (vec![Both, Given], CostKind::Usd),
            (vec![Both, Input], CostKind::Usd),
        ] {
            assert_eq!(CostKind::of(&rules), expected, "{rules:?}");
        }
    }
}
