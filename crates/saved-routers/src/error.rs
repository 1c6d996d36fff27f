use std::{io, path::PathBuf};

use safetensors::SafeTensorError;

/// What can go wrong with a saved router. Every variant names the file or folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder without a finished router.
    #[error(
        "`{}` holds no saved router, as it has no `router.json`; train-and-infer writes one when it is done",
        folder.display()
    )]
    NoRouter {
        /// The folder.
        folder: PathBuf,
    },
    /// The file is no JSON of the expected form.
    #[error("cannot read `{}` as JSON", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: serde_json::Error,
    },
    /// Another version of this workspace wrote the folder.
    #[error(
        "`{}` has format version {found}, expected {expected}; fit the router anew with train-and-infer --force",
        path.display()
    )]
    FormatVersion {
        /// The file.
        path: PathBuf,
        /// Its version, as it stands there.
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
        /// What stands there.
        found: String,
        /// What may stand there.
        expected: String,
    },
    /// The file is no safetensors file, or a broken one.
    #[error("cannot read `{}` as safetensors; it may be cut off or changed", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: SafeTensorError,
    },
    /// A tensor that must be there is not.
    #[error("`{}` has no tensor `{name}`", path.display())]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: &'static str,
    },
    /// A tensor holds other numbers than it should.
    #[error("tensor `{name}` of `{}` is of type {found}, expected {expected}", path.display())]
    TensorType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: &'static str,
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
        name: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// The right shape, sizes that may be any by name.
        expected: String,
    },
    /// The numbers make no router.
    #[error("`{}` holds no usable router", path.display())]
    Router {
        /// The file.
        path: PathBuf,
        /// What the router's crate said.
        source: routers::Error,
    },
    /// A network's folder that router.json names is not there.
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
    #[error("`--label-order` has {n_names} names, and `{network}` has {n_outputs} outputs")]
    LabelOrderLength {
        /// The network, as it was named.
        network: String,
        /// Its outputs.
        n_outputs: usize,
        /// The names given.
        n_names: usize,
    },
    /// A label order for other LLMs.
    #[error("`--label-order` does not name `{model}`: it has {}", order.join(", "))]
    NotInLabelOrder {
        /// The LLM.
        model: String,
        /// The names given.
        order: Vec<String>,
    },
    /// Nobody said which LLM an output is.
    #[error(
        "`{network}` does not say which LLM each of its outputs is: it calls them {}{}. Say it with `--label-order`. \
         For the released networks the sources disagree: CarrotRouter's list ends in mixtral and then the 405b Llama, the scripts that \
         made the data and the figures have these two the other way round. Predict SPROUT's test split with either order, by train-and-infer, and \
         look at each LLM's mean predicted score beside its mean score there: the two are about 15 points apart, so that the wrong order shows",
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
    /// A prediction failed.
    #[error("cannot predict")]
    Predict {
        /// What the router's crate said.
        source: routers::Error,
    },
    /// A name that no file may bear.
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
        /// Those there are.
        names: Vec<String>,
    },
    /// A calibration of what is no longer there.
    #[error(
        "calibration `{name}` of `{}` does not hold any longer, as `{}` has changed since; calibrate anew",
        folder.display(),
        changed.display()
    )]
    StaleCalibration {
        /// The router's folder.
        folder: PathBuf,
        /// The name.
        name: String,
        /// What is not as it was.
        changed: PathBuf,
    },
    /// A change of a router's LLMs that cannot be made.
    #[error("cannot change the LLMs of the router: {why}")]
    BadEdit {
        /// The reason, and the cure where there is one.
        why: String,
    },
    /// A file could not be written whole.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

fn there_are(names: &[String]) -> String {
    match names {
        [] => "it has none, which `carrot-router calibrate` makes".to_owned(),
        _ => format!("there are `{}`", names.join("`, `")),
    }
}

impl Error {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn router(path: impl Into<PathBuf>) -> impl FnOnce(routers::Error) -> Self {
        let path = path.into();
        move |source| Self::Router { path, source }
    }
}
