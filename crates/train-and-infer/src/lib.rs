//! Fits routers on a data set's train part and predicts its test part.
//!
//! Holds the table of routers (`router::ROUTERS`), the command line (`args`, checked in `job`) and the wiring: both parts and their embeddings
//! come in from disk (missing embeddings are computed), predictions and manifests go out to `data/<dataset>/preds/`, fitted routers to
//! `models/<dataset>/<router>/`. Each router is fitted, saved, reopened, and predicts as reopened. Must not know how a router works inside,
//! nor how predictions are judged. The command `distill` makes a static embedder of a sentence embedder, and
//! `embed` embeds the prompts of anyone's table.
//!
//! To follow a run: `args` and `job` say what to do, `fits` goes through the routers, `run` does one of them.

mod args;
mod cross_fit;
mod data;
mod distill;
mod embed;
mod embedder;
mod embeddings;
mod fits;
mod hint;
mod job;
mod learner;
mod learning_curve;
mod license;
mod local_model;
mod losses;
mod model_folder;
mod on_embeddings;
mod predict;
mod propensities;
mod report;
mod roberta_args;
mod router;
mod run;
mod sample;
mod setup;
mod stopwatch;
mod torch;

use std::process::ExitCode;

use crate::args::{Args, Command};

/// The program: reads the command line, fits, predicts, and prints a report. Exit codes are those of [`cli_support::run`].
pub fn main() -> ExitCode {
    cli_support::run(Args::is_quiet, |args: Args| {
        match (args.command, args.fit) {
            (Some(Command::Distill(args)), _) => distill::run(args),
            (Some(Command::Embed(args)), _) => embed::run(args),
            (None, args) => fits::run(args),
        }
    })
}
