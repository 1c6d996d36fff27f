//! From a raw table to a data set on disk, shared by all `gen-*` programs.
//!
//! In comes a [`RawTable`] in memory: prompts, and per LLM scores, tokens and costs as a source had them. Out go `train.parquet`,
//! `test.parquet` and `dataset.json` of `data/<name>/`, checked, costed and split. [`Staging`] alone is for programs that write rows
//! piece by piece.
//! Must not know any source's raw format, nor a command line; the formats on disk belong to `dataset`.
//!
//! ```text
//! RawTable -> make -> Made -> Made::write -> data/<name>/...
//! ```
//!
//! Everything is checked before anything is written, and a data set that is there already stays until the new one is whole.

mod cost;
mod error;
mod make;
mod name;
mod staging;
mod summary;
mod table;

pub use crate::{
    cost::PriceList,
    error::{Error, Result},
    make::{Made, RandomSplit, Request, make},
    name::{BadName, DatasetName},
    staging::Staging,
    summary::{ModelSummary, Summary, Tally},
    table::{RawModel, RawTable, SourcePart},
};
