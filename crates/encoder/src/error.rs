use std::path::PathBuf;

use dataset::Precision;
use untrusted_files::Mistaken;

use crate::{NetworkTask, safetensors::WeightsError};

/// What can go wrong with a model. Every variant that concerns a file names it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the model folder that must be there is not.
    #[error("model folder `{}` has no `{file}`", folder.display())]
    MissingFile {
        /// The model folder.
        folder: PathBuf,
        /// The file, relative to the folder.
        file: String,
    },
    /// The model is of a kind that this crate does not know.
    #[error("`{key}` in `{}` is `{found}`, supported: {supported}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// The value found.
        found: String,
        /// The values that would do, in words.
        supported: String,
    },
    /// Two sizes in a model's files contradict each other.
    #[error("`{}` does not fit the model: {what} is {found}, {bound} is {limit}", path.display())]
    Sizes {
        /// The file.
        path: PathBuf,
        /// The size found, in words.
        what: &'static str,
        /// The size found.
        found: usize,
        /// What bounds it or must divide it, in words.
        bound: &'static str,
        /// The value of the bound.
        limit: usize,
    },
    /// A file that is something else than its name says.
    #[error("`{}` is {found}", path.display())]
    Mistaken {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: Mistaken,
    },
    /// A file of the model folder names a folder or a file that is not inside the model's own.
    #[error("`{}` names `{found}`, which may not lie outside the model's folder", path.display())]
    OutsideFolder {
        /// The file.
        path: PathBuf,
        /// What it names.
        found: String,
    },
    /// What modules.json says, but sentence-transformers would not find.
    #[error("model folder `{}` has a `1_Pooling/config.json` that asks for other than the mean of all tokens, but no `modules.json`, without which sentence-transformers takes the mean; get the missing file from where the model came from", folder.display())]
    NoModules {
        /// The model folder.
        folder: PathBuf,
    },
    /// The folder holds what was learned on top of another model, which is not in it.
    #[error(
        "model folder `{}` has an adapter (adapter_config.json), whose base model is elsewhere; merge the two (`merge_and_unload()` in PEFT) and save the whole model",
        folder.display()
    )]
    Adapter {
        /// The folder.
        folder: PathBuf,
    },
    /// The model's files allow no text of any length.
    #[error("`{key}` in `{}` is {found}, which leaves no room for a text beside {n_special} special tokens", path.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        found: usize,
        /// The special tokens around a text.
        n_special: usize,
    },
    /// The file holds no weights in the safetensors format, or broken ones.
    #[error("cannot read weights from `{}`", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: WeightsError,
    },
    /// A weight that is no number.
    #[error("weight `{name}` of `{}` holds a value that is not finite: the model is damaged, or its training failed", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The weight.
        name: String,
    },
    /// A model whose results are no numbers, although its weights are.
    #[error("the model in `{}` gives values that are not finite: it is damaged, or its training failed", folder.display())]
    ResultNotFinite {
        /// The model folder.
        folder: PathBuf,
    },
    /// A weight that the model needs is not in the file.
    #[error("`{}` has no weight `{name}`", path.display())]
    MissingWeight {
        /// The file.
        path: PathBuf,
        /// The weight, by its name without any prefix.
        name: String,
    },
    /// A weight has another shape than config.json says.
    #[error("weight `{name}` of `{}` has shape {found:?}, expected {expected:?}", path.display())]
    WeightShape {
        /// The file.
        path: PathBuf,
        /// The weight.
        name: String,
        /// The shape by config.json.
        expected: Vec<i64>,
        /// The file's shape.
        found: Vec<i64>,
    },
    /// A weight that the model has no use for: the file is another model's.
    #[error("`{}` holds a weight `{name}`, which this model does not have", path.display())]
    ExtraWeight {
        /// The file.
        path: PathBuf,
        /// The weight, by its name without any prefix.
        name: String,
    },
    /// The folder's weights are a pickle, which is never read.
    #[error(
        "model folder `{}` has its weights in the pickle `{file}` only, which could run any code when read; save it with a transformers that writes `model.safetensors`, or take a revision that has one",
        folder.display()
    )]
    OnlyPickle {
        /// The model folder.
        folder: PathBuf,
        /// The pickle.
        file: &'static str,
    },
    /// The folder's weights are in formats that are not read here.
    #[error(
        "model folder `{}` has no `model.safetensors`, only `{file}`; save it with transformers' `save_pretrained`, or take a revision that has one",
        folder.display()
    )]
    OtherWeights {
        /// The model folder.
        folder: PathBuf,
        /// A file in one of them.
        file: String,
    },
    /// A classifier's labels are none.
    #[error("bad labels in `{}`: {why}", path.display())]
    Labels {
        /// The file, read or to be written.
        path: PathBuf,
        /// What is wrong.
        why: &'static str,
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
    /// A network for another task than it was given for.
    #[error("the network in `{}` is given as a {task} network, but its config.json has the `problem_type` of a {trained_for} network", folder.display())]
    OtherTask {
        /// Its folder.
        folder: PathBuf,
        /// What it was given as.
        task: NetworkTask,
        /// What it was trained for.
        trained_for: NetworkTask,
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
    /// A device's name that means nothing.
    #[error("`{name}` is no device; use `auto`, `cpu`, `cuda`, `cuda:<index>` or `mps`")]
    DeviceName {
        /// The name as typed.
        name: String,
    },
    /// A precision that does not exist.
    #[error("`{name}` is not a precision, expected `f32`, `bf16` or `auto`")]
    PrecisionName {
        /// What was given.
        name: String,
    },
    /// A precision that this machine or this program does not have.
    #[error("cannot compute in the precision `{precision}`: {why}")]
    NoPrecision {
        /// The precision.
        precision: Precision,
        /// Why not, and what would help.
        why: &'static str,
    },
    /// A device that this machine, or this build, does not have.
    #[error("device `{device}` is not available: {why}")]
    NoDevice {
        /// The device asked for.
        device: String,
        /// What is missing and how to get it.
        why: String,
    },
    /// A part of another kind refused, which says itself what is wrong.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
    /// The operating system refused, or a file is not JSON of the expected form.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
