//! What a program without libtorch runs; `nets` has functions of the same names for one that has it.

use std::path::Path;

use dataset::Truncate;

use crate::{
    DeviceChoice, ModelFiles, NetworkTask, PromptEmbedder, Result, SentenceEmbedder, TaskNetwork,
};

/// Refuses a device that is not there.
///
/// # Errors
/// [`crate::Error::NoDevice`] for all but the CPU.
pub fn check_device(device: DeviceChoice) -> Result<()> {
    device.check_is_cpu()
}

/// Reads a sentence embedder, which cuts long prompts as it is told, or else as its files say.
///
/// # Errors
/// [`crate::Error::NoDevice`]; any of [`SentenceEmbedder::load`].
pub fn load_embedder(
    files: &ModelFiles,
    truncate: Option<Truncate>,
    device: DeviceChoice,
) -> Result<Box<dyn PromptEmbedder>> {
    check_device(device)?;
    let embedder = SentenceEmbedder::load(files)?;
    Ok(Box::new(embedder.with_truncate(truncate)))
}

/// Reads a network for a task.
///
/// # Errors
/// [`crate::Error::NoDevice`]; any of [`TaskNetwork::from_folder`].
pub fn load_network(folder: &Path, task: NetworkTask, device: DeviceChoice) -> Result<TaskNetwork> {
    check_device(device)?;
    TaskNetwork::from_folder(folder, task)
}
