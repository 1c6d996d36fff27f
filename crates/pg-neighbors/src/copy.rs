//! Rows on their way into a table, as Postgres reads them fastest.

use std::pin::pin;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::SinkExt as _;
use half::f16;
use tokio_postgres::Transaction;

use crate::{
    Error, Result,
    types::{put_halves, put_reals},
};

/// Bytes that are sent at a time.
const BUFFER: usize = 1 << 20;

/// A row of the table.
pub(crate) struct CopiedRow {
    pub(crate) id: i64,
    pub(crate) vector: Vec<f16>,
    pub(crate) values: Vec<f32>,
}

/// Streams rows by `COPY ... (FORMAT binary)`.
pub(crate) async fn copy(
    transaction: &Transaction<'_>,
    database: &str,
    table: &str,
    rows: &[CopiedRow],
) -> Result<()> {
    let failed = |error| Error::database(database, "take rows")(error);
    let sink = transaction
        .copy_in::<_, Bytes>(&format!(
            "COPY {table} (id, v, y) FROM STDIN (FORMAT binary)"
        ))
        .await
        .map_err(failed)?;
    let mut sink = pin!(sink);
    let mut buffer = BytesMut::with_capacity(BUFFER + BUFFER / 4);
    buffer.put_slice(b"PGCOPY\n\xff\r\n\0");
    // No flags, no further header.
    buffer.put_i32(0);
    buffer.put_i32(0);
    for row in rows {
        let bad = |problem: Box<dyn std::error::Error + Send + Sync>| Error::BadRow {
            database: database.to_owned(),
            row_id: row.id as u64,
            problem: format!("cannot be sent: {problem}"),
        };
        buffer.put_i16(3);
        buffer.put_i32(8);
        buffer.put_i64(row.id);
        put_field(&mut buffer, |out| put_halves(out, &row.vector)).map_err(bad)?;
        put_field(&mut buffer, |out| put_reals(out, &row.values)).map_err(bad)?;
        if buffer.len() >= BUFFER {
            sink.send(buffer.split().freeze()).await.map_err(failed)?;
        }
    }
    // The end.
    buffer.put_i16(-1);
    sink.send(buffer.freeze()).await.map_err(failed)?;
    let n_copied = sink.finish().await.map_err(failed)?;
    debug_assert_eq!(n_copied, rows.len() as u64);
    Ok(())
}

/// Appends a field, before which its length comes.
fn put_field<E>(
    out: &mut BytesMut,
    put: impl FnOnce(&mut BytesMut) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    out.put_i32(0);
    put(out)?;
    let length = (out.len() - start - 4) as i32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}
