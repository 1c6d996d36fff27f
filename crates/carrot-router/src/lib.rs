//! CARROT in use: a prompt comes in, and the LLM that should answer it goes out, with the reasons.
//!
//! Holds [`CarrotRouter`]: a saved router, the embedder that it was fitted with, the count of input tokens, and the costs made of them. In come
//! a folder that train-and-infer wrote, prompts, and mu, the weight of cost; out come [`Decision`]s. Must not know how a router is fitted, how
//! it is stored, how a network works inside, where models are downloaded from, or how an LLM is called.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use carrot_router::CarrotRouter;
//! use nets::DeviceChoice;
//!
//! # fn main() -> Result<(), carrot_router::Error> {
//! let router = CarrotRouter::open(Path::new("models/sprout/carrot-knn"), DeviceChoice::Cpu)?;
//! let decision = router.explain("Explain entropy in one sentence.", 0.3)?;
//! assert_eq!(decision.models.len(), router.models().len());
//! # Ok(())
//! # }
//! ```

mod decision;
mod embedder;
mod error;
mod input_tokens;
mod one_thread;
mod router;

pub use crate::{
    decision::{COST_MULTIPLIER, Candidate, Decision, check_mu},
    embedder::EmbedderPlace,
    error::{Error, Result},
    router::CarrotRouter,
};
