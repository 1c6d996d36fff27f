//! What a program without libtorch runs; `nets` has functions of the same names for one that has it.

use std::path::Path;

use dataset::{Precision, Truncate};

use crate::{
    DeviceChoice, ModelFiles, NetworkTask, PrecisionChoice, PromptEmbedder, Result,
    RobertaClassifier, Runtime, SentenceEmbedder, TaskNetwork, multiplies_bf16,
};

/// Refuses a device that is not there.
///
/// # Errors
/// [`crate::Error::NoDevice`] for all but the CPU.
pub fn check_device(device: DeviceChoice) -> Result<()> {
    device.check_is_cpu()
}

/// The precision in which models run that is asked for. `auto` is bfloat16 where [`crate::multiplies_bf16`] says yes.
///
/// # Errors
/// [`crate::Error::NoDevice`].
pub fn find_precision(choice: PrecisionChoice, device: DeviceChoice) -> Result<Precision> {
    check_device(device)?;
    let is_gained_by = multiplies_bf16();
    let found = choice.or_bf16_if(is_gained_by);
    if found == Precision::Bf16 && !is_gained_by {
        tracing::warn!(
            "this processor has no tiles (AMX) for bfloat16, so it takes longer than float32"
        );
    }
    Ok(found)
}

/// Reads a sentence embedder, which cuts long prompts as it is told, or else as its files say.
///
/// # Errors
/// [`crate::Error::NoDevice`]; any of [`SentenceEmbedder::load`].
pub fn load_embedder(
    files: &ModelFiles,
    truncate: Option<Truncate>,
    runtime: Runtime,
) -> Result<Box<dyn PromptEmbedder>> {
    check_device(runtime.device)?;
    let embedder = SentenceEmbedder::load_in(runtime.precision, files)?;
    Ok(Box::new(embedder.with_truncate(truncate)))
}

/// Reads a network for a task.
///
/// # Errors
/// [`crate::Error::NoDevice`]; any of [`TaskNetwork::from_folder`].
pub fn load_network(folder: &Path, task: NetworkTask, runtime: Runtime) -> Result<TaskNetwork> {
    check_device(runtime.device)?;
    let model = RobertaClassifier::from_folder_in(runtime.precision, folder)?;
    TaskNetwork::new(Box::new(model), folder, task)
}
