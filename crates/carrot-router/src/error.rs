mod calibration;

use std::path::PathBuf;

use encoder::NetworkTask;

pub use self::calibration::CalibrationError;

/// What can go wrong on the way from a prompt to a decision.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A weight of cost outside its range.
    #[error("mu is {mu}, expected a number from 0 (the most accurate LLM) to 1 (the cheapest)")]
    BadMu {
        /// The weight.
        mu: f64,
    },
    /// A router that does not predict each LLM's score and cost.
    #[error(
        "`{}` holds the router `{router}`, expected one that predicts every LLM's score and cost, such as `carrot-blend`, `carrot-knn` or `carrot-roberta`",
        folder.display()
    )]
    NotARouter {
        /// The folder.
        folder: PathBuf,
        /// The router's name.
        router: String,
    },
    /// A router whose rows are in an index that was not named.
    #[error(
        "the train prompts of `{}` are in an index, and no address of it was given",
        folder.display()
    )]
    NoIndexPlace {
        /// The router's folder.
        folder: PathBuf,
    },
    /// An index for a router that has its rows itself.
    #[error(
        "`{}` holds its train prompts itself, or needs none, and would ignore an index",
        folder.display()
    )]
    UselessIndex {
        /// The router's folder.
        folder: PathBuf,
    },
    /// A build without the databases' client.
    #[error("this program was built without indexes")]
    NoIndexSupport,
    /// What an index, or its databases, refuse.
    #[error("cannot use the index")]
    Index {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A router that does not predict from embeddings.
    #[error(
        "`{}` holds the router `{router}`, expected one that predicts from a prompt's embedding, such as `carrot-knn` or `carrot-blend`",
        folder.display()
    )]
    NotOnEmbeddings {
        /// The folder.
        folder: PathBuf,
        /// The router's name.
        router: String,
    },
    /// The embedder that the router was fitted with is not on disk.
    #[error(
        "cannot find the embedder `{name}` that `{}` was fitted with: {}",
        folder.display(),
        recorded.as_ref().map_or_else(
            || "the router was fitted on existing embeddings, without the model that computed them".to_owned(),
            |model| format!("`{model}` is not a local folder")
        )
    )]
    NoEmbedder {
        /// The router's folder.
        folder: PathBuf,
        /// Its short name.
        name: String,
        /// The folder or hub id that router.json records.
        recorded: Option<String>,
    },
    /// Another embedder than the router was fitted with.
    #[error(
        "the embedder in `{}` has SHA-256 {found}, but the router was fitted with {expected}; use the original embedder, or refit the router",
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
    /// A server was asked for embeddings that a local model makes.
    #[error(
        "`{}` was fitted on embeddings of `{name}`, which runs on this machine; those of a server may differ",
        folder.display()
    )]
    LocalEmbeddings {
        /// The router's folder.
        folder: PathBuf,
        /// The embedder's short name.
        name: String,
    },
    /// A server's model whose embeddings differ from those that the router was fitted on.
    #[error(
        "`{}` was fitted on the embeddings `{name}`, which the model `{model}` does not produce",
        folder.display()
    )]
    OtherServerModel {
        /// The router's folder.
        folder: PathBuf,
        /// The name of the embeddings.
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
        source: Box<encoder::Error>,
    },
    /// A network in the wrong place.
    #[error(
        "`{name}` was given as the {task} network, but the `problem_type` in its config.json is that of the other one"
    )]
    OtherTask {
        /// As it was named.
        name: String,
        /// What it was given as.
        task: NetworkTask,
    },
    /// Networks for different numbers of LLMs.
    #[error(
        "`{}` has {} outputs and `{}` has {}, expected the same LLMs in both networks of a pair",
        networks[0], n_outputs[0], networks[1], n_outputs[1]
    )]
    PairSizes {
        /// As they were named, the performance network first.
        networks: [String; 2],
        /// Their outputs.
        n_outputs: [usize; 2],
    },
    /// Networks for different LLMs.
    #[error(
        "`{}` predicts for `{label}` and `{}` does not, expected the same LLMs in both networks of a pair",
        networks[0], networks[1]
    )]
    PairNames {
        /// As they were named, the performance network first.
        networks: [String; 2],
        /// An LLM that only the first one has.
        label: String,
    },
    /// A label order that can be right for one of the two networks only.
    #[error(
        "`{}` and `{}` name the same outputs in different orders, so no single label order fits both",
        networks[0], networks[1]
    )]
    OneOrderForTwo {
        /// As they were named, the performance network first.
        networks: [String; 2],
    },
    /// An order that does not fit a network.
    #[error("the label order has {n_names} names, but the network {n_outputs} outputs")]
    OrderOutputs {
        /// Names in the order.
        n_names: usize,
        /// The network's outputs.
        n_outputs: usize,
    },
    /// An LLM whose scores are not known.
    #[error("the label order names `{model}`, whose scores the part does not have")]
    OrderModel {
        /// The LLM.
        model: String,
    },
    /// Two outputs for one LLM.
    #[error("duplicate LLM `{model}` among the names of the outputs")]
    NamedTwice {
        /// The LLM.
        model: String,
    },
    /// A cost is computed from a price that is missing.
    #[error("LLM `{model}` has no price, and its cost is not predicted in dollars")]
    NoPrice {
        /// The LLM.
        model: String,
    },
    /// A price of an LLM that the router does not have.
    #[error(
        "`{}` prices `{name}`, but the router has no such LLM; it has {}",
        path.display(),
        models.join(", ")
    )]
    UnknownPrice {
        /// The price list.
        path: PathBuf,
        /// The name in it.
        name: String,
        /// The router's LLMs.
        models: Vec<String>,
    },
    /// Prices without an effect.
    #[error(
        "`{}` predicts dollars at the prices of its training data, so other prices have no effect",
        folder.display()
    )]
    UselessPrices {
        /// The router's folder.
        folder: PathBuf,
    },
    /// A folder of tokenizers without one for any of the LLMs.
    #[error(
        "`{}` has no tokenizer for any of the {n_models} LLMs; for the first one, it would be `{}`",
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
    #[error("no LLM has a known score and cost for prompt {prompt_idx} (counting from 0)")]
    NothingToChoose {
        /// The prompt's position.
        prompt_idx: usize,
    },
    /// The file that configures how prompts are tokenized is not readable.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not JSON of the expected form.
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
    /// Counts of input tokens for other prompts.
    #[error(
        "{n_counts} counts of input tokens were given for {n_prompts} prompts, expected one, or none, for each"
    )]
    CountOfCounts {
        /// The counts.
        n_counts: usize,
        /// The prompts.
        n_prompts: usize,
    },
    /// A prompt could not be tokenized.
    #[error("cannot tokenize prompt {prompt_idx} (counting from 0)")]
    Tokenize {
        /// The prompt's position.
        prompt_idx: usize,
        /// What the library said.
        source: tokenizers::Error,
    },
    /// Nowhere to put embeddings that are not kept.
    #[error("cannot create a temporary folder")]
    TemporaryFolder {
        /// What the system said.
        source: std::io::Error,
    },
    /// The server could not be asked, or did not answer as expected. No message contains the key.
    #[error(transparent)]
    Embeddings(#[from] embeddings::Error),
    /// A router could not be calibrated, or its calibration could not be used.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// Another train part than the router was fitted on.
    #[error(
        "`{}` is not the train part that `{}` was fitted on; restore that one, or refit the router",
        split.display(),
        folder.display()
    )]
    OtherTrainSplit {
        /// The split.
        split: PathBuf,
        /// The router's folder.
        folder: PathBuf,
    },
    /// Routing would get worse by LLMs that were to be added.
    #[error(
        "with {} routing is worse than without: utility changes by {:+.4} (standard error {}) on {} train prompts that have a score of what is added, \
         each predicted without the fifth of them that it is in, in the mean over worths of a whole score; {:.0}% of choices would fall on it",
        quoted(added), gain.gain,
        gain.standard_error.map_or_else(|| "unknown".to_owned(), |error| format!("{error:.4}")),
        gain.n_prompts, 100.0 * gain.share
    )]
    WorseWithAdded {
        /// The LLMs.
        added: Vec<String>,
        /// What was measured.
        gain: saved_routers::AddedGain,
    },
    /// Embeddings that a blend was fitted on, and does not hold itself, are not on disk.
    #[error(
        "`{}` is missing: the blend in `{}` does not store the embeddings of its train prompts, and whether routing is worth it among the changed \
         LLMs cannot be decided without them",
        path.display(), folder.display()
    )]
    NoTrainEmbeddings {
        /// The embeddings.
        path: PathBuf,
        /// The router's folder.
        folder: PathBuf,
        /// The data set.
        dataset: String,
        /// The embedder's name.
        embedder: String,
    },
    /// Embeddings of other prompts, or of another embedder, than a blend was fitted on.
    #[error(
        "`{}` holds other embeddings than the blend in `{}` was fitted on; compute them again, or refit the router",
        path.display(), folder.display()
    )]
    OtherTrainEmbeddings {
        /// The embeddings.
        path: PathBuf,
        /// The router's folder.
        folder: PathBuf,
    },
    /// A price list could not be read, or a file could not be hashed.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    /// The saved router could not be read, or does not predict.
    #[error(transparent)]
    SavedRouter(#[from] saved_routers::Error),
    /// A network could not be read, or does not run.
    #[error(transparent)]
    Model(#[from] encoder::Error),
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The position of the prompt that is at fault, if it is a single one.
    pub fn prompt_idx(&self) -> Option<usize> {
        match self {
            Self::NothingToChoose { prompt_idx } | Self::Tokenize { prompt_idx, .. } => {
                Some(*prompt_idx)
            }
            _ => None,
        }
    }
}
