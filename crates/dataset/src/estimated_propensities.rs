use std::path::Path;

use arrow_schema::Field as ArrowField;
use ndarray::{Array2, s};
use serde_json::Value;

use crate::{
    DatasetDir, DatasetInfo, Error, Field, MadeFrom, Part, PartHashes, PartTable, Result,
    TablePropensities,
    columns::parse_column_name,
    embeddings::check_same_ids,
    model_columns::{self, Place, Values, check_shapes, table_schema},
    out_of_fold::{fold_field, numbers, read_folds},
    table::{
        MAX_TEXT_BYTES, TableReader, TableWriter, check_unique_ids, schema, text_blocks, u32_array,
    },
};

/// The key of [`EstimatedPropensities::fit`].
const FIT: &str = "carrot.propensity-fit";

/// With which probability a log's policy asked each LLM, where the log does not say it: one file for all that judge by the data set. Rows of the
/// train part come first, then those of the test part, each in its order.
///
/// ```text
/// id                    string, not null
/// <model>/propensity    float64 in (0, 1]
/// fold                  uint32: the fold in which a row was predicted; null where it was only trained on
/// carrot.propensity-fit in the footer: a JSON object with the settings of the fits and what they chose
/// ```
///
/// Each row is estimated by a fit to the rows of the other folds, so that whom a row was asked of is not in its own estimate. In which rows that
/// is an honest number, and what it takes for granted, is for whoever judges by it to say.
#[derive(Debug, Clone, PartialEq)]
pub struct EstimatedPropensities {
    /// The prompts of both parts.
    pub ids: Vec<String>,
    /// The LLMs, in column order.
    pub models: Vec<String>,
    /// The probabilities, shape `(n_prompts, n_models)`.
    pub values: Array2<f64>,
    /// The fold of each row, from 0.
    pub folds: Vec<Option<u32>>,
    /// How they were estimated.
    pub fit: Value,
}

impl EstimatedPropensities {
    /// Those of a data set, if there are any and they were made from its parts as they are.
    ///
    /// # Errors
    /// As for [`EstimatedPropensities::read`]; [`Error::Io`] for a part that cannot be read.
    pub fn of_dataset(dir: &DatasetDir, info: &DatasetInfo) -> Result<Option<Self>> {
        let path = dir.propensities();
        if !path.is_file() {
            return Ok(None);
        }
        let hashes = match &info.part_sha256 {
            Some(hashes) => hashes.clone(),
            None => PartHashes::of(dir)?,
        };
        let made_from = Self::read_made_from(&path)?;
        let is_fresh = made_from.is_some_and(|it| {
            it.split_sha256 == hashes.test && it.train_sha256.as_ref() == Some(&hashes.train)
        });
        is_fresh.then(|| Self::read(&path)).transpose()
    }

    /// Reads only what they were made from; `None` where the file does not say it.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Table`].
    pub fn read_made_from(path: &Path) -> Result<Option<MadeFrom>> {
        Ok(MadeFrom::of_file(&TableReader::open(path)?))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Table`] or [`Error::OverBudget`] for the file; [`Error::MissingColumn`], [`Error::NullValue`], [`Error::OutOfRange`],
    /// [`Error::DuplicateId`], [`Error::Empty`] or [`Error::Json`] for what it holds.
    pub fn read(path: &Path) -> Result<Self> {
        let reader = TableReader::open_filled(path)?;
        let of_model = |column: &String| match parse_column_name(column) {
            Some((model, Field::Propensity)) => Some(model.to_owned()),
            _ => None,
        };
        let columns = reader.schema().fields().iter();
        let models: Vec<String> = columns.filter_map(|it| of_model(it.name())).collect();
        reader.check_size(size_of::<String>() + models.len() * size_of::<f64>())?;
        let fit = match reader.key_value(FIT) {
            Some(text) => serde_json::from_str(text).map_err(Error::json(path))?,
            None => Value::Null,
        };
        let mut ids = Vec::with_capacity(reader.n_rows());
        let mut values = Array2::from_elem((reader.n_rows(), models.len()), f64::NAN);
        model_columns::read(
            reader,
            &mut [("id", &mut ids)],
            &models,
            &mut [(Field::Propensity, Place::F64(&mut values))],
        )?;
        check_unique_ids(path, &ids)?;
        model_columns::check_ranges(path, &models, &[(Field::Propensity, Values::F64(&values))])?;
        Ok(Self {
            folds: read_folds(path)?,
            ids,
            models,
            values,
            fit,
        })
    }

    /// Writes them, and what they were made from, atomically.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::OutOfRange`], [`Error::Io`] or [`Error::Parquet`].
    pub fn write(&self, path: &Path, made_from: &MadeFrom) -> Result<()> {
        let n_rows = self.ids.len();
        check_shapes((n_rows, 1), [("folds", (self.folds.len(), 1))])?;
        let expected = (n_rows, self.models.len());
        check_shapes(expected, [("propensities", self.values.dim())])?;
        let values = [(Field::Propensity, Values::F64(&self.values))];
        model_columns::check_ranges(path, &self.models, &values)?;
        let columns = table_schema(&["id"], &self.models, &values);
        let mut fields: Vec<ArrowField> =
            columns.fields().iter().map(|it| (**it).clone()).collect();
        fields.push(fold_field());
        let mut table = TableWriter::create(path, schema(fields), &[])?;
        let texts = [("id", &self.ids[..])];
        for block in text_blocks(path, &texts, MAX_TEXT_BYTES)? {
            let mut columns =
                model_columns::columns(&texts, self.models.len(), &values, block.clone());
            columns.push(u32_array(numbers(&self.folds[block])));
            table.write(columns)?;
        }
        table.add_key_value(FIT, self.fit.to_string());
        made_from.add_to(&mut table);
        table.finish()?;
        Ok(())
    }

    /// Those of a part.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for other prompts or LLMs than the part's.
    pub(crate) fn of_part(
        &self,
        dir: &DatasetDir,
        part: Part,
        table: &PartTable,
    ) -> Result<TablePropensities> {
        let (path, split) = (dir.propensities(), dir.split(part));
        let n_others = self.ids.len().saturating_sub(table.n_prompts());
        let rows = match part {
            Part::Train => 0..self.ids.len() - n_others,
            Part::Test => n_others..self.ids.len(),
        };
        check_same_ids((&path, &self.ids[rows.clone()]), (&split, &table.ids))?;
        if self.models != table.models {
            return Err(Error::Mismatch {
                path,
                other: split,
                what: format!("LLMs {:?} instead of {:?}", self.models, table.models),
            });
        }
        let values = self.values.slice(s![rows, ..]).to_owned();
        Ok(TablePropensities::estimated(values))
    }
}
