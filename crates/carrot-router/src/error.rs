use std::path::PathBuf;

use nets::NetworkTask;

/// What can go wrong on the way from a prompt to a decision.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A weight of cost that means nothing.
    #[error("mu is {mu}, expected a number from 0 (the most accurate LLM) to 1 (the cheapest)")]
    BadMu {
        /// The weight.
        mu: f64,
    },
    /// A router that does not predict each LLM's score and cost.
    #[error(
        "`{}` holds the router `{router}`, expected one that predicts for each LLM, such as `carrot-knn` or `carrot-roberta`",
        folder.display()
    )]
    NotARouter {
        /// The folder.
        folder: PathBuf,
        /// The router's name.
        router: String,
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
        "cannot find the embedder `{name}` of `{}`: {}",
        folder.display(),
        recorded.as_ref().map_or_else(
            || "its vectors were given, and no model with them; if an OpenAI-compatible server made them, `--embedder openai` asks it for each \
                prompt, which costs money; if a sentence-transformers model did, pass its folder with `--embedder`".to_owned(),
            |model| format!("`{model}` is not there; pass its folder with `--embedder`")
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
    /// A server was named for vectors that a model on this machine makes.
    #[error(
        "the vectors of `{}` are those of the model `{name}`, which runs on this machine: a server's may differ, so leave `--embedder openai` out",
        folder.display()
    )]
    LocalVectors {
        /// The router's folder.
        folder: PathBuf,
        /// The embedder's short name.
        name: String,
    },
    /// A server's model that makes other vectors than the router was fitted on.
    #[error(
        "`{}` was fitted on the vectors `{name}`, which are not those of the model `{model}`",
        folder.display()
    )]
    OtherServerModel {
        /// The router's folder.
        folder: PathBuf,
        /// What the vectors are called.
        name: String,
        /// The model asked for.
        model: String,
    },
    /// A network could not be read.
    #[error("cannot load the network `{name}`")]
    Network {
        /// As it was named.
        name: String,
        /// What is wrong with it.
        source: Box<nets::Error>,
    },
    /// A network in the wrong place.
    #[error(
        "`{name}` is given as the {task} network, and its config.json has the `problem_type` of the other one; are `--performance` and `--cost` \
         the wrong way round?"
    )]
    OtherTask {
        /// As it was named.
        name: String,
        /// What it was given as.
        task: NetworkTask,
    },
    /// Networks for different numbers of LLMs.
    #[error(
        "`{}` has {} outputs and `{}` {}: they are no pair",
        networks[0], n_outputs[0], networks[1], n_outputs[1]
    )]
    PairSizes {
        /// As they were named, the performance network first.
        networks: [String; 2],
        /// Their outputs.
        n_outputs: [usize; 2],
    },
    /// Networks for different LLMs.
    #[error("`{}` predicts for `{label}`, and `{}` does not: they are no pair", networks[0], networks[1])]
    PairNames {
        /// As they were named, the performance network first.
        networks: [String; 2],
        /// An LLM that only the first one has.
        label: String,
    },
    /// An order that can be true of one of two networks only.
    #[error(
        "`{}` names the same outputs as `{}`, in another order, so that no `--label-order` is true of both; leave it out, and their own names count",
        networks[1], networks[0]
    )]
    OneOrderForTwo {
        /// As they were named, the performance network first.
        networks: [String; 2],
    },
    /// Two outputs for one LLM.
    #[error(
        "the outputs name the LLM `{model}` twice; `--label-order` gives each a name of its own"
    )]
    NamedTwice {
        /// The LLM.
        model: String,
    },
    /// Without a price, tokens make no cost.
    #[error(
        "LLM `{model}` has no price, and its cost is not predicted in dollars; give it one with `--prices`"
    )]
    NoPrice {
        /// The LLM.
        model: String,
    },
    /// A price of an LLM that is not there.
    #[error("`{}` has a price for `{name}`, which is none of the router's LLMs: {}", path.display(), models.join(", "))]
    UnknownPrice {
        /// The price list.
        path: PathBuf,
        /// The name in it.
        name: String,
        /// The router's LLMs.
        models: Vec<String>,
    },
    /// Prices that change nothing.
    #[error("`{}` predicts dollars, at the prices of its training data; other prices change nothing, so leave `--prices` out", folder.display())]
    UselessPrices {
        /// The router's folder.
        folder: PathBuf,
    },
    /// A folder of tokenizers that has none of the LLMs'.
    #[error(
        "`{}` has the tokenizer of none of {n_models} LLMs; the first one's would be `{}`",
        folder.display(), folder.join(model).join("tokenizer.json").display()
    )]
    NoTokenizers {
        /// The folder.
        folder: PathBuf,
        /// The first LLM.
        model: String,
        /// How many LLMs there are.
        n_models: usize,
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
    /// There is no place for vectors that are not to be kept.
    #[error("cannot make a temporary folder")]
    TemporaryFolder {
        /// What the system said.
        source: std::io::Error,
    },
    /// The server was not asked, or did not answer as it should. No message holds the key.
    #[error(transparent)]
    Embeddings(#[from] embeddings::Error),
    /// A price list could not be read, or a file not be hashed.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    /// The saved router could not be read, or does not predict.
    #[error(transparent)]
    SavedRouter(#[from] saved_routers::Error),
    /// A network could not be read, or does not run.
    #[error(transparent)]
    Nets(#[from] nets::Error),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
