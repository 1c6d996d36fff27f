//! What needs libtorch, where the program was built with it; and what runs embedders, with it or without.

#[cfg(not(feature = "torch"))]
mod disabled;
#[cfg(feature = "torch")]
mod enabled;

#[cfg(not(feature = "torch"))]
pub(crate) use disabled::{CARROT_ROBERTA, ROBERTA_BINARY, RobertaSettings, predict};
#[cfg(feature = "torch")]
pub(crate) use enabled::{CARROT_ROBERTA, ROBERTA_BINARY, RobertaSettings, predict};
#[cfg(not(feature = "torch"))]
pub(crate) use encoder::{check_device, find_precision, load_embedder};
#[cfg(feature = "torch")]
pub(crate) use nets::{check_device, find_precision, load_embedder};
