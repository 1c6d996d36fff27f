//! Fitted routers on disk: what train-and-infer leaves under `models/<dataset>/<router>/`, to be used again without a fit.
//!
//! Holds the format of such a folder, how it is written so that a crash leaves the old one whole ([`NewFolder`]), how it is read and
//! checked ([`SavedRouter`]), and what a network's outputs mean: which LLM each one is, and in what unit. In come fitted routers of the crate
//! `routers`, and folders of networks that another crate wrote; out come routers that predict the same, and for networks the folders that they
//! lie in. Predictions are those of the fit to the last bit, but for KNN vectors in float16, by which neighbors change here and there, and for a
//! blend's weights, which pass through JSON and may come back with another last bit of their float64.
//! Must not know libtorch, how a router is fitted, where prompts come from, or how an LLM is chosen.
//!
//! ```text
//! models/<dataset>/<router>/router.json          Record: LLMs with prices, what is predicted, embedder, hashes, config, metrics
//! models/<dataset>/<router>/README.md            the model card
//! models/<dataset>/<router>/router.safetensors   KNN: unit vectors and targets; linear, kernel, cluster: what each target is predicted with; a
//!                                                blend: means, and the learners that have weight in it; forest: flat arrays; KNN whose
//!                                                rows are in an index: means, for prompts none of whose neighbors knows an LLM
//! models/<dataset>/<router>/factorization/       MF: model.safetensors with RouteLLM's names, and the metrics of its training
//! models/<dataset>/<router>/cost.safetensors     mean and deviation of each LLM's dollars, where z-scores are predicted
//! models/<dataset>/<router>/<network>/           a network's own folder, in Hugging Face layout
//! models/<dataset>/<router>/calibrations/        Calibration: a setting for a target, bound to the files beside it by their hashes
//! ```

mod blend;
mod calibration;
mod card;
mod cluster;
mod contents;
mod error;
mod files;
mod folder;
mod forest;
mod index;
mod kernel;
mod knn;
mod learner;
mod linear;
mod mf;
mod model;
mod model_outputs;
mod open;
mod outputs;
mod pool;
mod record;
mod ridge;
mod scale;
mod tensors;
mod token_lines;
mod token_range;

/// What may predict a blend's scores.
pub use routers::BlendCandidate;

pub use crate::{
    blend::{BlendParts, SavedBlend},
    calibration::{
        CALIBRATION_FORMAT_VERSION, CalibratedSetting, Calibration, CalibrationTarget, Drawn,
        Expected, InTheMean, ModelShare, Promised, Range, Realized,
    },
    cluster::SavedCluster,
    contents::{
        BlendContents, ClusterTarget, Contents, EmbeddingFormat, KernelTarget, KnnTarget,
        LinearTarget, MeanCostUnit, NetworkCost,
    },
    error::{Error, Result},
    files::SavedFile,
    folder::{CHECKPOINTS, NewFolder, read_whole},
    index::{IndexParts, SavedIndex},
    kernel::SavedKernel,
    knn::{KnnParts, SavedKnn},
    learner::{PredictsTargets, SavedLearner},
    linear::SavedLinear,
    model::{Model, RobertaCost},
    model_outputs::{ModelOutputs, PerModelOutputs},
    open::SavedRouter,
    outputs::{outputs_of_models, read_label_order},
    pool::{
        AddedGain, AddedModel, Addition, EditNeeds, EditedPool, PoolEdit, RuleChange, RuleOutcome,
        TrainPart,
    },
    record::{Base, Embedder, FORMAT_VERSION, Record},
    token_lines::{TokenLine, TokenLines},
    token_range::TokenRange,
};
