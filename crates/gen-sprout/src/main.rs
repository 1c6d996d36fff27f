//! Makes a data set of SPROUT or SPROUT-o3mini, CARROT's own data, from the Hugging Face hub.
//!
//! In come Parquet files, from the hub or from a folder; out goes `data/sprout/` or `data/sprout-o3mini/`, with the source's own parts:
//! validation rows are the last ones of the train part. The answers, nine tenths of the bytes, are not read.
//! Must not know how a data set is checked, costed or stored: `datagen` and `dataset` do.
//!
//! ```text
//! key                        the id
//! dataset                    text, the task
//! prompt                     text
//! <model>                    a group of columns, of each LLM:
//!   score                    a number in [0, 1]; null where unknown
//!   num_input_tokens         a whole number
//!   num_output_tokens        a whole number
//!   response                 the answer, which is not read
//! ```

mod args;
mod config;
mod files;
mod job;
mod models;
mod rows;
mod shard;
mod shard_names;
mod table;

use std::process::ExitCode;

use crate::{args::Args, job::Job};

fn main() -> ExitCode {
    cli_support::run(
        |args: &Args| args.configured.shared.output.quiet,
        |args| Job::new(args)?.run(),
    )
}
