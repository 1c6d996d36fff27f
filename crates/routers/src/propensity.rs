//! Which LLM a log's policy asked for a prompt: multinomial logistic regression of the logged LLM on the embedding.
//!
//! ```text
//! p_m(x) = exp(b_m + x . w_m) / sum over LLMs l of exp(b_l + x . w_l)          x: the embedding, of length 1
//! ```
//!
//! What such probabilities are for: a log has the score of one LLM per prompt, and a prompt whose LLM was asked with probability p stands for
//! 1 / p prompts like it (Horvitz and Thompson 1952). They are good for that only where the policy went by what the embedding tells, and drew.

mod fit;
mod lbfgs;
mod likelihood;
mod model;
mod params;

pub use self::{
    model::{PropensityCvScore, PropensityFit, PropensityModel},
    params::{CheckedPropensityParams, PropensityParams},
};
