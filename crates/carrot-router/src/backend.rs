//! What runs models: the crate `encoder` on the CPU, and libtorch on GPUs where the program was built with it.

#[cfg(not(feature = "torch"))]
pub(crate) use encoder::{load_embedder, load_network};
#[cfg(feature = "torch")]
pub(crate) use nets::{load_embedder, load_network};

use encoder::DeviceChoice;

/// Refuses a device that this machine, or this build, does not have.
///
/// # Errors
/// [`encoder::Error::NoDevice`], which says how to get it.
pub fn check_device(device: DeviceChoice) -> encoder::Result<()> {
    #[cfg(not(feature = "torch"))]
    return encoder::check_device(device);
    #[cfg(feature = "torch")]
    nets::check_device(device)
}
