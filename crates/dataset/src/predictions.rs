use std::path::{Path, PathBuf};

use arrow_schema::{DataType, Field as ArrowField};
use ndarray::{Array1, Array2};

use crate::{
    Error, Field, Result, Split, column_name,
    columns::parse_column_name,
    embeddings::check_same_ids,
    table::{TableReader, TableWriter, f32_array, f64_array, schema, text_array, text_field},
};

const SMALL_WIN_PROBABILITY: &str = "small_win_probability";

/// What a router predicted for each test prompt.
#[derive(Debug, Clone, PartialEq)]
pub enum Predictions {
    /// Score and cost of every LLM.
    PerModel(PerModel),
    /// Whether the small LLM of the pair is good enough.
    SmallWins(SmallWins),
}

/// Predicted score and cost of every LLM; matrices have shape `(n_prompts, n_models)`.
///
/// ```text
/// id                       string, not null
/// <model>/score            float32
/// <model>/output_tokens    float32, where output tokens are what was predicted
/// <model>/cost_usd         float64
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PerModel {
    /// The prompts' ids, in the split's order.
    pub ids: Vec<String>,
    /// The LLMs, in column order.
    pub models: Vec<String>,
    /// Expected scores.
    pub scores: Array2<f32>,
    /// Expected output tokens.
    pub output_tokens: Option<Array2<f32>>,
    /// Expected costs in US dollars.
    pub cost_usd: Array2<f64>,
}

/// Predictions of a binary router.
///
/// ```text
/// id                       string, not null
/// small_win_probability    float32
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SmallWins {
    /// The prompts' ids, in the split's order.
    pub ids: Vec<String>,
    /// Probability that the small LLM is good enough.
    pub probability: Array1<f32>,
}

impl Predictions {
    /// Reads either kind; the columns tell which.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Parquet`] for the file; [`Error::MissingColumn`], [`Error::ColumnType`] or [`Error::Empty`] for what it
    /// holds.
    pub fn read(path: &Path) -> Result<Self> {
        let reader = TableReader::open(path)?;
        if reader.n_rows() == 0 {
            return Err(Error::Empty {
                path: path.to_owned(),
            });
        }
        if reader.has(SMALL_WIN_PROBABILITY) {
            SmallWins::read(reader).map(Self::SmallWins)
        } else {
            PerModel::read(reader).map(Self::PerModel)
        }
    }

    /// Writes the predictions atomically.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Io`] or [`Error::Parquet`].
    pub fn write(&self, path: &Path) -> Result<()> {
        match self {
            Self::PerModel(per_model) => {
                let mut writer = PredictionsWriter::create(path, per_model)?;
                writer.write(per_model)?;
                writer.finish()?;
            }
            Self::SmallWins(wins) => {
                let expected = (wins.ids.len(), 1);
                if wins.probability.len() != wins.ids.len() {
                    return Err(Error::Shape {
                        what: "probabilities",
                        expected,
                        found: (wins.probability.len(), 1),
                    });
                }
                let fields = vec![
                    text_field("id"),
                    ArrowField::new(SMALL_WIN_PROBABILITY, DataType::Float32, true),
                ];
                let mut table = TableWriter::create(path, schema(fields), &[])?;
                table.write(vec![
                    text_array(&wins.ids),
                    f32_array(wins.probability.iter().copied()),
                ])?;
                table.finish()?;
            }
        }
        Ok(())
    }

    /// The prompts' ids.
    pub fn ids(&self) -> &[String] {
        match self {
            Self::PerModel(per_model) => &per_model.ids,
            Self::SmallWins(wins) => &wins.ids,
        }
    }

    /// Refuses predictions for other prompts or other LLMs than the split's.
    ///
    /// # Errors
    /// [`Error::Mismatch`], which names what differs first.
    pub fn check_fits(&self, path: &Path, split_path: &Path, split: &Split) -> Result<()> {
        check_same_ids((path, self.ids()), (split_path, &split.ids))?;
        match self {
            Self::PerModel(per_model) if per_model.models != split.models => Err(Error::Mismatch {
                path: path.to_owned(),
                other: split_path.to_owned(),
                what: format!(
                    "models {:?} instead of {:?}",
                    per_model.models, split.models
                ),
            }),
            _ => Ok(()),
        }
    }
}

