//! What all binaries of this workspace share.
//!
//! Holds the common flags, logs and progress bars on standard error, results on standard output, exit codes, TOML configuration, and
//! settings from `.env`. In comes a binary's own argument type and what it wants done, out goes an exit code.
//! Must not know any data set, learner or figure; no library crate may depend on it.

mod commands;
mod config;
mod dirs;
mod env_file;
mod hint;
mod memory;
mod output;
mod program_args;
mod progress;
mod run;
mod shell;
mod signals;
mod terminal;

pub use crate::{
    commands::{fit_command, with_fit_command},
    config::read_toml,
    dirs::{ConfigFile, DataDir, ModelsDir, PlotsDir},
    hint::with_hint,
    memory::peak_memory_bytes,
    output::{Output, Reader, print_json, print_text, stream_json, stream_text},
    program_args::ProgramArgs,
    progress::Progress,
    run::{UsageError, examples, run, usage_error},
    signals::{on_hangup, on_stop},
    terminal::escaped,
};
