use std::path::PathBuf;

/// What can go wrong on the way from a prompt to a decision.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A weight of cost that means nothing.
    #[error("mu is {mu}, expected a number from 0 (the most accurate LLM) to 1 (the cheapest)")]
    BadMu {
        /// The weight.
        mu: f64,
    },
    /// A router that predicts something else, or from something else.
    #[error(
        "`{}` holds the router `{router}`, expected one that embeds a prompt and predicts from its neighbors, such as `carrot-knn`",
        folder.display()
    )]
    NotKnn {
        /// The folder.
        folder: PathBuf,
        /// The router's name.
        router: String,
    },
    /// The embedder that the router was fitted with is not on disk.
    #[error(
        "cannot find the embedder `{name}` of `{}`: {}; pass its folder if it is a sentence-transformers model, else fit the router on one",
        folder.display(),
        recorded.as_ref().map_or_else(
            || "its vectors were given, and no model with them".to_owned(),
            |model| format!("`{model}` is not there")
        )
    )]
    NoEmbedder {
        /// The router's folder.
        folder: PathBuf,
        /// Its short name.
        name: String,
        /// Where router.json says that it lies.
        recorded: Option<String>,
    },
    /// Another embedder than the router was fitted with.
    #[error(
        "the embedder in `{}` has SHA-256 {found}, but the router was fitted with {expected}; bring that one back, or fit the router anew",
        folder.display()
    )]
    OtherEmbedder {
        /// The embedder's folder.
        folder: PathBuf,
        /// The hash in router.json.
        expected: String,
        /// The hash of the files.
        found: String,
    },
    /// Without a price, tokens make no cost.
    #[error("LLM `{model}` has no price in `{}`, and its cost is not predicted in dollars", path.display())]
    NoPrice {
        /// The file that should state it.
        path: PathBuf,
        /// The LLM.
        model: String,
    },
    /// No LLM has a finite score and cost.
    #[error("no LLM has a known score and cost for prompt {prompt_idx} (from 0)")]
    NothingToChoose {
        /// The prompt's position.
        prompt_idx: usize,
    },
    /// The file that says how prompts are split is not readable.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no JSON of the expected form.
    #[error("cannot read `{}` as JSON", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: serde_json::Error,
    },
    /// The tokenizer is not readable.
    #[error("cannot read a tokenizer from `{}`", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: tokenizers::Error,
    },
    /// A prompt could not be split.
    #[error("cannot split prompt {prompt_idx} (from 0) into tokens")]
    Tokenize {
        /// The prompt's position.
        prompt_idx: usize,
        /// What the library said.
        source: tokenizers::Error,
    },
    /// The saved router could not be read, or does not predict.
    #[error(transparent)]
    SavedRouter(#[from] saved_routers::Error),
    /// The embedder could not be read, or does not run.
    #[error(transparent)]
    Nets(#[from] nets::Error),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
