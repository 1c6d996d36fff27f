//! CARROT in use: a prompt comes in, and the LLM that should answer it comes out, with the reasons.
//!
//! Holds [`CarrotRouter`] (what predicts scores and costs, the count of input tokens, the costs computed from them, and the rule), the
//! calibration of a saved router to a goal ([`Calibrator`]), and the change of its LLMs ([`edit_pool`]). In come a folder that train-and-infer
//! wrote or two networks, prompts, and mu, the weight of cost; out come [`Decision`]s, and calibrations and routers to be written. Must not
//! know how a router is fitted, how it is stored, how a network works inside, where models are downloaded from, or how an LLM is called; only
//! `serve`, a server in the path of traffic that is there with the feature of that name, knows the last.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use carrot_router::{CarrotRouter, DeviceChoice};
//!
//! # fn main() -> Result<(), carrot_router::Error> {
//! let router = CarrotRouter::open(Path::new("models/sprout/carrot-roberta"), DeviceChoice::Cpu)?;
//! let decision = router.explain("Explain entropy in one sentence.", 0.3)?;
//! assert_eq!(decision.models.len(), router.models().len());
//! # Ok(())
//! # }
//! ```
//!
//! # In a service of one's own
//!
//! `examples/route.rs` is a whole program. A service opens a router once, when it starts, and shares it: [`CarrotRouter`] is `Send` and `Sync`,
//! and never changes, so an `Arc` of it answers all threads at once, without a lock and with the same decisions as for one.
//!
//! - **Blocking.** A decision takes processor time, milliseconds with a network for an embedder, or waits for the server that embeds. From
//!   asynchronous code it is called by `spawn_blocking` or on threads of one's own, as many as there are cores.
//! - **Many prompts.** [`CarrotRouter::route`] uses all cores for several prompts, and the calling thread for one: a service asks for each prompt
//!   by itself, a batch for hundreds at a time.
//! - **Input tokens.** What a request is billed for beside the prompt's text goes to [`CarrotRouter::route_counted`].
//! - **Fallbacks.** [`Decision::models`] has the utility of every LLM: the next best is the one to ask where the chosen one does not answer.
//! - **Another router.** Whoever has fitted a new one opens it beside the old one, and replaces the `Arc`; requests in flight keep theirs.
//! - **Errors** are values: no call prints, ends the process, or panics over a prompt. An error that concerns one prompt of several says which
//!   ([`Error::prompt_idx`]).

mod arena;
mod backend;
mod calibrate;
mod counter;
mod decision;
mod embedded;
mod embedder;
mod error;
mod label_order;
mod networks;
mod own_tokenizers;
mod pair;
mod pool;
mod predicted;
mod predictor;
mod prices;
mod replay;
mod router;
#[cfg(feature = "serve")]
#[expect(
    clippy::result_large_err,
    reason = "an error ends its request: nobody waits for its bytes to be moved"
)]
pub mod serve;
mod server;
mod token_watch;
mod token_words;
mod worth;

pub use encoder::{DeviceChoice, NetworkTask};
pub use evaluation::choice::COST_MULTIPLIER;

pub use crate::{
    arena::{ArenaConfig, ArenaPrediction, ArenaPrompt, trained_on},
    backend::{check_device, find_precision},
    calibrate::{
        Calibrated, CalibratedChoice, CalibrationGoal, CalibrationPromise, CalibrationSettings,
        CalibrationSupport, Calibrator, Coverage, HeldOut, Outcome, UsableCalibration,
        mu_of_calibration,
    },
    decision::{Candidate, Decision, TokenSource, check_mu},
    embedder::EmbedderPlace,
    error::{CalibrationError, Error, Result},
    label_order::{OrderEvidence, compare_label_orders},
    pair::{AssumedOrder, NamedFolder, NetworkPair},
    pool::{PoolChanges, edit_pool, is_poorly_known},
    prices::PriceFile,
    replay::{
        AlwaysTotals, AnswerFeedback, OffPolicy, PaidTotals, PolicyRow, Replay, ReplayCounts,
        ReplayError, RoutedTotals, replay,
    },
    router::{CarrotRouter, EmbeddingSource, Setup},
    server::{ServerEmbedder, ServerSettings},
    token_watch::TokenWatch,
    worth::{EmbeddingPlace, WorthError, WorthMeter, WorthQuestion, shown_usd},
};
