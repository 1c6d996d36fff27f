//! Reads tables that other people's programs wrote: CSV, JSON lines, Parquet, or a folder of part files; and writes their rows again with more columns.
//!
//! In comes a file and what its columns are to be read as; out come columns of text and numbers ([`Table`]), of a file of any length some rows
//! at a time ([`Rows`], which [`TableWriter`] writes), or of a Parquet file batches of Arrow arrays ([`ParquetFile`]), with functions that take an array of any type as texts, numbers or vectors. A sample is taken while a table is read ([`Table::read_sample`]). What a file says of its own
//! size is compared with what it holds, and with a [`untrusted_files::Budget`], before memory is taken for it. A file is refused by name
//! rather than read as something else: fewer rows, other texts, a number for a word.
//! Must not know what a column means.

mod arrays;
mod cell;
mod csv;
mod error;
mod files;
mod format;
mod jsonl;
mod parquet;
mod rows;
mod sample;
mod table;
mod text;
mod write;

pub use crate::{
    arrays::{Place, extend_numbers, extend_shown, extend_texts, extend_vectors},
    cell::{Cell, CellType, NewColumn},
    error::{Error, QuoteFault, Result},
    files::Files,
    format::Format,
    parquet::{Batches, ParquetFile},
    rows::{Chunk, Rows},
    sample::{SampledTable, Sampler},
    table::{Kind, Kinds, Table},
    text::shortened,
    write::{TableWriter, output_format},
};

/// What a number has to be.
const FINITE: &str = "a finite number, or null where unknown";
/// What has to be in a column of any kind.
const ONE_VALUE: &str = "text, a number, a truth value or a date";
/// What a vector has to be.
const VECTORS: &str = "lists of finite floats, all of one length";
