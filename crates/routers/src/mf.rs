//! MF, RouteLLM's matrix factorization as CARROT trains it: a bilinear model of a prompt's embedding and one learned vector.
//!
//! Its gradient is written by hand, because it has a form that autograd does not see (`gradient.rs`); so it needs no libtorch.

mod adam;
mod fit;
mod gradient;
mod kernels;
mod model;
mod noise;
mod params;
mod report;
mod weights;

pub use self::{
    model::Mf,
    params::{CheckedMfParams, MfParams},
    report::{MfBest, MfEpoch, MfReport},
    weights::MfWeights,
};
