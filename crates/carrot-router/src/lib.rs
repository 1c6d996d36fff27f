//! CARROT in use: a prompt comes in, and the LLM that should answer it goes out, with the reasons.
//!
//! Holds [`CarrotRouter`]: what predicts scores and costs (nearest neighbors of the prompt's vector, or a pair of networks that read it), the
//! count of input tokens, the costs made of them, and the rule. In come a folder that train-and-infer wrote or two networks, prompts, and mu,
//! the weight of cost; out come [`Decision`]s. Must not know how a router is fitted, how it is stored, how a network works inside, where models
//! are downloaded from, or how an LLM is called.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use carrot_router::CarrotRouter;
//! use nets::DeviceChoice;
//!
//! # fn main() -> Result<(), carrot_router::Error> {
//! let router = CarrotRouter::open(Path::new("models/sprout/carrot-roberta"), DeviceChoice::Cpu)?;
//! let decision = router.explain("Explain entropy in one sentence.", 0.3)?;
//! assert_eq!(decision.models.len(), router.models().len());
//! # Ok(())
//! # }
//! ```

mod counter;
mod decision;
mod embedder;
mod error;
mod neighbors;
mod networks;
mod one_thread;
mod own_tokenizers;
mod pair;
mod predicted;
mod predictor;
mod prices;
mod router;
mod server;

pub use evaluation::choice::COST_MULTIPLIER;
pub use nets::NetworkTask;

pub use crate::{
    decision::{Candidate, Decision, check_mu},
    embedder::EmbedderPlace,
    error::{Error, Result},
    pair::{NamedFolder, NetworkPair},
    prices::PriceFile,
    router::{CarrotRouter, Setup, VectorSource},
    server::{ServerEmbedder, ServerSettings},
};
