use std::path::PathBuf;

use safetensors::SafeTensorError;

/// What can go wrong with a saved router. Every variant names the file or folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder without a finished router.
    #[error(
        "`{}` holds no saved router: it has no `router.json`, which train-and-infer writes when it is done",
        folder.display()
    )]
    NoRouter {
        /// The folder.
        folder: PathBuf,
    },
    /// A place that something else than a router would have to leave.
    #[error("`{}` exists and is not the folder of a router; it is not replaced", place.display())]
    NotARouter {
        /// The file or folder.
        place: PathBuf,
    },
    /// Another version of this workspace wrote the folder.
    #[error(
        "`{}` has format version {found}, expected {expected}; refit the router with train-and-infer",
        path.display()
    )]
    FormatVersion {
        /// The file.
        path: PathBuf,
        /// Its version, as written.
        found: String,
        /// The version that this crate reads and writes.
        expected: u32,
    },
    /// router.json contradicts itself.
    #[error("`{key}` in `{}` is {found}, expected {expected}", path.display())]
    BadRecord {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// The file is not a safetensors file, or a broken one.
    #[error("cannot read `{}` as safetensors; it may be truncated or modified", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: SafeTensorError,
    },
    /// A required tensor is missing.
    #[error("`{}` has no tensor `{name}`", path.display())]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// A tensor that the router does not have: the file is another model's.
    #[error("`{}` has a tensor `{name}`, which this kind of router does not have", path.display())]
    ExtraTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// A tensor holds numbers of another type than expected.
    #[error("tensor `{name}` of `{}` is of type {found}, expected {expected}", path.display())]
    TensorType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
        /// The right type.
        expected: String,
    },
    /// A tensor has another shape than router.json says.
    #[error("tensor `{name}` of `{}` has shape {found:?}, expected {expected}", path.display())]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The right shape; `any` where a size is free.
        expected: String,
    },
    /// A number that a tensor cannot hold.
    #[error("tensor `{name}` of `{}` holds the number {found}, expected {expected}", path.display())]
    BadNumber {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// The number.
        found: f64,
        /// What its numbers may be.
        expected: &'static str,
    },
    /// The numbers do not make a router.
    #[error("`{}` holds no usable router", path.display())]
    Router {
        /// The file.
        path: PathBuf,
        /// What the router's crate said.
        source: routers::Error,
    },
    /// A file that is not the one that was saved with the record.
    #[error(
        "`{}` is not the file that the `router.json` of its folder was written with: {what}; one of the two is of another fit or damaged, so copy \
         the whole folder again, or refit the router",
        path.display()
    )]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// What differs, with both values.
        what: String,
    },
    /// A file that router.json lists is missing.
    #[error("`{}` is missing, though `router.json` lists it; copy the whole folder again, or refit the router", path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
    },
    /// A network's folder that router.json names is missing.
    #[error("`{}` is missing, though `router.json` beside it names it", folder.display())]
    MissingNetwork {
        /// The folder.
        folder: PathBuf,
    },
    /// A network for other LLMs.
    #[error(
        "`{network}` has {n_outputs} outputs, {} than the {n_models} LLMs to predict for: it was trained for others",
        if n_outputs > n_models { "more" } else { "fewer" }
    )]
    OutputCount {
        /// The network, as it was named.
        network: String,
        /// Its outputs.
        n_outputs: usize,
        /// The LLMs.
        n_models: usize,
    },
    /// A label order for other outputs.
    #[error("the label order has {n_names} names, and `{network}` has {n_outputs} outputs")]
    LabelOrderLength {
        /// The network, as it was named.
        network: String,
        /// Its outputs.
        n_outputs: usize,
        /// The names given.
        n_names: usize,
    },
    /// A label order for other LLMs.
    #[error("the label order does not name `{model}`: it has {}", order.join(", "))]
    NotInLabelOrder {
        /// The LLM.
        model: String,
        /// The names given.
        order: Vec<String>,
    },
    /// It is unknown which LLM each output is for.
    #[error(
        "`{network}` does not say which LLM each of its outputs is: it calls them {}{}. Give the LLMs' names in the order of the outputs. \
         For the released networks the sources disagree: CarrotRouter's list ends in mixtral and then the 405b Llama, the scripts that \
         made the data and the figures have these two the other way round. To find out, predict SPROUT's test part with either order and \
         compare each LLM's mean predicted score with its mean score there: the two LLMs are about 15 points apart, so the wrong order shows",
        labels.join(", "),
        match &models[..] {
            [] => String::new(),
            models => format!(", and the LLMs are {}", models.join(", ")),
        }
    )]
    UnnamedOutputs {
        /// The network, as it was named.
        network: String,
        /// What it calls its outputs.
        labels: Vec<String>,
        /// The LLMs to find among them, as far as these are known.
        models: Vec<String>,
    },
    /// Embeddings of another embedder than the router was fitted on.
    #[error("the router predicts from embeddings of {expected} dimensions, not {found}")]
    Dimension {
        /// The router's.
        expected: usize,
        /// Those given.
        found: usize,
    },
    /// Embeddings were given to networks.
    #[error(
        "the router consists of networks that read prompts, so it cannot predict from embeddings"
    )]
    ReadsPrompts,
    /// A prediction failed.
    #[error("cannot predict")]
    Predict {
        /// What the router's crate said.
        source: routers::Error,
    },
    /// A name that no file may have.
    #[error(
        "`{name}` cannot name a calibration; use letters, digits and any of `._-+%`, and do not begin with a dot"
    )]
    BadCalibrationName {
        /// The name.
        name: String,
    },
    /// A router without such a calibration.
    #[error("`{}` has no calibration `{name}`; {}", folder.display(), there_are(names))]
    NoCalibration {
        /// The router's folder.
        folder: PathBuf,
        /// The name.
        name: String,
        /// Those that exist.
        names: Vec<String>,
    },
    /// A calibration of a router, split or predictions that have changed.
    #[error(
        "calibration `{name}` of `{}` is out of date: `{}` has changed since; calibrate again",
        folder.display(),
        changed.display()
    )]
    StaleCalibration {
        /// The router's folder.
        folder: PathBuf,
        /// The name.
        name: String,
        /// What has changed.
        changed: PathBuf,
    },
    /// A change of a router's LLMs that cannot be made.
    #[error("cannot change the LLMs of the router: {why}")]
    BadEdit {
        /// The reason, and the cure where there is one.
        why: String,
    },
    /// A router whose LLMs cannot be changed.
    #[error(
        "`{router}` predicts only for the LLMs that it was fitted for; the LLMs of nearest-neighbor routers and of blends can be changed, and prices \
         of any router can be replaced when it routes"
    )]
    NotEditable {
        /// The router.
        router: String,
    },
    /// A blend without the data that its rule needs.
    #[error(
        "the LLMs of `{router}` cannot be changed without the train part that it was fitted on and the embeddings of its prompts: whether routing is \
         worth it has to be decided once more"
    )]
    EditWithoutTrain {
        /// The router.
        router: String,
    },
    /// What was fitted is not in the folder.
    #[error(
        "the train prompts of this router are in an index, not in its folder; change the router that was indexed, and index it again"
    )]
    RowsElsewhere,
    /// A router whose rows cannot be put into an index.
    #[error("`{router}` {why}; only nearest neighbors of all LLMs can be indexed")]
    NotIndexable {
        /// The router.
        router: String,
        /// Why not.
        why: &'static str,
    },
    /// Nearest neighbors without the index that their rows are in.
    #[error("the rows of this router are in an index, which was not named")]
    NoIndex,
    /// A record without the parameters that a blend was fitted with.
    #[error(
        "router.json of `{router}` does not hold the parameters of its fit under `config`, key `{key}`; refit the router"
    )]
    NoParameters {
        /// The router.
        router: String,
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        source: serde_json::Error,
    },
    /// A blend could not be fitted to other LLMs.
    #[error("cannot fit the blend to the changed LLMs")]
    Refit {
        /// What the router's crate said.
        source: routers::Error,
    },
    /// A change that leaves an LLM without the price that its cost is computed from.
    #[error("LLM `{model}` would have no price, and a missing price is never treated as zero")]
    EditWithoutPrice {
        /// The LLM.
        model: String,
    },
    /// The operating system refused, or a file is not JSON of the expected form.
    #[error(transparent)]
    Dataset(dataset::Error),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

fn there_are(names: &[String]) -> String {
    match names {
        [] => "it has none; `carrot-router calibrate` makes one".to_owned(),
        _ => format!("there are `{}`", names.join("`, `")),
    }
}

impl From<dataset::Error> for Error {
    fn from(error: dataset::Error) -> Self {
        match error {
            // Only this crate knows what renews its files.
            dataset::Error::FormatVersion {
                path,
                found,
                expected,
            } => Self::FormatVersion {
                path,
                found,
                expected,
            },
            error => Self::Dataset(error),
        }
    }
}

impl Error {
    pub(crate) fn router(path: impl Into<PathBuf>) -> impl FnOnce(routers::Error) -> Self {
        let path = path.into();
        move |source| Self::Router { path, source }
    }
}
