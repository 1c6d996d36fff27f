use std::{collections::HashSet, path::Path};

use arrow_schema::DataType;
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
    let mut table = Table::of(path);
    let mut seen = HashSet::new();
    for field in file.schema().fields() {
        let name = field.name();
        if !seen.insert(name.clone()) {
            return Err(Error::DuplicateColumn {
                path: path.to_owned(),
                column: name.clone(),
            });
        }
        table.names.push(name.clone());
        match kinds(name) {
            Some(Kind::Text) => {
                table.texts.insert(name.clone(), Vec::new());
                if let Some(is_whole) = is_whole_number(field.data_type()) {
                    types.note(path, name, is_whole)?;
                }
            }
            Some(Kind::Any) => _ = table.texts.insert(name.clone(), Vec::new()),
            Some(Kind::Number) => {
                table.numbers.insert(name.clone(), Vec::new());
            }
            None => {}
        }
    }
    let names = table.names.iter().map(String::as_str);
    let wanted: Vec<&str> = names.filter(|name| kinds(name).is_some()).collect();
    for batch in file.batches(&wanted)? {
        let batch = batch?;
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let column = field.name();
            let place = Place {
                path,
                column,
                n_before: table.n_rows,
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
    }
    Ok(table)
}

/// Whether texts are made of whole numbers; none where there are no values to tell by.
fn is_whole_number(ty: &DataType) -> Option<bool> {
    match ty {
        DataType::Null => None,
        DataType::Dictionary(_, values) => is_whole_number(values),
        _ => Some(ty.is_integer() || ty.is_decimal()),
    }
}
