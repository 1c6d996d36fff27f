//! Everything that runs on libtorch: encoders, sentence embeddings, and the device that they run on.
//!
//! In come model folders in Hugging Face layout and prompts, out go matrices. Must not know where prompts come from, how models are
//! fetched, or how vectors are stored: a caller hands over paths and texts.

mod batches;
mod checkpoint;
mod device;
mod encoder;
mod error;
mod json;
mod model_files;
mod pooling;
mod sentence_embedder;
mod tokens;

pub use crate::{
    device::DeviceChoice,
    error::{Error, Result},
    model_files::{ModelFiles, Need},
    sentence_embedder::{Embedded, SentenceEmbedder},
};
