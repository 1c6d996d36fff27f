use std::path::PathBuf;

use untrusted_files::Mistaken;

/// What can go wrong with a static embedder. Every variant that concerns a file names it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that must be there is not.
    #[error("model folder `{}` has no `{file}`", folder.display())]
    MissingFile {
        /// The model folder.
        folder: PathBuf,
        /// The file, relative to the folder.
        file: String,
    },
    /// A model with a step that is not known here.
    #[error("`{}` lists `{found}`, supported: `Normalize` of sentence_transformers after `StaticEmbedding`", path.display())]
    UnknownStep {
        /// The list of steps.
        path: PathBuf,
        /// The step.
        found: String,
    },
    /// A file of the model folder names a folder that is not inside the model's own.
    #[error("`{}` names `{found}`, which may not lie outside the model's folder", path.display())]
    OutsideFolder {
        /// The file.
        path: PathBuf,
        /// What it names.
        found: String,
    },
    /// A file that is something else than its name says.
    #[error("`{}` is {found}", path.display())]
    Mistaken {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: Mistaken,
    },
    /// The vectors cannot be read.
    #[error("cannot read token vectors from `{}`: {why}", path.display())]
    Vectors {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The tokenizer could not be read.
    #[error("cannot read a tokenizer from `{}`", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: tokenizers::Error,
    },
    /// A prompt could not be split into tokens.
    #[error("cannot split prompt {prompt_idx} into tokens")]
    Tokenize {
        /// Its position, from 0.
        prompt_idx: usize,
        /// What the library said.
        source: tokenizers::Error,
    },
    /// A token that the model has no vector for.
    #[error("`{}` gives token {found} for prompt {prompt_idx}, but the model knows the tokens 0 to {last}", path.display())]
    UnknownToken {
        /// The tokenizer's file.
        path: PathBuf,
        /// The prompt's position, from 0.
        prompt_idx: usize,
        /// The token's number.
        found: u32,
        /// The last one that the model knows.
        last: usize,
    },
    /// A parameter that cannot be used.
    #[error("`{name}` is {found}, expected {expected}")]
    BadParameter {
        /// The parameter, as configs/ calls it.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
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
    /// The operating system refused, or a file is not JSON of the expected form.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
