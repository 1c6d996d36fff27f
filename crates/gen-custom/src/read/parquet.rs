use std::{fs::File, path::Path};

use anyhow::{Context as _, ensure};
use dataset::Error as DatasetError;
use polars::prelude::{ArrowDataType, ParquetReader, SerReader as _};

use crate::{
    columns::{Columns, Kind, Wanted},
    read::frame,
};

/// Reads a Parquet file; only the wanted columns are decoded.
pub(crate) fn read(path: &Path, wanted: Wanted<'_>) -> anyhow::Result<Columns> {
    let what = || format!("cannot read `{}` as Parquet", path.display());
    let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    let mut reader = ParquetReader::new(file);
    let schema = reader.schema().with_context(what)?;
    // Checked before anything is decoded, because polars panics over some types instead of returning an error.
    for field in schema
        .iter_values()
        .filter(|field| wanted.kind(&field.name).is_some())
    {
        ensure!(
            is_readable(&field.dtype),
            DatasetError::ColumnType {
                path: path.to_owned(),
                column: field.name.to_string(),
                expected: "text, whole numbers, or floats of 32 or 64 bits".to_owned(),
                found: format!("{:?}", field.dtype),
            }
        );
    }
    let mut columns = Columns {
        names: schema.iter_names().map(ToString::to_string).collect(),
        n_rows: reader.num_rows().with_context(what)?,
        ..Columns::default()
    };
    let names = columns
        .names
        .iter()
        .filter(|name| wanted.kind(name).is_some())
        .cloned();
    // Tables of logs often hold the answers too, which can be most of the bytes.
    let frame = reader
        .with_columns(Some(names.collect()))
        .finish()
        .with_context(what)?;
    for column in frame.columns() {
        let name = column.name().to_string();
        match wanted.kind(&name) {
            Some(Kind::Text) => {
                columns.texts.insert(name, frame::texts(path, column)?);
            }
            Some(Kind::Number) => {
                columns.numbers.insert(name, frame::numbers(path, column)?);
            }
            None => {}
        }
    }
    Ok(columns)
}

/// Whether polars decodes a type as it is built here: others are behind features of it, and it panics over some.
fn is_readable(dtype: &ArrowDataType) -> bool {
    use ArrowDataType as Type;
    matches!(
        dtype,
        Type::Null
            | Type::Int8
            | Type::Int16
            | Type::Int32
            | Type::Int64
            | Type::UInt8
            | Type::UInt16
            | Type::UInt32
            | Type::UInt64
            | Type::Float32
            | Type::Float64
            | Type::Utf8
            | Type::LargeUtf8
            | Type::Utf8View
            | Type::Dictionary(..)
    )
}
