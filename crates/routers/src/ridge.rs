//! Ridge regression of many outputs on features that are ready: what the linear and the kernel learner share. All in float64.
//!
//! ```text
//! minimize over w, b:  sum over known rows of (y - w . x - b)^2 + alpha |w|^2          (the intercept b is not penalized)
//! ```
//!
//! Features and targets are centred on the training rows, so that w solves `(X'X + alpha I) w = X'y` and b follows from the means. Moments
//! of each fold are computed once, and those of a training side are the sum over the other folds: nothing is subtracted that would cancel.
//! Every product has a fixed shape and every sum a fixed order, so the number of threads changes no bit.

mod alphas;
mod cholesky;
mod moments;
mod patterns;
mod prepared;
mod system;
mod targets;
mod weights;

pub use self::weights::RidgeWeights;
pub(crate) use self::{
    alphas::check_alphas,
    cholesky::Cholesky,
    patterns::{Pattern, patterns},
    prepared::PreparedRidge,
};
