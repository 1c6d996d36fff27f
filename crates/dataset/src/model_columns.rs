//! The typed columns of a table with some text columns and several fields for each LLM. Splits, predictions and tables of scores share it:
//! each says which matrices it has, and this module knows their order in the file, their types, and how null becomes NaN and back.

use std::{collections::BTreeSet, ops::Range, path::Path};

use arrow_array::ArrayRef;
use arrow_schema::{DataType, Field as ArrowField, SchemaRef};
use ndarray::{Array2, s};

use crate::{
    Error, Field, Result, check_model_name, column_name,
    columns::{numbered, parse_column_name},
    table::{
        MAX_TEXT_BYTES, TableReader, TableWriter, f32_array, f64_array, schema, text_array,
        text_blocks, text_field, u32_array,
    },
};

/// The LLMs of a table and the fields that at least one of them has.
pub(crate) struct Found {
    /// In column order.
    pub(crate) models: Vec<String>,
    pub(crate) fields: BTreeSet<Field>,
}

/// A field's values, of shape `(n_prompts, n_models)`, and the type of its columns on disk.
#[derive(Clone, Copy)]
pub(crate) enum Values<'a> {
    /// float32.
    F32(&'a Array2<f32>),
    /// float64.
    F64(&'a Array2<f64>),
    /// uint32.
    Counts(&'a Array2<f64>),
}

/// Where the values of a field go.
pub(crate) enum Place<'a> {
    /// From float32.
    F32(&'a mut Array2<f32>),
    /// From float64 or uint32.
    F64(&'a mut Array2<f64>),
}

/// Which LLMs have scores, and which fields there are.
///
/// # Errors
/// [`Error::ModelName`].
pub(crate) fn find(reader: &TableReader) -> Result<Found> {
    let (mut models, mut fields) = (Vec::new(), BTreeSet::new());
    for column in reader.schema().fields() {
        if let Some((model, field)) = parse_column_name(column.name()) {
            fields.insert(field);
            // An LLM is one that has scores: tables of other sources carry costs or tokens of models that were never judged.
            if field == Field::Score {
                check_model_name(reader.path(), model)?;
                models.push(model.to_owned());
            }
        }
    }
    Ok(Found { models, fields })
}

impl Found {
    /// Refuses a table without a score of any LLM.
    pub(crate) fn check_has_models(&self, reader: &TableReader) -> Result<()> {
        if self.models.is_empty() {
            return Err(Error::MissingColumn {
                path: reader.path().to_owned(),
                column: column_name("<model>", Field::Score),
            });
        }
        Ok(())
    }

    /// Refuses a table whose texts and matrices would take more than the memory budget.
    pub(crate) fn check_size(&self, reader: &TableReader, n_texts: usize) -> Result<()> {
        // Eight bytes for each number that the file has: some are kept as four, and none as more.
        let per_model = self.fields.len() * size_of::<f64>();
        reader.check_size(n_texts * size_of::<String>() + self.models.len() * per_model)
    }

    /// Unknown values of shape `(n_rows, n_models)` to read a field into, if any LLM has it.
    pub(crate) fn unknown(&self, field: Field, n_rows: usize) -> Option<Array2<f64>> {
        let has_it = self.fields.contains(&field);
        has_it.then(|| Array2::from_elem((n_rows, self.models.len()), f64::NAN))
    }
}

/// The places of the fields that the table has.
pub(crate) fn known_places<'a, const N: usize>(
    fields: [(Field, &'a mut Option<Array2<f64>>); N],
) -> impl Iterator<Item = (Field, Place<'a>)> {
    let known = |(field, values): (Field, &'a mut Option<Array2<f64>>)| {
        values.as_mut().map(|values| (field, Place::F64(values)))
    };
    fields.into_iter().filter_map(known)
}

/// Refuses matrices of another shape than the table around them.
///
/// # Errors
/// [`Error::Shape`] with the first such matrix.
pub(crate) fn check_shapes<const N: usize>(
    expected: (usize, usize),
    shapes: [(&'static str, (usize, usize)); N],
) -> Result<()> {
    match shapes.into_iter().find(|(_, shape)| *shape != expected) {
        None => Ok(()),
        Some((what, found)) => Err(Error::Shape {
            what,
            expected,
            found,
        }),
    }
}

/// Refuses values outside the range of their field. LLM by LLM, so that the first error is that of the first column in the file.
///
/// # Errors
/// [`Error::OutOfRange`].
pub(crate) fn check_ranges(
    path: &Path,
    models: &[String],
    values: &[(Field, Values<'_>)],
) -> Result<()> {
    for (m, model) in models.iter().enumerate() {
        for (field, values) in values {
            match values {
                Values::F32(values) => {
                    let column = values.column(m);
                    let column = column.iter().copied().map(f64::from);
                    field.check_range(path, model, numbered(column))?;
                }
                Values::F64(values) | Values::Counts(values) => {
                    let column = values.column(m);
                    field.check_range(path, model, numbered(column.iter().copied()))?;
                }
            }
        }
    }
    Ok(())
}

/// A table's columns in file order: the texts, then the fields of the first LLM, those of the second, and so on.
fn names(texts: &[&str], models: &[String], fields: &[Field]) -> Vec<String> {
    let of_models = models
        .iter()
        .flat_map(|model| fields.iter().map(|&field| column_name(model, field)));
    let texts = texts.iter().map(|&text| text.to_owned());
    texts.chain(of_models).collect()
}

/// The schema of a table; numbers may be null, texts may not.
pub(crate) fn table_schema(
    texts: &[&str],
    models: &[String],
    values: &[(Field, Values<'_>)],
) -> SchemaRef {
    let fields: Vec<Field> = values.iter().map(|&(field, _)| field).collect();
    // Numbers may be null, whatever their field: an LLM that was not asked has no score, and 0 would be a wrong answer.
    let types = values.iter().map(|(_, values)| match values {
        Values::F32(_) => DataType::Float32,
        Values::F64(_) => DataType::Float64,
        Values::Counts(_) => DataType::UInt32,
    });
    let names = names(texts, models, &fields);
    let (texts, numbers) = names.split_at(texts.len());
    let mut columns: Vec<ArrowField> = texts.iter().map(|name| text_field(name)).collect();
    columns.extend(
        (numbers.iter().zip(types.cycle())).map(|(name, ty)| ArrowField::new(name, ty, true)),
    );
    schema(columns)
}

/// Appends rows, their columns in the order of [`table_schema`], in as many batches as their texts need.
///
/// # Errors
/// [`Error::LongText`], [`Error::Arrow`] or [`Error::Parquet`].
pub(crate) fn write(
    table: &mut TableWriter,
    texts: &[(&str, &[String])],
    n_models: usize,
    values: &[(Field, Values<'_>)],
) -> Result<()> {
    write_in_blocks(table, texts, n_models, values, MAX_TEXT_BYTES)
}

fn write_in_blocks(
    table: &mut TableWriter,
    texts: &[(&str, &[String])],
    n_models: usize,
    values: &[(Field, Values<'_>)],
    max_text_bytes: usize,
) -> Result<()> {
    for rows in text_blocks(table.path(), texts, max_text_bytes)? {
        table.write(columns(texts, n_models, values, rows))?;
    }
    Ok(())
}

/// The columns of some rows, in the order of [`table_schema`].
pub(crate) fn columns(
    texts: &[(&str, &[String])],
    n_models: usize,
    values: &[(Field, Values<'_>)],
    rows: Range<usize>,
) -> Vec<ArrayRef> {
    let of_rows = |(_, text): &(&str, &[String])| text_array(&text[rows.clone()]);
    let mut columns: Vec<ArrayRef> = texts.iter().map(of_rows).collect();
    for m in 0..n_models {
        let column = s![rows.clone(), m];
        columns.extend(values.iter().map(|(_, values)| match values {
            Values::F32(values) => f32_array(values.slice(column).iter().copied()),
            Values::F64(values) => f64_array(values.slice(column).iter().copied()),
            Values::Counts(values) => u32_array(values.slice(column).iter().copied()),
        }));
    }
    columns
}

/// Reads texts and matrices. Each value is copied once, from its decoded page to its place.
///
/// # Errors
/// [`Error::MissingColumn`], [`Error::Table`] or [`Error::NullValue`] for a column that is not as its place needs it.
pub(crate) fn read(
    reader: TableReader,
    texts: &mut [(&str, &mut Vec<String>)],
    models: &[String],
    places: &mut [(Field, Place<'_>)],
) -> Result<()> {
    let fields: Vec<Field> = places.iter().map(|&(field, _)| field).collect();
    let text_names: Vec<&str> = texts.iter().map(|&(name, _)| name).collect();
    let names = names(&text_names, models, &fields);
    for batch in reader.batches(&names.iter().map(String::as_str).collect::<Vec<_>>())? {
        let batch = batch?;
        for (name, text) in texts.iter_mut() {
            batch.extend_text(name, text)?;
        }
        let rows = batch.first_row..batch.first_row + batch.n_rows();
        for (m, model) in models.iter().enumerate() {
            // Straight into the matrix: a table of RouterBench's size has 10^6 numbers, and a vector per column would double the memory.
            let slice = s![rows.clone(), m];
            for (field, place) in places.iter_mut() {
                let name = column_name(model, *field);
                match place {
                    Place::F32(values) => batch.copy_f32(&name, values.slice_mut(slice))?,
                    Place::F64(values) => batch.copy_f64(&name, values.slice_mut(slice))?,
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PartTable;

    /// `expected` is where each block ends.
    fn check_blocks(texts: &[&str], max_bytes: usize, expected: &[usize]) {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        let ids: Vec<String> = texts.iter().map(|_| "i".to_owned()).collect();
        let columns = [("id", &ids[..]), ("prompt", &texts)];
        let found = text_blocks(Path::new("t"), &columns, max_bytes).expect("short texts");
        let ends: Vec<usize> = found.iter().map(|rows| rows.end).collect();
        assert_eq!(ends, expected, "{texts:?}");
        let starts = found.iter().map(|rows| rows.start);
        assert!(starts.eq([0].into_iter().chain(ends).take(found.len())));
    }

    #[test]
    fn blocks_hold_no_more_text_than_allowed() {
        check_blocks(&[], 4, &[]);
        check_blocks(&["ab", "c"], 4, &[2]);
        check_blocks(&["abcd", "e", "fgh", "i"], 4, &[1, 3, 4]);
        check_blocks(&["a long one", "b", "another"], 4, &[1, 2, 3]);
        check_blocks(&["", "", "", "", ""], 4, &[4, 5]);
    }

    #[test]
    fn rows_are_the_same_however_many_blocks_they_are_written_in() {
        let n = 50;
        let prompts: Vec<String> = (0..n).map(|row| "x".repeat(row % 7)).collect();
        let ids: Vec<String> = (0..n).map(|row| row.to_string()).collect();
        let models = ["m".to_owned(), "n".to_owned()];
        let scores = Array2::from_shape_fn((n, 2), |(i, m)| ((i + m) % 4) as f32 / 4.0);
        let costs = Array2::from_shape_fn((n, 2), |(i, m)| (i * 2 + m) as f64);
        let values = [
            (Field::Score, Values::F32(&scores)),
            (Field::CostUsd, Values::F64(&costs)),
        ];
        let folder = tempfile::tempdir().expect("a temporary folder");
        let read = |max_text_bytes| {
            let path = folder.path().join(format!("{max_text_bytes}.parquet"));
            let names = ["id", "task", "prompt"];
            let schema = table_schema(&names, &models, &values);
            let mut table = TableWriter::create(&path, schema, &[]).expect("created");
            let texts = [("id", &ids[..]), ("task", &ids), ("prompt", &prompts)];
            write_in_blocks(&mut table, &texts, 2, &values, max_text_bytes).expect("written");
            assert_eq!(table.finish().expect("written"), n);
            PartTable::read(&path).expect("read")
        };
        let whole = read(MAX_TEXT_BYTES);
        assert_eq!((&whole.prompts, &whole.scores), (&prompts, &scores));
        for max_text_bytes in [1, 5, 20] {
            assert_eq!(read(max_text_bytes), whole, "{max_text_bytes} bytes");
        }
    }
}
