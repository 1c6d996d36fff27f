//! The tables on disk: the files through which the programs of this workspace talk to each other.
//!
//! Holds the schemas of splits, embeddings and predictions, the manifests beside them, prices and what a call costs by them, the train/test
//! split, and which predictions belong to a test part ([`TestSet`]).
//! In come plain structs and matrices, out go Parquet and JSON files, and the other way round.
//! Must not know where a table came from, how a router works, or what a figure looks like; no other crate of the workspace
//! may define a file format.
//!
//! ```text
//! data/<dataset>/dataset.json                                 DatasetInfo
//! data/<dataset>/{train,test}.parquet                         PartTable
//! data/<dataset>/embeddings/<embedder>/{train,test}.parquet   Embeddings
//! data/<dataset>/preds/<router>.parquet                       Predictions
//! data/<dataset>/preds/<router>.json                          RunManifest
//! data/<dataset>/learning-curve/<router>/<n>.{parquet,json}   the same of a router that was fitted on n train prompts
//! data/<dataset>/truth/{train,test}.parquet                   Predictions (synthetic data only: the true expectations)
//! data/<study>/rate-study.json                                RateStudy
//! anywhere                                                    ModelScores: LLMs to add to a router
//! ```
//!
//! Missing values are null on disk and NaN in matrices, never 0 or -1.

pub mod atomic;
mod columns;
mod confusions;
mod cost;
mod embeddings;
mod error;
mod hash;
mod info;
pub mod json;
mod layout;
mod made_from;
mod manifest;
mod mean_cost;
mod model_columns;
mod model_scores;
mod name;
mod pair;
mod part_table;
mod predictions;
mod prices;
mod rate_study;
pub mod router_names;
mod standardizer;
mod table;
mod test_set;
pub mod toml;
mod train_test_split;
mod truncate;
mod whole_file;
pub mod worth;

pub use atomic_files::{Lock, LockError};

pub use crate::{
    atomic::{AtomicFile, write_atomically},
    columns::{Field, column_name, parse_column_name},
    confusions::{Confusions, Sketch},
    cost::{CostTarget, PredictedCost, Quantity, TOKENS_PER_UNIT},
    embeddings::{Embeddings, EmbeddingsMeta},
    error::{Error, Result},
    hash::{Source, sha256_bytes, sha256_file},
    info::{CostKind, CostRule, DatasetInfo, ModelInfo, PartHashes, SplitOrigin},
    layout::{DatasetDir, Part},
    made_from::MadeFrom,
    manifest::{RunManifest, Stage, Timings},
    mean_cost::MeanCost,
    model_scores::ModelScores,
    name::{BadName, DatasetName, FolderName, check_model_name},
    pair::{Pair, PairIdx},
    part_table::{PartTable, PartWriter},
    predictions::{PerModel, Predictions, PredictionsWriter, SmallWins},
    prices::{Price, Prices},
    rate_study::{RateCurve, RateInterval, RatePoint, RateProblem, RateStudy},
    standardizer::Standardizer,
    test_set::{Reason, TestPredictions, TestSet, Unusable},
    train_test_split::{TrainTestSplit, permutation, train_test_split},
    truncate::Truncate,
};
