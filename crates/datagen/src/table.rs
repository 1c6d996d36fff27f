use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use dataset::{Error as DatasetError, Field, KeptColumns, check_model_name};

use crate::{Error, Result};

/// A source's rows in memory, before any check. All columns are as long as `ids`; NaN is an unknown number.
#[derive(Debug, Clone)]
pub struct RawTable {
    /// Where the rows came from, for messages.
    pub path: PathBuf,
    /// Each row's number in the source, from 1, for messages: rows may have been left out on the way.
    pub row_numbers: Vec<usize>,
    /// What names a prompt; unique.
    pub ids: Vec<String>,
    /// The benchmark or family that a prompt belongs to.
    pub tasks: Vec<String>,
    /// What an LLM is asked.
    pub prompts: Vec<String>,
    /// Each row's part, where the source came in parts.
    pub parts: Option<Vec<SourcePart>>,
    /// Other columns that the data set keeps.
    pub kept: KeptColumns,
    /// The LLMs in the order that all tables of the data set will have.
    pub models: Vec<RawModel>,
}

/// The part that a source gave a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourcePart {
    /// What estimators are fitted on.
    Train,
    /// What choices are made on. Its rows come last in the train part; `dataset.json` says how many there are.
    Validation,
    /// What estimators are judged on.
    Test,
}

impl SourcePart {
    /// All parts in the order in which sources have them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// `train`, `validation` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// One LLM's columns.
#[derive(Debug, Clone)]
pub struct RawModel {
    /// The LLM's name; may hold `/`.
    pub name: String,
    /// How good each answer was, in [0, 1].
    pub scores: Vec<f64>,
    /// Tokens of each prompt.
    pub input_tokens: Option<Vec<f64>>,
    /// Tokens of each answer.
    pub output_tokens: Option<Vec<f64>>,
    /// What each call cost, in US dollars.
    pub cost_usd: Option<Vec<f64>>,
    /// The probability with which the LLM was asked for each prompt.
    pub propensities: Option<Vec<f64>>,
}

/// A row of a table whose costs follow from input tokens.
#[derive(Debug, Clone, Copy)]
pub struct NewRow<'a> {
    /// Its number in the source, from 1.
    pub number: usize,
    /// Its number within its task, which with the task's name makes the id.
    pub document: usize,
    /// The benchmark or family.
    pub task: &'a str,
    /// What an LLM is asked.
    pub prompt: &'a str,
}

impl RawTable {
    /// A table without rows, for LLMs whose input tokens are counted and whose output tokens nobody knows.
    pub fn of_input_tokens(path: &Path, models: impl IntoIterator<Item = String>) -> Self {
        let models = models.into_iter().map(|name| RawModel {
            name,
            scores: Vec::new(),
            input_tokens: Some(Vec::new()),
            output_tokens: None,
            cost_usd: None,
            propensities: None,
        });
        Self {
            path: path.to_owned(),
            row_numbers: Vec::new(),
            ids: Vec::new(),
            tasks: Vec::new(),
            prompts: Vec::new(),
            parts: None,
            kept: KeptColumns::default(),
            models: models.collect(),
        }
    }

    /// Adds a row to such a table, which keeps no other columns; `answers` has each LLM's score and input tokens, NaN where unknown.
    ///
    /// # Panics
    /// If the table has other columns, or there is not one answer per LLM.
    pub fn push(&mut self, row: NewRow<'_>, answers: impl IntoIterator<Item = (f64, f64)>) {
        self.row_numbers.push(row.number);
        self.ids.push(format!("{}/{}", row.task, row.document));
        self.tasks.push(row.task.to_owned());
        self.prompts.push(row.prompt.to_owned());
        let mut answers = answers.into_iter();
        for model in &mut self.models {
            let (score, n_tokens) = answers.next().expect("one answer per LLM");
            model.scores.push(score);
            let tokens = model.input_tokens.as_mut();
            tokens.expect("a column of input tokens").push(n_tokens);
        }
        assert!(answers.next().is_none(), "one answer per LLM");
    }

    /// Number of rows.
    pub fn n_prompts(&self) -> usize {
        self.ids.len()
    }

