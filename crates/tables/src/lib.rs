//! Tables that other people's programs wrote.

mod arrays;
mod error;
mod files;
mod parquet;

pub use crate::{
    arrays::{Place, extend_numbers, extend_texts, extend_vectors},
    error::{Error, Result},
    parquet::{Batches, ParquetFile},
};

/// What a number has to be.
const FINITE: &str = "a finite number, or null where unknown";
/// What a vector has to be.
const VECTORS: &str = "lists of finite floats, all of one length";
