//! What a program without libtorch runs; `nets` has functions of the same names for one that has it.

use std::path::Path;

use dataset::{Precision, Truncate};

use crate::{
    DeviceChoice, ModelFiles, NetworkTask, PrecisionChoice, PromptEmbedder, Result, RobertaClassifier,
    Runtime, SentenceEmbedder, TaskNetwork,
};

/// Refuses a device that is not there.
///
/// # Errors
/// [`crate::Error::NoDevice`] for all but the CPU.
pub fn check_device(device: DeviceChoice) -> Result<()> {
    device.check_is_cpu()
}

/// The precision in which models run that is asked for.
///
/// # Errors
/// [`crate::Error::NoPrecision`] for bfloat16 where [`crate::multiplies_bf16`] says no; [`crate::Error::NoDevice`].
pub fn find_precision(choice: PrecisionChoice, device: DeviceChoice) -> Result<Precision> {
    check_device(device)?;
    choice.find_here()
}

/// Reads a sentence embedder, which cuts long prompts as it is told, or else as its files say.
///
/// # Errors
/// [`crate::Error::NoDevice`]; [`crate::Error::NoPrecision`]; any of [`SentenceEmbedder::load`].
pub fn load_embedder(
    files: &ModelFiles,
    truncate: Option<Truncate>,
    runtime: Runtime,
) -> Result<Box<dyn PromptEmbedder>> {
    check(runtime)?;
    let embedder = SentenceEmbedder::load_in(runtime.precision, files)?;
    Ok(Box::new(embedder.with_truncate(truncate)))
}

/// Reads a network for a task.
///
/// # Errors
/// [`crate::Error::NoDevice`]; [`crate::Error::NoPrecision`]; any of [`TaskNetwork::from_folder`].
pub fn load_network(folder: &Path, task: NetworkTask, runtime: Runtime) -> Result<TaskNetwork> {
    check(runtime)?;
    let model = RobertaClassifier::from_folder_in(runtime.precision, folder)?;
    TaskNetwork::new(Box::new(model), folder, task)
}

fn check(runtime: Runtime) -> Result<()> {
    find_precision(PrecisionChoice::Given(runtime.precision), runtime.device).map(|_| ())
}
