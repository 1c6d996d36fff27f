//! What a program with libtorch runs; `encoder` has functions of the same names for one without.

use std::path::Path;

use dataset::Truncate;
use encoder::{DeviceChoice, ModelFiles, NetworkTask, PromptEmbedder, Result, TaskNetwork};
use tch::Device;

use crate::{RobertaModel, SentenceEmbedder, find_device, roberta::DeviceClassifier};

/// Refuses a device that is not there.
///
/// # Errors
/// [`encoder::Error::NoDevice`].
pub fn check_device(device: DeviceChoice) -> Result<()> {
    find_device(device).map(|_| ())
}

/// Reads a sentence embedder, which cuts long prompts as it is told, or else as its files say. On the CPU it is the crate `encoder`'s.
///
/// # Errors
/// [`encoder::Error::NoDevice`]; any of [`SentenceEmbedder::load`].
pub fn load_embedder(
    files: &ModelFiles,
    truncate: Option<Truncate>,
    device: DeviceChoice,
) -> Result<Box<dyn PromptEmbedder>> {
    match find_device(device)? {
        Device::Cpu => encoder::load_embedder(files, truncate, DeviceChoice::Cpu),
        _ => {
            let embedder = SentenceEmbedder::load(files, device)?;
            Ok(Box::new(embedder.with_truncate(truncate)))
        }
    }
}

/// Reads a network for a task. On the CPU it is the crate `encoder`'s.
///
/// # Errors
/// [`encoder::Error::NoDevice`]; any of [`TaskNetwork::from_folder`].
pub fn load_network(folder: &Path, task: NetworkTask, device: DeviceChoice) -> Result<TaskNetwork> {
    match find_device(device)? {
        Device::Cpu => encoder::load_network(folder, task, DeviceChoice::Cpu),
        _ => {
            let model = DeviceClassifier::new(RobertaModel::from_folder(folder, device)?);
            TaskNetwork::new(Box::new(model), folder, task)
        }
    }
}