    /// Keeps only the first rows: `n` of each part, where the source came in parts. Returns how many rows are gone.
    pub fn keep_first(&mut self, n: usize) -> usize {
        // Each part keeps its first rows, since the first rows of a source in parts are all of one part.
        let mut n_kept = HashMap::new();
        let kept: Vec<bool> = (0..self.n_prompts())
            .map(|i| {
                let part = self.parts.as_ref().map(|parts| parts[i]);
                let n_before: &mut usize = n_kept.entry(part).or_default();
                *n_before += 1;
                *n_before <= n
            })
            .collect();
        retain(&mut self.row_numbers, &kept);
        retain(&mut self.ids, &kept);
        retain(&mut self.tasks, &kept);
        retain(&mut self.prompts, &kept);
        if let Some(parts) = &mut self.parts {
            retain(parts, &kept);
        }
        self.kept = self.kept.map(|values| {
            let rows = values.iter().zip(&kept).filter(|&(_, &is_kept)| is_kept);
            rows.map(|(value, _)| value.clone()).collect()
        });
        for model in &mut self.models {
            retain(&mut model.scores, &kept);
            let columns = [
                &mut model.input_tokens,
                &mut model.output_tokens,
                &mut model.cost_usd,
                &mut model.propensities,
            ];
            columns
                .into_iter()
                .flatten()
                .for_each(|column| retain(column, &kept));
        }
        kept.len() - self.n_prompts()
    }

    /// Takes away what rounding added to scores.
    pub(crate) fn round_scores(&mut self) {
        for model in &mut self.models {
            for score in &mut model.scores {
                *score = Field::Score.without_rounding(*score);
            }
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.models.is_empty() {
            return Err(Error::NoModels {
                path: self.path.clone(),
            });
        }
        if self.ids.is_empty() {
            return Err(DatasetError::Empty {
                path: self.path.clone(),
            }
            .into());
        }
        self.check_lengths()?;
        self.check_ids()?;
        let mut names = HashSet::new();
        for model in &self.models {
            check_model_name(&self.path, &model.name)?;
            if !names.insert(&model.name) {
                return Err(Error::DuplicateModel {
                    path: self.path.clone(),
                    model: model.name.clone(),
                });
            }
            for field in Field::ALL {
                let values = model.column(field).unwrap_or_default();
                let rows = self.row_numbers.iter().copied().zip(values.iter().copied());
                field.check_range(&self.path, &model.name, rows)?;
            }
        }
        self.check_propensities()
    }

    /// Refuses known scores without a propensity, once any LLM has propensities.
    fn check_propensities(&self) -> Result<()> {
        let have = |model: &RawModel| model.propensities.is_some();
        if !self.models.iter().any(have) {
            return Ok(());
        }
        let unknown = vec![f64::NAN; self.n_prompts()];
        for model in &self.models {
            let propensities = model.propensities.as_deref().unwrap_or(&unknown);
            let rows = self.row_numbers.iter().zip(&model.scores).zip(propensities);
            let rows = rows.map(|((&row, &score), &propensity)| (row, score, propensity));
            dataset::check_propensities(&self.path, &model.name, rows)?;
        }
        Ok(())
    }

    fn check_lengths(&self) -> Result<()> {
        let n = self.n_prompts();
        let mut lengths = vec![
            self.row_numbers.len(),
            self.tasks.len(),
            self.prompts.len(),
            self.parts.as_ref().map_or(n, Vec::len),
        ];
        lengths.extend(self.kept.iter().map(|(_, values)| values.len()));
        for model in &self.models {
            lengths.extend(
                Field::ALL
                    .into_iter()
                    .filter_map(|field| model.column(field))
                    .map(<[f64]>::len),
            );
        }
        match lengths.into_iter().find(|&len| len != n) {
            None => Ok(()),
            Some(len) => Err(DatasetError::Shape {
                what: "raw columns",
                expected: (n, 1),
                found: (len, 1),
            }
            .into()),
        }
    }

    fn check_ids(&self) -> Result<()> {
        // Ids join splits with embeddings and predictions, so a duplicate would pair one prompt with the numbers of another.
        let mut first_rows = HashMap::with_capacity(self.ids.len());
        for (id, &row) in self.ids.iter().zip(&self.row_numbers) {
            if let Some(first_row) = first_rows.insert(id, row) {
                return Err(DatasetError::DuplicateId {
                    path: self.path.clone(),
                    id: id.clone(),
                    first_row,
                    row,
                }
                .into());
            }
        }
        Ok(())
    }
}

impl RawModel {
    pub(crate) fn column(&self, field: Field) -> Option<&[f64]> {
        match field {
            Field::Score => Some(&self.scores),
            Field::InputTokens => self.input_tokens.as_deref(),
            Field::OutputTokens => self.output_tokens.as_deref(),
            Field::CostUsd => self.cost_usd.as_deref(),
            Field::Propensity => self.propensities.as_deref(),
        }
    }
}

fn retain<T>(values: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    values.retain(|_| {
        *kept
            .next()
            .expect("all columns of a table are as long as its ids")
    });
}
