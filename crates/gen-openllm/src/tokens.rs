//! How many tokens an LLM reads: its own tokenizer, or a stand-in that is recorded.

mod counter;
mod files;

pub(crate) use self::{
    counter::{Counter, Counters},
    files::{StandIn, TokenizerFiles},
};
