//! The tables on disk: the files through which the programs of this workspace talk to each other.
//!
//! Holds the schemas of splits, embeddings and predictions, the manifests beside them, prices and what a call costs by them, the train/test
//! split, and which predictions belong to a test part ([`TestSet`]) or to all rows
//! ([`WholeSet`]).
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
//! data/<dataset>/cross-fit/<router>/<repeat>.{parquet,json}   OutOfFold and RunManifest: each row predicted by a router fitted without it
//! data/<dataset>/propensities.parquet                        EstimatedPropensities: of a log that does not say them
//! data/<dataset>/truth/{train,test}.parquet                   Predictions (synthetic data only: the true expectations)
//! data/<dataset>/worth.json                                   WorthRecord: whether routing is worth it
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
mod equal_prompts;
mod error;
mod estimated_propensities;
mod hash;
mod info;
pub mod json;
mod kept_columns;
mod layout;
mod made_from;
mod manifest;
mod mean_cost;
mod model_columns;
mod model_scores;
mod name;
mod out_of_fold;
mod pair;
mod part_table;
mod precision;
mod predictions;
mod prices;
mod propensity;
mod rate_study;
pub mod router_names;
mod standardizer;
mod table;
mod test_set;
pub mod toml;
mod train_test_split;
mod truncate;
mod whole_file;
mod whole_set;
pub mod worth;
mod worth_record;

pub use atomic_files::{Lock, LockError};

pub use crate::{
    atomic::{AtomicFile, write_atomically},
    columns::{Field, column_name, parse_column_name},
    confusions::{Confusions, Sketch},
    cost::{CostTarget, PredictedCost, Quantity, TOKENS_PER_UNIT},
    embeddings::{Embeddings, EmbeddingsMeta},
    equal_prompts::EqualPrompts,
    error::{Error, Result},
    estimated_propensities::EstimatedPropensities,
    hash::{Source, sha256_bytes, sha256_file},
    info::{CostKind, CostRule, DatasetInfo, ModelInfo, PartHashes, SplitOrigin},
    kept_columns::KeptColumns,
    layout::{DatasetDir, Part},
    made_from::MadeFrom,
    manifest::{RunManifest, Stage, Timings},
    mean_cost::MeanCost,
    model_scores::ModelScores,
    name::{BadName, DatasetName, FolderName, check_model_name},
    out_of_fold::OutOfFold,
    pair::{Pair, PairIdx},
    part_table::{PartTable, PartWriter},
    precision::Precision,
    predictions::{PerModel, Predictions, PredictionsWriter, SmallWins},
    prices::{Price, Prices},
    propensity::{TablePropensities, check_propensities},
    rate_study::{RateCurve, RateInterval, RatePoint, RateProblem, RateStudy},
    standardizer::Standardizer,
    test_set::{Reason, TestPredictions, TestSet, Unusable},
    train_test_split::{TrainTestSplit, permutation, train_test_split},
    truncate::Truncate,
    whole_set::{CrossFitPredictions, WholeSet},
    worth_record::{
        NullGains, PromptsNeeded, TaskGain, WORTH_FORMAT_VERSION, WorthCounts, WorthEstimate,
        WorthEstimator, WorthEvidence, WorthFit, WorthNull, WorthPoint, WorthPropensities,
        WorthPropensityFit, WorthRecord, WorthRefusal, WorthSettings, WorthTrade, WorthVerdict,
    },
};
