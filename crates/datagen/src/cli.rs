//! What the command lines of all generators share: their arguments, and the way from a source's rows to a finished data set.
//!
//! In come a generator's arguments, a [`Recipe`](crate::Recipe) and a function that reads the source. Out go the files of `data/<name>/`,
//! embeddings of its prompts where a server was asked for them, and a report on standard output. A data set that exists already, made by
//! the same recipe, is left as it is; one of another recipe is never overwritten without `--force`.
//!
//! The only part of this crate that knows flags, a terminal and a server.

mod args;
mod embed;
mod existing;
mod pair;
mod raw;
mod report;
mod run;
mod settings;
mod splits;
mod staged;

pub use self::{
    args::GenArgs,
    embed::{Embedder, EmbeddingArgs},
    pair::pair_among,
    raw::{Extra, Raw},
    run::run,
    settings::{BuiltIn, ConfiguredGenArgs, check_unique, settings},
    staged::{Staged, run_staged},
};
