//! Whether routing is worth it on a data set: every prompt is judged by a router that was not fitted on it.

mod columns;
mod embedded;
mod error;
mod evidence;
mod judge;
mod kept;
mod meter;
mod time;
mod words;

pub use self::{
    embedded::EmbeddingPlace,
    error::WorthError,
    meter::{WorthMeter, WorthQuestion},
    words::shown_usd,
};
