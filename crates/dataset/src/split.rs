use std::{collections::BTreeSet, path::Path};

use arrow_array::ArrayRef;
use arrow_schema::{DataType, Field as ArrowField};
use ndarray::{Array2, Axis};

use crate::{
    Error, Field, Result, column_name,
    columns::parse_column_name,
    table::{
        TableReader, TableWriter, check_unique_ids, f32_array, f64_array, schema, text_array,
        text_field, u32_array,
    },
};

/// Rows of `train.parquet` or `test.parquet`: prompts, and every LLM's score and cost on them.
///
/// ```text
/// id, task, prompt            string, not null; ids are unique
/// <model>/score               float32 in [0, 1]
/// <model>/input_tokens        uint32, where any LLM has them
/// <model>/output_tokens       uint32, where any LLM has them
/// <model>/cost_usd            float64
/// ```
///
/// In the matrices, of shape `(n_prompts, n_models)`, NaN stands for null.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// What names a prompt.
    pub ids: Vec<String>,
    /// The benchmark or family that a prompt belongs to.
    pub tasks: Vec<String>,
    /// What an LLM is asked.
    pub prompts: Vec<String>,
    /// The LLMs, in column order.
    pub models: Vec<String>,
    /// How good each answer was, in [0, 1].
    pub scores: Array2<f32>,
    /// Tokens of each prompt under each LLM's tokenizer.
    pub input_tokens: Option<Array2<f64>>,
    /// Tokens of each answer.
    pub output_tokens: Option<Array2<f64>>,
    /// What each call cost, in US dollars.
    pub cost_usd: Array2<f64>,
}

impl Split {
    /// Number of rows.
    pub fn n_prompts(&self) -> usize {
        self.ids.len()
    }

    /// Reads a whole split. Values are copied once, from the decoded Parquet pages to their place.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Parquet`] for the file; [`Error::MissingColumn`], [`Error::ColumnType`], [`Error::NullValue`],
    /// [`Error::OutOfRange`], [`Error::DuplicateId`] or [`Error::Empty`] for what it holds.
    pub fn read(path: &Path) -> Result<Self> {
        let reader = TableReader::open(path)?;
        let mut models = Vec::new();
        let mut fields = BTreeSet::new();
        for column in reader.schema().fields() {
            if let Some((model, field)) = parse_column_name(column.name()) {
                fields.insert(field);
                if field == Field::Score {
                    models.push(model.to_owned());
                }
            }
        }
        let (n_prompts, n_models) = (reader.n_rows(), models.len());
        if n_prompts == 0 {
            return Err(Error::Empty {
                path: path.to_owned(),
            });
        }
        let counts = |field| {
            fields
                .contains(&field)
                .then(|| Array2::from_elem((n_prompts, n_models), f64::NAN))
        };
        let mut split = Self {
            ids: Vec::with_capacity(n_prompts),
            tasks: Vec::with_capacity(n_prompts),
            prompts: Vec::with_capacity(n_prompts),
            scores: Array2::from_elem((n_prompts, n_models), f32::NAN),
            input_tokens: counts(Field::InputTokens),
            output_tokens: counts(Field::OutputTokens),
            cost_usd: Array2::from_elem((n_prompts, n_models), f64::NAN),
            models,
        };
        let names = split.column_names();
        for batch in reader.batches(&names.iter().map(String::as_str).collect::<Vec<_>>())? {
            let batch = batch?;
            batch.extend_text("id", &mut split.ids)?;
            batch.extend_text("task", &mut split.tasks)?;
            batch.extend_text("prompt", &mut split.prompts)?;
            let rows = batch.first_row..split.ids.len();
            for (m, model) in split.models.iter().enumerate() {
                let slice = ndarray::s![rows.clone(), m];
                batch.copy_f32(
                    &column_name(model, Field::Score),
                    split.scores.slice_mut(slice),
                )?;
                batch.copy_f64(
                    &column_name(model, Field::CostUsd),
                    split.cost_usd.slice_mut(slice),
                )?;
                if let Some(tokens) = &mut split.input_tokens {
                    batch.copy_f64(
                        &column_name(model, Field::InputTokens),
                        tokens.slice_mut(slice),
                    )?;
                }
                if let Some(tokens) = &mut split.output_tokens {
                    batch.copy_f64(
                        &column_name(model, Field::OutputTokens),
                        tokens.slice_mut(slice),
                    )?;
                }
            }
        }
        check_unique_ids(path, &split.ids)?;
        split.check_ranges(path)?;
        Ok(split)
    }

