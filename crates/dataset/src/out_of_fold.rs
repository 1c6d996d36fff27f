use std::path::Path;

use arrow_schema::{DataType, Field as ArrowField};
use ndarray::Array1;

use crate::{
    Error, MadeFrom, PerModel, Predictions, Result, SmallWins,
    model_columns::{self, check_shapes, table_schema},
    predictions::SMALL_WIN_PROBABILITY,
    table::{
        MAX_TEXT_BYTES, TableReader, TableWriter, f32_array, schema, text_array, text_blocks,
        text_field, u32_array,
    },
};

const FOLD: &str = "fold";

/// Predictions for every row of a data set, each by a router that was fitted without it: those of the train part first, then those of the test
/// part, each in its order.
///
/// ```text
/// the columns of predictions, and
/// fold    uint32: the fold in which a row was predicted; null where it was only trained on
/// ```
///
/// The router that predicted a row, and the LLM that it is compared with, were fitted on the rows of all other folds. Rows without a fold have
/// no prediction: those that came before all that was judged, where rows are judged in the order of their time.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfFold {
    /// What was predicted; NaN for rows without a fold.
    pub predictions: Predictions,
    /// The fold of each row, from 0.
    pub folds: Vec<Option<u32>>,
}

impl OutOfFold {
    /// Reads both kinds of predictions with their folds.
    ///
    /// # Errors
    /// As [`Predictions::read`]; [`Error::MissingColumn`] for predictions without folds, which are of a test part.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self {
            predictions: Predictions::read(path)?,
            folds: read_folds(path)?,
        })
    }

    /// Writes predictions, folds, and what they were made from, atomically.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Io`] or [`Error::Parquet`].
    pub fn write(&self, path: &Path, made_from: &MadeFrom) -> Result<()> {
        let n_rows = self.predictions.ids().len();
        check_shapes((n_rows, 1), [("folds", (self.folds.len(), 1))])?;
        match &self.predictions {
            Predictions::PerModel(per_model) => self.write_per_model(path, made_from, per_model),
            Predictions::SmallWins(wins) => self.write_small_wins(path, made_from, wins),
        }
    }

    fn write_per_model(&self, path: &Path, made_from: &MadeFrom, rows: &PerModel) -> Result<()> {
        rows.check_shapes()?;
        let values = rows.values();
        let columns = table_schema(&["id"], &rows.models, &values);
        let mut fields: Vec<ArrowField> =
            columns.fields().iter().map(|it| (**it).clone()).collect();
        fields.push(fold_field());
        let mut table = TableWriter::create(path, schema(fields), &[])?;
        let texts = [("id", &rows.ids[..])];
        for block in text_blocks(path, &texts, MAX_TEXT_BYTES)? {
            let mut columns =
                model_columns::columns(&texts, rows.models.len(), &values, block.clone());
            columns.push(u32_array(numbers(&self.folds[block])));
            table.write(columns)?;
        }
        made_from.add_to(&mut table);
        table.finish()?;
        Ok(())
    }

    fn write_small_wins(&self, path: &Path, made_from: &MadeFrom, rows: &SmallWins) -> Result<()> {
        let n_rows = rows.ids.len();
        check_shapes(
            (n_rows, 1),
            [("probabilities", (rows.probability.len(), 1))],
        )?;
        let fields = vec![
            text_field("id"),
            ArrowField::new(SMALL_WIN_PROBABILITY, DataType::Float32, true),
            fold_field(),
        ];
        let mut table = TableWriter::create(path, schema(fields), &[])?;
        for block in text_blocks(path, &[("id", &rows.ids)], MAX_TEXT_BYTES)? {
            let probability = rows.probability.slice(ndarray::s![block.clone()]);
            table.write(vec![
                text_array(&rows.ids[block.clone()]),
                f32_array(probability.iter().copied()),
                u32_array(numbers(&self.folds[block])),
            ])?;
        }
        made_from.add_to(&mut table);
        table.finish()?;
        Ok(())
    }
}

/// The fold of each row of a table that has them.
pub(crate) fn read_folds(path: &Path) -> Result<Vec<Option<u32>>> {
    let reader = TableReader::open_filled(path)?;
    reader.check_size(size_of::<f64>() + size_of::<Option<u32>>())?;
    let mut folds = Array1::from_elem(reader.n_rows(), f64::NAN);
    for batch in reader.batches(&[FOLD])? {
        let batch = batch?;
        let rows = batch.first_row..batch.first_row + batch.n_rows();
        batch.copy_f64(FOLD, folds.slice_mut(ndarray::s![rows]))?;
    }
    let folds = (1..).zip(&folds);
    folds
        .map(|(row, &fold)| fold_number(path, row, fold))
        .collect()
}

pub(crate) fn fold_field() -> ArrowField {
    ArrowField::new(FOLD, DataType::UInt32, true)
}

pub(crate) fn numbers(folds: &[Option<u32>]) -> impl Iterator<Item = f64> {
    folds.iter().map(|fold| fold.map_or(f64::NAN, f64::from))
}

/// A fold as its column has it; NaN is null.
fn fold_number(path: &Path, row: usize, fold: f64) -> Result<Option<u32>> {
    if fold.is_nan() {
        return Ok(None);
    }
    let number = fold as u32;
    if f64::from(number) == fold {
        return Ok(Some(number));
    }
    Err(Error::OutOfRange {
        path: path.to_owned(),
        column: FOLD.to_owned(),
        row,
        value: fold,
        expected: "a whole number of at least 0",
    })
}
