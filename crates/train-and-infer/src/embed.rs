//! Computing embeddings, where the program was built with libtorch.

#[cfg(not(feature = "torch"))]
mod disabled;
#[cfg(feature = "torch")]
mod enabled;

#[cfg(not(feature = "torch"))]
pub(crate) use disabled::{Device, SentenceModel};
#[cfg(feature = "torch")]
pub(crate) use enabled::{Device, SentenceModel};
