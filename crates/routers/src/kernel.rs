//! Kernel ridge regression on embeddings, by Nystrom's approximation.

mod fit;
mod landmarks;
mod model;
mod params;

pub(crate) use self::{fit::FoldedKernel, landmarks::Landmarks};
pub use self::{
    fit::PreparedKernel,
    model::{Kernel, KernelCvScore, KernelFit},
    params::{CheckedKernelParams, KernelParams},
};

#[cfg(test)]
mod tests;
