//! From a raw table to a data set on disk, shared by all `gen-*` programs.
//!
//! In comes a [`RawTable`] in memory: prompts, and per LLM scores, tokens and costs as a source had them. Out go `train.parquet`,
//! `test.parquet` and `dataset.json` of `data/<name>/`, checked, costed and split.
//! Must not know any source's raw format; the formats on disk belong to `dataset`.
//!
//! ```text
//! RawTable -> make -> Made -> Made::write -> data/<name>/...        this level knows no command line and asks no server
//! cli: arguments, a Recipe and a reader of the source               what is missing is made, embedded and reported
//! ```
//!
//! Everything is checked before anything is written, and an existing data set stays in place until the new one is complete.

pub mod cli;

mod cost;
mod error;
mod licences;
mod make;
mod pair;
mod recipe;
mod split;
mod staging;
mod summary;
mod table;

pub use dataset::DatasetName;

pub use crate::{
    cost::PriceList,
    error::{Error, Result},
    licences::{licence_said_in, licences_found},
    make::{Made, Request, make},
    recipe::Recipe,
    split::RandomSplit,
    staging::Staging,
    summary::{ModelSummary, Summary, Tally},
    table::{NewRow, RawModel, RawTable, SourcePart},
};
