//! What runs on libtorch, where the program was built with it.

#[cfg(not(feature = "torch"))]
mod disabled;
#[cfg(feature = "torch")]
mod enabled;

#[cfg(not(feature = "torch"))]
pub(crate) use disabled::{IS_THERE, MfParams, SentenceModel, Settings, mf, roberta};
#[cfg(feature = "torch")]
pub(crate) use enabled::{IS_THERE, MfParams, SentenceModel, Settings, mf, roberta};
