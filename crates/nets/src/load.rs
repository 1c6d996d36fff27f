//! What a program with libtorch runs; `encoder` has functions of the same names for one without.

use std::path::Path;

use dataset::{Precision, Truncate};
use encoder::{
    DeviceChoice, ModelFiles, NetworkTask, PrecisionChoice, PromptEmbedder, Result, Runtime,
    TaskNetwork, has_bf16_products, multiplies_bf16,
};
use tch::{Device, Kind};

use crate::{
    RobertaModel, SentenceEmbedder, find_device,
    mode::{Mode, precision},
    roberta::DeviceClassifier,
};

/// Refuses a device that is not there.
///
/// # Errors
/// [`encoder::Error::NoDevice`].
pub fn check_device(device: DeviceChoice) -> Result<()> {
    find_device(device).map(|_| ())
}

/// The precision in which models run that is asked for. `auto` is bfloat16 on a CPU that has instructions for it, else float32.
///
/// # Errors
/// [`encoder::Error::NoPrecision`] for bfloat16 on a GPU; [`encoder::Error::NoDevice`].
pub fn find_precision(choice: PrecisionChoice, device: DeviceChoice) -> Result<Precision> {
    let found = precision(choice, find_device(device)?)?;
    if found == Precision::Bf16 && !has_bf16_products() {
        tracing::warn!(
            "this processor has no instructions for bfloat16 (AVX-512-BF16 or AMX), so it takes longer than float32"
        );
    }
    Ok(found)
}

/// Reads a sentence embedder, which cuts long prompts as it is told, or else as its files say. On the CPU in float32, or in bfloat16 with AMX, it is
/// the crate `encoder`'s.
///
/// # Errors
/// [`encoder::Error::NoDevice`]; [`encoder::Error::NoPrecision`]; any of [`SentenceEmbedder::load`].
pub fn load_embedder(
    files: &ModelFiles,
    truncate: Option<Truncate>,
    runtime: Runtime,
) -> Result<Box<dyn PromptEmbedder>> {
    if let Some(runtime) = for_encoder(Mode::find(runtime)?) {
        return encoder::load_embedder(files, truncate, runtime);
    }
    let embedder = SentenceEmbedder::load(files, runtime)?;
    Ok(Box::new(embedder.with_truncate(truncate)))
}

/// Reads a network for a task. On the CPU in float32, or in bfloat16 with AMX, it is the crate `encoder`'s.
///
/// # Errors
/// [`encoder::Error::NoDevice`]; [`encoder::Error::NoPrecision`]; any of [`TaskNetwork::from_folder`].
pub fn load_network(folder: &Path, task: NetworkTask, runtime: Runtime) -> Result<TaskNetwork> {
    let mode = Mode::find(runtime)?;
    if let Some(runtime) = for_encoder(mode) {
        return encoder::load_network(folder, task, runtime);
    }
    let model = RobertaModel::from_folder(folder, runtime.device)?;
    let model = DeviceClassifier::new(model, mode.product_kind)?;
    TaskNetwork::new(Box::new(model), folder, task)
}

/// How the crate `encoder` runs what this mode asks for, where that is faster.
fn for_encoder(mode: Mode) -> Option<Runtime> {
    let precision = match (mode.device, mode.product_kind) {
        (Device::Cpu, Kind::Float) => Precision::F32,
        (Device::Cpu, Kind::BFloat16) if multiplies_bf16() => Precision::Bf16,
        _ => return None,
    };
    Some(Runtime {
        device: DeviceChoice::Cpu,
        precision,
    })
}
