use std::{collections::HashSet, path::Path};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};
use untrusted_files::Budget;

use super::ParquetFile;
use crate::{
    Error, Kind, Place, Result, Table, extend_numbers, extend_shown, extend_texts,
    table::{Kinds, TextTypes},
};

/// Reads the wanted columns of a file; only these are decoded. Tables of logs often hold the answers too, which can be most of the bytes.
pub(crate) fn read(
    path: &Path,
    kinds: Kinds<'_>,
    budget: Budget,
    types: &mut TextTypes,
) -> Result<Table> {
    let file = ParquetFile::open_within(path, budget)?;
    let mut table = empty(&file, kinds)?;
    note_types(&file, kinds, types)?;
    let names = table.names.iter().map(String::as_str);
    let wanted: Vec<&str> = names.filter(|name| kinds(name).is_some()).collect();
    for batch in file.batches(&wanted)? {
        let n_before = table.n_rows;
        extend(&mut table, &batch?, n_before, kinds)?;
    }
    Ok(table)
}

/// The same some rows at a time, each of which has to fit in memory by themselves, at least once: a file without rows has columns.
pub(crate) fn read_chunks(
    path: &Path,
    kinds: Kinds<'_>,
    types: &mut TextTypes,
    n_rows_per_chunk: usize,
    take: &mut dyn FnMut(Table) -> Result<()>,
) -> Result<()> {
    // Of the whole file little is kept, so its size needs no limit.
    let file = ParquetFile::open_within(path, Budget::of(u64::MAX))?;
    note_types(&file, kinds, types)?;
    let none = empty(&file, kinds)?;
    take(none.clone())?;
    let mut wanted = Vec::new();
    for (leaf, parts) in file.leaves().enumerate() {
        // The first of its parts is the column's name.
        if parts.first().is_some_and(|name| kinds(name).is_some()) {
            wanted.push(leaf);
        }
    }
    let mut n_before = 0;
    for batch in file.batches_by(&wanted, n_rows_per_chunk, Some(Budget::get()))? {
        let batch = batch?;
        let mut table = none.clone();
        extend(&mut table, &batch, n_before, kinds)?;
        n_before += batch.num_rows();
        take(table)?;
    }
    Ok(())
}

/// Notes which columns of text hold whole numbers.
fn note_types(file: &ParquetFile, kinds: Kinds<'_>, types: &mut TextTypes) -> Result<()> {
    for field in file.schema().fields() {
        if let (Some(Kind::Text), Some(is_whole)) =
            (kinds(field.name()), is_whole_number(field.data_type()))
        {
            types.note(file.path(), field.name(), is_whole)?;
        }
    }
    Ok(())
}

/// A table with the columns of a file and no rows.
fn empty(file: &ParquetFile, kinds: Kinds<'_>) -> Result<Table> {
    let mut table = Table::of(file.path());
    table.names = names(file.path(), file.schema())?;
    add_columns(&mut table, kinds);
    Ok(table)
}

/// The names of the columns, of which no two may be the same.
pub(super) fn names(path: &Path, schema: &Schema) -> Result<Vec<String>> {
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for field in schema.fields() {
        let name = field.name();
        if !seen.insert(name.clone()) {
            return Err(Error::DuplicateColumn {
                path: path.to_owned(),
                column: name.clone(),
            });
        }
        names.push(name.clone());
    }
    Ok(names)
}

/// Makes room for the wanted columns among the table's names.
pub(super) fn add_columns(table: &mut Table, kinds: Kinds<'_>) {
    for name in &table.names {
        match kinds(name) {
            Some(Kind::Text | Kind::Any) => _ = table.texts.insert(name.clone(), Vec::new()),
            Some(Kind::Number) => _ = table.numbers.insert(name.clone(), Vec::new()),
            None => {}
        }
    }
}

/// Appends the wanted columns of a batch, which `n_before` rows of the file come before.
pub(super) fn extend(
    table: &mut Table,
    batch: &RecordBatch,
    n_before: usize,
    kinds: Kinds<'_>,
) -> Result<()> {
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let column = field.name();
        let place = Place {
            path: &table.path,
            column,
            n_before,
        };
        if let Some(texts) = table.texts.get_mut(column) {
            match kinds(column) {
                Some(Kind::Any) => extend_shown(place, array, texts)?,
                _ => extend_texts(place, array, texts)?,
            }
        } else if let Some(numbers) = table.numbers.get_mut(column) {
            extend_numbers(place, array, numbers)?;
        }
    }
    table.n_rows += batch.num_rows();
    Ok(())
}

/// Whether texts are made of whole numbers; none where there are no values to tell by.
fn is_whole_number(ty: &DataType) -> Option<bool> {
    match ty {
        DataType::Null => None,
        DataType::Dictionary(_, values) => is_whole_number(values),
        _ => Some(ty.is_integer() || ty.is_decimal()),
    }
}
