use std::path::{Path, PathBuf};

use arrow_schema::{DataType, Field as ArrowField};
use ndarray::{Array1, Array2, Axis};

use crate::{
    Error, Field, MadeFrom, PartTable, Result,
    embeddings::check_same_ids,
    model_columns::{self, Place, Values, table_schema},
    table::{
        MAX_TEXT_BYTES, TableReader, TableWriter, f32_array, schema, text_array, text_blocks,
        text_field,
    },
};

pub(crate) const SMALL_WIN_PROBABILITY: &str = "small_win_probability";

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
    /// Reads either kind, which the columns decide.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Table`] or [`Error::OverBudget`] for the file; [`Error::MissingColumn`],
    /// [`Error::Table`] (a column of another type, or two of one name) or [`Error::Empty`] for what it holds.
    pub fn read(path: &Path) -> Result<Self> {
        let reader = TableReader::open_filled(path)?;
        // The columns decide, not the router's name: users bring predictions of routers that this workspace has never heard of.
        if reader.has(SMALL_WIN_PROBABILITY) {
            SmallWins::read(reader).map(Self::SmallWins)
        } else {
            PerModel::read(reader).map(Self::PerModel)
        }
    }

    /// Reads only what the predictions were made from; `None` where the file does not say it, as files of older versions do not.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Table`].
    pub fn read_made_from(path: &Path) -> Result<Option<MadeFrom>> {
        Ok(MadeFrom::of_file(&TableReader::open(path)?))
    }

    /// Writes the predictions, and what they were made from, atomically.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Io`] or [`Error::Parquet`].
    pub fn write(&self, path: &Path, made_from: &MadeFrom) -> Result<()> {
        match self {
            Self::PerModel(per_model) => {
                let mut writer = PredictionsWriter::create(path, per_model)?;
                writer.write(per_model)?;
                writer.finish(made_from)?;
            }
            Self::SmallWins(wins) => {
                model_columns::check_shapes(
                    (wins.ids.len(), 1),
                    [("probabilities", (wins.probability.len(), 1))],
                )?;
                let fields = vec![
                    text_field("id"),
                    ArrowField::new(SMALL_WIN_PROBABILITY, DataType::Float32, true),
                ];
                let mut table = TableWriter::create(path, schema(fields), &[])?;
                for rows in text_blocks(path, &[("id", &wins.ids)], MAX_TEXT_BYTES)? {
                    let probability = wins.probability.slice(ndarray::s![rows.clone()]);
                    table.write(vec![
                        text_array(&wins.ids[rows]),
                        f32_array(probability.iter().copied()),
                    ])?;
                }
                made_from.add_to(&mut table);
                table.finish()?;
            }
        }
        Ok(())
    }

    /// The predictions for some of the prompts, in the order asked for.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn select(&self, rows: &[usize]) -> Self {
        let ids = rows.iter().map(|&row| self.ids()[row].clone()).collect();
        match self {
            Self::PerModel(all) => Self::PerModel(PerModel {
                ids,
                models: all.models.clone(),
                scores: all.scores.select(Axis(0), rows),
                output_tokens: (all.output_tokens.as_ref())
                    .map(|tokens| tokens.select(Axis(0), rows)),
                cost_usd: all.cost_usd.select(Axis(0), rows),
            }),
            Self::SmallWins(all) => Self::SmallWins(SmallWins {
                ids,
                probability: all.probability.select(Axis(0), rows),
            }),
        }
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
    pub fn check_fits(&self, path: &Path, split_path: &Path, split: &PartTable) -> Result<()> {
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
        let found = model_columns::find(&reader)?;
        found.check_has_models(&reader)?;
        found.check_size(&reader, 1)?;
        let shape = (reader.n_rows(), found.models.len());
        let has_tokens = found.fields.contains(&Field::OutputTokens);
        let mut this = Self {
            ids: Vec::with_capacity(shape.0),
            models: found.models,
            scores: Array2::from_elem(shape, f32::NAN),
            output_tokens: has_tokens.then(|| Array2::from_elem(shape, f32::NAN)),
            cost_usd: Array2::from_elem(shape, f64::NAN),
        };
        let mut places = vec![(Field::Score, Place::F32(&mut this.scores))];
        let tokens = this.output_tokens.as_mut();
        places.extend(tokens.map(|tokens| (Field::OutputTokens, Place::F32(tokens))));
        places.push((Field::CostUsd, Place::F64(&mut this.cost_usd)));
        model_columns::read(
            reader,
            &mut [("id", &mut this.ids)],
            &this.models,
            &mut places,
        )?;
        Ok(this)
    }

    /// Refuses matrices of different shapes.
    pub(crate) fn check_shapes(&self) -> Result<()> {
        let expected = (self.ids.len(), self.models.len());
        let shapes = [
            ("predicted scores", self.scores.dim()),
            (
                "predicted output tokens",
                self.output_tokens.as_ref().map_or(expected, Array2::dim),
            ),
            ("predicted costs", self.cost_usd.dim()),
        ];
        model_columns::check_shapes(expected, shapes)
    }

    /// The matrices with their fields, in file order.
    pub(crate) fn values(&self) -> Vec<(Field, Values<'_>)> {
        let mut values = vec![(Field::Score, Values::F32(&self.scores))];
        let tokens = self.output_tokens.as_ref();
        values.extend(tokens.map(|tokens| (Field::OutputTokens, Values::F32(tokens))));
        values.push((Field::CostUsd, Values::F64(&self.cost_usd)));
        values
    }
}

impl SmallWins {
    fn read(reader: TableReader) -> Result<Self> {
        reader.check_size(size_of::<String>() + size_of::<f32>())?;
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
        let schema = table_schema(&["id"], &like.models, &like.values());
        Ok(Self {
            table: TableWriter::create(path, schema, &[])?,
            path: path.to_owned(),
        })
    }

    /// The path that the finished file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends rows.
    ///
    /// # Errors
    /// [`Error::Shape`] when a matrix does not fit; [`Error::Parquet`] when writing fails.
    pub fn write(&mut self, rows: &PerModel) -> Result<()> {
        rows.check_shapes()?;
        let texts = [("id", &rows.ids[..])];
        model_columns::write(&mut self.table, &texts, rows.models.len(), &rows.values())
    }

    /// Adds what the predictions were made from, completes the file and gives it its name. Returns the number of rows.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Parquet`].
    pub fn finish(mut self, made_from: &MadeFrom) -> Result<usize> {
        made_from.add_to(&mut self.table);
        self.table.finish()
    }
}