impl PerModel {
    fn read(reader: TableReader) -> Result<Self> {
        let columns = reader
            .schema()
            .fields()
            .iter()
            .filter_map(|column| parse_column_name(column.name()));
        let (mut models, mut has_tokens) = (Vec::new(), false);
        for (model, field) in columns {
            match field {
                Field::Score => models.push(model.to_owned()),
                Field::OutputTokens => has_tokens = true,
                Field::InputTokens | Field::CostUsd => {}
            }
        }
        if models.is_empty() {
            return Err(Error::MissingColumn {
                path: reader.path().to_owned(),
                column: "<model>/score".to_owned(),
            });
        }
        let shape = (reader.n_rows(), models.len());
        let mut this = Self {
            ids: Vec::with_capacity(shape.0),
            models,
            scores: Array2::from_elem(shape, f32::NAN),
            output_tokens: has_tokens.then(|| Array2::from_elem(shape, f32::NAN)),
            cost_usd: Array2::from_elem(shape, f64::NAN),
        };
        let names = this.column_names();
        for batch in reader.batches(&names.iter().map(String::as_str).collect::<Vec<_>>())? {
            let batch = batch?;
            batch.extend_text("id", &mut this.ids)?;
            let rows = batch.first_row..this.ids.len();
            for (m, model) in this.models.iter().enumerate() {
                let slice = ndarray::s![rows.clone(), m];
                batch.copy_f32(
                    &column_name(model, Field::Score),
                    this.scores.slice_mut(slice),
                )?;
                batch.copy_f64(
                    &column_name(model, Field::CostUsd),
                    this.cost_usd.slice_mut(slice),
                )?;
                if let Some(tokens) = &mut this.output_tokens {
                    batch.copy_f32(
                        &column_name(model, Field::OutputTokens),
                        tokens.slice_mut(slice),
                    )?;
                }
            }
        }
        Ok(this)
    }

    fn column_names(&self) -> Vec<String> {
        let mut names = vec!["id".to_owned()];
        for model in &self.models {
            names.push(column_name(model, Field::Score));
            if self.output_tokens.is_some() {
                names.push(column_name(model, Field::OutputTokens));
            }
            names.push(column_name(model, Field::CostUsd));
        }
        names
    }
}

impl SmallWins {
    fn read(reader: TableReader) -> Result<Self> {
        let mut ids = Vec::with_capacity(reader.n_rows());
        let mut probability = Array1::from_elem(reader.n_rows(), f32::NAN);
        for batch in reader.batches(&["id", SMALL_WIN_PROBABILITY])? {
            let batch = batch?;
            batch.extend_text("id", &mut ids)?;
            let rows = batch.first_row..ids.len();
            batch.copy_f32(
                SMALL_WIN_PROBABILITY,
                probability.slice_mut(ndarray::s![rows]),
            )?;
        }
        Ok(Self { ids, probability })
    }
}

/// Writes per-LLM predictions piece by piece, for tables that should not sit in memory.
pub struct PredictionsWriter {
    table: TableWriter,
    path: PathBuf,
}

impl PredictionsWriter {
    /// Opens the file; `like` says which LLMs there are, and whether output tokens are predicted.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Parquet`].
    pub fn create(path: &Path, like: &PerModel) -> Result<Self> {
        let names = like.column_names();
        let fields = names.iter().map(|name| match parse_column_name(name) {
            None => text_field(name),
            Some((_, Field::CostUsd)) => ArrowField::new(name, DataType::Float64, true),
            Some(_) => ArrowField::new(name, DataType::Float32, true),
        });
        Ok(Self {
            table: TableWriter::create(path, schema(fields.collect()), &[])?,
            path: path.to_owned(),
        })
    }

    /// Where the file will stand.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends rows.
    ///
    /// # Errors
    /// [`Error::Shape`] when a matrix does not fit; [`Error::Parquet`] when writing fails.
    pub fn write(&mut self, rows: &PerModel) -> Result<()> {
        let expected = (rows.ids.len(), rows.models.len());
        let shapes = [
            ("predicted scores", rows.scores.dim()),
            (
                "predicted output tokens",
                rows.output_tokens.as_ref().map_or(expected, Array2::dim),
            ),
            ("predicted costs", rows.cost_usd.dim()),
        ];
        if let Some((what, found)) = shapes.into_iter().find(|(_, shape)| *shape != expected) {
            return Err(Error::Shape {
                what,
                expected,
                found,
            });
        }
        let mut columns = vec![text_array(&rows.ids)];
        for m in 0..rows.models.len() {
            columns.push(f32_array(rows.scores.column(m).iter().copied()));
            if let Some(tokens) = &rows.output_tokens {
                columns.push(f32_array(tokens.column(m).iter().copied()));
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
