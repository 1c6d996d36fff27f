//! Learners that need no libtorch, and the labels that learners are fitted on.
//!
//! Holds k-nearest-neighbors regression ([`KnnParams`], [`Knn`]) with its exact neighbor search, and [`labels`].
//! In come matrices of embeddings and targets, out go predictions of every LLM's score and cost.
//! Must not know a file, a command line, libtorch, or how predictions are judged.

mod error;
mod folds;
mod knn;
pub mod labels;
mod neighbors;
mod r2;

pub use crate::{
    error::{Error, Result},
    knn::{CheckedKnnParams, CvScore, Knn, KnnParams, Target, TargetFit},
    neighbors::{Backend, UnitRows},
};
