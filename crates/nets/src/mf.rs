//! MF, RouteLLM's matrix factorization as CARROT trains it: a bilinear model of a prompt's embedding and one learned vector.
//!
//! It needs no libtorch but to store its weights (`store.rs`): its gradient is written by hand, because it has a form that autograd does not
//! see (`gradient.rs`).

mod adam;
mod fit;
mod gradient;
mod kernels;
mod model;
mod noise;
mod params;
mod report;
mod store;

pub use self::{
    model::{Mf, MfWeights},
    params::{CheckedMfParams, MfParams},
    report::{MfBest, MfEpoch, MfReport},
};