    /// Writes the split atomically.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Parquet`], or what [`Split::read`] would refuse.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut writer = SplitWriter::create(path, self)?;
        writer.write(self)?;
        writer.finish()?;
        Ok(())
    }

    /// Some of the rows, in the order asked for.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn select(&self, rows: &[usize]) -> Self {
        let texts = |all: &[String]| rows.iter().map(|&row| all[row].clone()).collect();
        let of = |all: &Array2<f64>| all.select(Axis(0), rows);
        Self {
            ids: texts(&self.ids),
            tasks: texts(&self.tasks),
            prompts: texts(&self.prompts),
            models: self.models.clone(),
            scores: self.scores.select(Axis(0), rows),
            input_tokens: self.input_tokens.as_ref().map(of),
            output_tokens: self.output_tokens.as_ref().map(of),
            cost_usd: of(&self.cost_usd),
        }
    }

    /// The split's columns in file order.
    fn column_names(&self) -> Vec<String> {
        let mut names = vec!["id".to_owned(), "task".to_owned(), "prompt".to_owned()];
        for model in &self.models {
            names.push(column_name(model, Field::Score));
            if self.input_tokens.is_some() {
                names.push(column_name(model, Field::InputTokens));
            }
            if self.output_tokens.is_some() {
                names.push(column_name(model, Field::OutputTokens));
            }
            names.push(column_name(model, Field::CostUsd));
        }
        names
    }

    fn check_ranges(&self, path: &Path) -> Result<()> {
        for (m, model) in self.models.iter().enumerate() {
            for (row, (&score, &cost)) in self
                .scores
                .column(m)
                .iter()
                .zip(self.cost_usd.column(m))
                .enumerate()
            {
                let refuse = |field, value, expected| Error::OutOfRange {
                    path: path.to_owned(),
                    column: column_name(model, field),
                    row: row + 1,
                    value,
                    expected,
                };
                if !(score.is_nan() || (0.0..=1.0).contains(&score)) {
                    return Err(refuse(Field::Score, f64::from(score), "a number in [0, 1]"));
                }
                if !(cost.is_nan() || (cost.is_finite() && cost >= 0.0)) {
                    return Err(refuse(
                        Field::CostUsd,
                        cost,
                        "a finite number of at least 0",
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_shapes(&self) -> Result<()> {
        let expected = (self.ids.len(), self.models.len());
        let shapes = [
            ("tasks", (self.tasks.len(), expected.1)),
            ("prompts", (self.prompts.len(), expected.1)),
            ("scores", self.scores.dim()),
            (
                "input tokens",
                self.input_tokens.as_ref().map_or(expected, Array2::dim),
            ),
            (
                "output tokens",
                self.output_tokens.as_ref().map_or(expected, Array2::dim),
            ),
            ("costs", self.cost_usd.dim()),
        ];
        match shapes.into_iter().find(|(_, shape)| *shape != expected) {
            Some((what, found)) => Err(Error::Shape {
                what,
                expected,
                found,
            }),
            None => Ok(()),
        }
    }
}

/// Writes a split piece by piece, for tables that should not sit in memory. Ids are not checked for doubles here.
pub struct SplitWriter {
    table: TableWriter,
    path: std::path::PathBuf,
}

impl SplitWriter {
    /// Opens the file; `like` says which LLMs and which token columns there are.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Parquet`].
    pub fn create(path: &Path, like: &Split) -> Result<Self> {
        let names = like.column_names();
        let fields = names.iter().map(|name| match parse_column_name(name) {
            None => text_field(name),
            Some((_, Field::Score)) => ArrowField::new(name, DataType::Float32, true),
            Some((_, Field::CostUsd)) => ArrowField::new(name, DataType::Float64, true),
            Some((_, Field::InputTokens | Field::OutputTokens)) => {
                ArrowField::new(name, DataType::UInt32, true)
            }
        });
        Ok(Self {
            table: TableWriter::create(path, schema(fields.collect()), &[])?,
            path: path.to_owned(),
        })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::OutOfRange`] for rows that no reader would take; [`Error::Parquet`] when writing fails.
    pub fn write(&mut self, rows: &Split) -> Result<()> {
        rows.check_shapes()?;
        rows.check_ranges(&self.path)?;
        let mut columns: Vec<ArrayRef> = vec![
            text_array(&rows.ids),
            text_array(&rows.tasks),
            text_array(&rows.prompts),
        ];
        for m in 0..rows.models.len() {
            columns.push(f32_array(rows.scores.column(m).iter().copied()));
            for tokens in [&rows.input_tokens, &rows.output_tokens]
                .into_iter()
                .flatten()
            {
                columns.push(u32_array(tokens.column(m).iter().copied()));
            }
            columns.push(f64_array(rows.cost_usd.column(m).iter().copied()));
        }
        self.table.write(columns)
    }

    /// Completes the file and gives it its name. Returns the number of rows.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Parquet`].
    pub fn finish(self) -> Result<usize> {
        self.table.finish()
    }
}
