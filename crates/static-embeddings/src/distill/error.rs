use std::path::PathBuf;

/// Why static embeddings cannot be distilled.
#[derive(Debug, thiserror::Error)]
pub enum DistillError {
    /// A tokenizer whose tokens cannot have a table of vectors.
    #[error("cannot distill by this tokenizer: {why}")]
    NoVocabulary {
        /// What is wrong.
        why: String,
    },
    /// A tokenizer in memory that the library cannot write, or split a letter with.
    #[error("the tokenizer cannot be taken over")]
    NoTokenizer(#[source] tokenizers::Error),
    /// The vectors of tokens have no principal axes.
    #[error("the network's vectors of single tokens cannot be reduced")]
    NoAxes(#[from] intrinsic_dimension::Error),
    /// The place of a new static embedder holds something else, which would be lost.
    #[error("`{}` is not a static embedder; choose another folder, or remove it", place.display())]
    Taken {
        /// The place.
        place: PathBuf,
    },
    /// The vectors cannot be written.
    #[error("cannot write token vectors to `{}`", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// What the library says.
        source: safetensors::SafeTensorError,
    },
    /// A parameter that cannot be used, or a file that cannot be read.
    #[error(transparent)]
    Encoder(#[from] encoder::Error),
    /// The operating system refused.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
}

/// A result with [`DistillError`].
pub(crate) type Result<T, E = DistillError> = std::result::Result<T, E>;
