//! Whether a file holds what its footer says. Only headers are read: a page says how many values it has before it is decompressed.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
    sync::Arc,
};

use parquet::{
    basic::{Compression, Type},
    column::page::PageReader as _,
    errors::ParquetError,
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData},
        serialized_reader::SerializedPageReader,
    },
};
use untrusted_files::Budget;

use super::guarded;
use crate::{Error, Result};

/// What a Parquet file begins and ends with.
const MAGIC: &[u8] = b"PAR1";
/// Bytes of one row of one column in memory at the least.
const BYTES_PER_ROW: u64 = 8;

/// Refuses what is no Parquet file at all, or only the beginning of one.
pub(super) fn magic(path: &Path, file: &mut File, start: &[u8]) -> Result<()> {
    let not_parquet = |what: &'static str| Error::NotParquet {
        path: path.to_owned(),
        what,
    };
    if !start.starts_with(MAGIC) {
        return Err(not_parquet("it does not begin with `PAR1`"));
    }
    let n = MAGIC.len() as i64;
    let mut end = [0; 4];
    let found = file
        .seek(SeekFrom::End(-n))
        .and_then(|_| file.read_exact(&mut end));
    found.map_err(Error::io("read", path))?;
    if end != MAGIC {
        return Err(not_parquet(
            "it does not end with `PAR1`, so its end is missing; it may have been copied or downloaded in part",
        ));
    }
    Ok(())
}

/// Refuses compressions whose decoders do not keep to the size that a page says it grows to, or are not there.
pub(super) fn compressions(path: &Path, metadata: &ParquetMetaData) -> Result<()> {
    let groups = metadata.row_groups().iter();
    let mut compressions = groups
        .flat_map(RowGroupMetaData::columns)
        .map(ColumnChunkMetaData::compression);
    let other =
        compressions.find(|found| matches!(found, Compression::BROTLI(_) | Compression::LZO));
    match other {
        None => Ok(()),
        Some(found) => Err(Error::Compression {
            path: path.to_owned(),
            found: found.to_string(),
        }),
    }
}

/// The number of rows, on which the footer, the row groups and the pages of the smallest column have to agree.
pub(super) fn n_rows(
    path: &Path,
    file: &Arc<File>,
    metadata: &ParquetMetaData,
    budget: Budget,
) -> Result<usize> {
    let damaged = |what: String| Error::Damaged {
        path: path.to_owned(),
        what,
    };
    let footer = metadata.file_metadata().num_rows();
    let mut sum = 0_i64;
    for (g, group) in metadata.row_groups().iter().enumerate() {
        let n = group.num_rows();
        sum = match sum.checked_add(n) {
            Some(sum) if n >= 0 => sum,
            _ => return Err(damaged(format!("row group {g} says that it has {n} rows"))),
        };
    }
    if sum != footer {
        return Err(damaged(format!(
            "its footer says {footer} rows, its row groups {sum}"
        )));
    }
    for (g, group) in metadata.row_groups().iter().enumerate() {
        // A list has any number of values in a row; of other columns all have one.
        let flat = group
            .columns()
            .iter()
            .filter(|chunk| chunk.column_descr().max_rep_level() == 0);
        let Some(chunk) = flat.min_by_key(|chunk| chunk.compressed_size()) else {
            continue;
        };
        let n = guarded(path, || n_values(file, group, chunk))?;
        if n != group.num_rows() as u64 {
            return Err(damaged(format!(
                "row group {g} says {} rows, its column `{}` holds {n}",
                group.num_rows(),
                chunk.column_path().string()
            )));
        }
    }
    let declared = (sum as u64).saturating_mul(BYTES_PER_ROW);
    budget
        .check(format!("a column of {sum} rows"), declared)
        .map_err(Error::over_budget(path))?;
    usize::try_from(sum).map_err(|_| damaged(format!("its footer says {sum} rows")))
}

/// Refuses columns whose pages hold other values than the footer says, or more than memory does.
pub(super) fn columns(
    path: &Path,
    file: &Arc<File>,
    metadata: &ParquetMetaData,
    leaves: &[usize],
    budget: Budget,
) -> Result<()> {
    let mut declared = 0_u64;
    for (g, group) in metadata.row_groups().iter().enumerate() {
        for (leaf, chunk) in group.columns().iter().enumerate() {
            if !leaves.contains(&leaf) {
                continue;
            }
            let n = guarded(path, || n_values(file, group, chunk))?;
            let is_flat = chunk.column_descr().max_rep_level() == 0;
            let expected = if is_flat {
                group.num_rows()
            } else {
                chunk.num_values()
            };
            if i64::try_from(n) != Ok(expected) {
                return Err(Error::Damaged {
                    path: path.to_owned(),
                    what: format!(
                        "row group {g} says {expected} values of column `{}`, its pages hold {n}",
                        chunk.column_path().string()
                    ),
                });
            }
            declared = declared.saturating_add(n.saturating_mul(width(chunk)));
        }
    }
    budget
        .check("its columns", declared)
        .map_err(Error::over_budget(path))
}

/// How many values the pages of a column say that they have.
fn n_values(
    file: &Arc<File>,
    group: &RowGroupMetaData,
    chunk: &ColumnChunkMetaData,
) -> Result<u64, ParquetError> {
    let n_rows = group.num_rows() as usize;
    let mut pages = SerializedPageReader::new(Arc::clone(file), chunk, n_rows, None)?;
    let mut n = 0_u64;
    while let Some(page) = pages.peek_next_page()? {
        if !page.is_dict {
            n += page.num_levels.or(page.num_rows).unwrap_or(0) as u64;
        }
        pages.skip_next_page()?;
    }
    Ok(n)
}

/// Bytes of a value in memory, where whole numbers and truth values become floats; of a text without its letters.
fn width(chunk: &ColumnChunkMetaData) -> u64 {
    match chunk.column_type() {
        Type::FLOAT => 4,
        Type::BOOLEAN | Type::INT32 | Type::INT64 | Type::DOUBLE => 8,
        Type::INT96 => 12,
        Type::BYTE_ARRAY => 16,
        Type::FIXED_LEN_BYTE_ARRAY => {
            u64::try_from(chunk.column_descr().type_length()).unwrap_or(0)
        }
    }
}
