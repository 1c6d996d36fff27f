//! Transformer encoders on the CPU, in Rust alone: sentence embeddings, and RoBERTa classifiers that predict.
//!
//! In come model folders in Hugging Face layout and prompts; out go matrices. Everything that a model's files say is read and checked here, for
//! whatever computes with the model: the forward pass of this crate, or libtorch's in `nets`, which also trains.
//! Must not know where prompts come from, how models are fetched, what a label means, or how vectors are stored: a caller hands over paths and
//! texts.

mod batches;
mod config;
mod device;
mod embedder;
mod error;
mod forward;
mod json;
mod load;
mod model_file;
mod model_files;
mod pooling;
mod precision;
mod roberta;
mod safetensors;
mod sentence_embedder;
mod sentence_model;
mod sentence_parts;
mod sentence_settings;
mod steps;
mod token_counter;
mod tokenizer_files;
mod tokens;
mod weights;
mod weights_files;

pub use crate::{
    batches::batches,
    config::{Activation, EncoderConfig, Family, Positions},
    device::DeviceChoice,
    embedder::{Embedded, PromptEmbedder},
    error::{Error, Result},
    json::read as read_json,
    load::{check_device, find_precision, load_embedder, load_network},
    model_file::read_model_file,
    model_files::{ModelFiles, Need},
    precision::{PrecisionChoice, Runtime, has_bf16_products, multiplies_bf16},
    roberta::{
        Classifier, NetworkTask, Padding, PredictParams, Predicted, ProblemType, RobertaClassifier,
        RobertaConfig, RobertaParts, RobertaTokenizer, TaskNetwork, sigmoid,
    },
    safetensors::{METADATA, SafetensorsFile, WeightsError},
    sentence_embedder::SentenceEmbedder,
    sentence_model::SentenceModel,
    token_counter::TokenCounter,
    tokenizer_files::{NamedTokenizer, read_tokenizer},
    tokens::{PromptTokenizer, TokenizedPrompt},
    weights::{CheckedWeights, WeightsFile},
    weights_files::{WEIGHTS, weights_files},
};
