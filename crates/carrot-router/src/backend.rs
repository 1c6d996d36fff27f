//! What runs models: the crate `encoder` on the CPU, and libtorch on GPUs where the program was built with it.

#[cfg(not(feature = "torch"))]
pub(crate) use encoder::{load_embedder, load_network};
#[cfg(feature = "torch")]
pub(crate) use nets::{load_embedder, load_network};

use dataset::Precision;
use encoder::{DeviceChoice, PrecisionChoice};

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

/// The precision in which models run that is asked for.
///
/// # Errors
/// [`encoder::Error::NoPrecision`] for one that this machine, or this build, does not have; [`encoder::Error::NoDevice`].
pub fn find_precision(choice: PrecisionChoice, device: DeviceChoice) -> encoder::Result<Precision> {
    #[cfg(not(feature = "torch"))]
    return encoder::find_precision(choice, device);
    #[cfg(feature = "torch")]
    nets::find_precision(choice, device)
}
