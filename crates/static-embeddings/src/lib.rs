//! Static token embeddings: a vector for each token of a vocabulary, and for a prompt the mean over its tokens.
//!
//! Holds the embedder ([`StaticEmbedder`]) for folders in the layout of Model2Vec ([`StaticFiles`]), with a splitter of texts that equals that of
//! the `tokenizers` library, and the distillation of such a folder from a sentence embedder ([`Vocabulary`], [`Distilled`]). In come folders,
//! prompts, and a network's vectors of single tokens; out go vectors of prompts, and folders. Which kind of embedder a folder holds
//! ([`EmbedderFiles`]) is asked here; what runs the other kind, a network, is the caller's. Must not know where a model comes from, or what
//! prompts are for.
//!
//! An embedding takes a hundredth of the time that a small Transformer takes, and has no window: however long a prompt is, all of it counts.

mod distill;
mod embedder;
mod embedder_files;
mod files;
mod splitter;
mod table;
mod word_piece;

pub use crate::{
    distill::{
        CheckedDistillParams, DistillError, DistillParams, Distilled, SourceModel, Vocabulary,
    },
    embedder::StaticEmbedder,
    embedder_files::EmbedderFiles,
    files::StaticFiles,
};
