//! Everything that runs on libtorch: the training of RoBERTa classifiers, encoders on GPUs and in bfloat16, and the device that they run on.
//!
//! In come model folders in Hugging Face layout, prompts and matrices of targets; out go matrices, and model folders in the same layout. What a
//! model's files say, and what is done before and after its encoder, is the crate `encoder`'s, which also computes on a CPU.
//! Must not know where prompts come from, how models are fetched, what a label means, or how vectors are stored: a caller hands over paths,
//! texts and numbers.

mod batches;
mod device;
mod error;
mod load;
mod mode;
mod roberta;
mod safetensors;
mod sentence_embedder;
mod train;
mod transformer;
mod weights;

pub use crate::{
    device::find_device,
    error::{Error, Result},
    load::{check_device, find_precision, load_embedder, load_network},
    roberta::RobertaModel,
    sentence_embedder::SentenceEmbedder,
    train::{
        BatchOrder, Best, CheckedTrainParams, Decayed, Precision, Record, TrainPadding,
        TrainParams, TrainReport, TrainSetup, WarmUp, fine_tune, forget_checkpoint,
    },
};
