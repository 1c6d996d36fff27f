//! `carrot-router serve`: a router in the path of traffic.
//!
//! Holds the server ([`serve`]) with its configuration ([`Config`]). In come requests in the formats of OpenAI and Anthropic; they go on to an LLM
//! that their `model` names or that the router chooses, with only `model` and `carrot` changed, and out come the LLMs' answers as they come.
//! Must not know any one provider, where models are downloaded from, or a terminal; async is here and nowhere else in this crate.
//!
//! ```text
//! listen       connections -> app       paths -> flow         a request's course
//! request      what was asked  names    what `model` stands for
//! brain        decisions, on threads of their own             choose   who can take a request, in which order
//! upstream, forward             one attempt                   sse, stream   what follows the first event
//! ticket       what is known of a request; when it ends, the ledger writes it down
//! generation   what a reload replaces as a whole              shadow   forwards without a change, and decides beside it
//! ```

mod app;
mod auth;
mod brain;
mod caps;
mod choose;
mod config;
mod decision_endpoint;
mod error;
mod explore;
mod feedback;
mod flow;
mod forward;
mod generation;
mod json;
mod ledger;
mod listen;
mod metrics;
mod names;
mod page;
mod pool;
mod record;
mod reload;
mod request;
mod sessions;
mod shadow;
mod sse;
mod start;
mod stream;
mod ticket;
mod upstream;
mod usage;

pub use self::{
    config::{
        AnswerConfig, CapsConfig, Config, ConfigError, DecisionConfig, ExploreConfig,
        FeedbackConfig, ForwardConfig, KeyHeader, KeysConfig, LimitsConfig, LlmConfig, LogConfig,
        ReloadConfig, ResponseModel, RouterConfig, SessionsConfig, ShadowConfig, UpstreamConfig,
    },
    request::{DecidingText, Format, Need},
    start::{Control, OpenRouter, Plan, ServeError, Started, check, serve},
};
