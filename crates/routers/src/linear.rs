//! Ridge regression on embeddings.

mod fit;
mod model;
mod params;

pub(crate) use self::fit::FoldedLinear;
pub use self::{
    fit::PreparedLinear,
    model::{Linear, LinearCvScore, LinearFit},
    params::{CheckedLinearParams, LinearParams},
};
