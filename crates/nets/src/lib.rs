//! Everything that runs on libtorch: encoders, sentence embeddings, RoBERTa classifiers and their training, and the device that they run on.
//!
//! In come model folders in Hugging Face layout, prompts and matrices of targets; out go matrices, and model folders in the same layout.
//! Must not know where prompts come from, how models are fetched, what a label means, or how vectors are stored: a caller hands over paths,
//! texts and numbers.

mod batches;
mod checkpoint;
mod device;
mod encoder;
mod error;
mod json;
mod model_files;
mod pooling;
mod roberta;
mod safetensors;
mod sentence_embedder;
mod sentence_parts;
mod sentence_settings;
mod steps;
mod token_counter;
mod tokenizer_files;
mod tokens;
mod train;

pub use crate::{
    device::DeviceChoice,
    error::{Error, Result},
    model_files::{ModelFiles, Need},
    roberta::{
        NetworkTask, Padding, PredictParams, Predicted, ProblemType, RobertaModel, TaskNetwork,
        sigmoid,
    },
    safetensors::WeightsError,
    sentence_embedder::{Embedded, SentenceEmbedder},
    token_counter::TokenCounter,
    tokenizer_files::read_tokenizer,
    train::{
        BatchOrder, Best, CheckedTrainParams, Decayed, Precision, Record, TrainPadding,
        TrainParams, TrainReport, TrainSetup, WarmUp, fine_tune, forget_checkpoint,
    },
};
