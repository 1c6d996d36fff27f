//! What runs on libtorch, where the program was built with it.

#[cfg(not(feature = "torch"))]
mod disabled;
#[cfg(feature = "torch")]
mod enabled;

#[cfg(not(feature = "torch"))]
pub(crate) use disabled::{CARROT_ROBERTA, ROBERTA_BINARY, SentenceModel, Settings, predict};
#[cfg(feature = "torch")]
pub(crate) use enabled::{CARROT_ROBERTA, ROBERTA_BINARY, SentenceModel, Settings, predict};
