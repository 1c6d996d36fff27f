//! Chooses the LLM that should answer a prompt, on the command line.
//!
//! Holds the command line, where models and prices come from, the reading of prompts, and the table: prompts come in as an argument, a file or
//! standard input, decisions of the library `carrot_router` go out to standard output. Must not know how a decision is made.

mod args;
mod built_in;
mod calibrate;
mod job;
mod open;
mod pool;
mod prompts;
mod table;

use std::process::ExitCode;

use carrot_router::COST_MULTIPLIER;
use cli_support::print_text;
use tracing::info;

use crate::{
    args::{Args, Command},
    job::Job,
};

/// Prompts that are decided on at a time: enough to keep all cores at work, few enough to see decisions soon.
const CHUNK: usize = 256;

fn main() -> ExitCode {
    cli_support::run(
        |args: &Args| match &args.command {
            Command::Route(route) => route.output.quiet,
            Command::Calibrate(calibrate) => calibrate.output.quiet,
            Command::Pool(pool) => pool.output_form.quiet,
        },
        |args| match args.command {
            Command::Route(route) => run(Job::check(route)?),
            Command::Calibrate(args) => calibrate::run(args),
            Command::Pool(args) => pool::run(&args),
        },
    )
}

fn run(job: Job) -> anyhow::Result<()> {
    let router = job.opening.open()?;
    let (predictor, counter) = (router.describe(), router.token_counter());
    info!(
        "choosing among {} LLMs by {predictor}; cost multiplier {COST_MULTIPLIER}; input tokens counted by {counter}",
        router.models().len()
    );
    // Only now: what is wrong with a router is said before prompts are waited for.
    for prompts in job.prompts.read()?.chunks(CHUNK) {
        let mut text = String::new();
        for decision in router.route(prompts, job.mu)? {
            if job.is_json {
                text += &serde_json::to_string(&decision)?;
                text.push('\n');
            } else {
                text += &table::of(&decision);
            }
        }
        print_text(&text)?;
    }
    if !job.is_json {
        print_text(&table::legend(&predictor, &counter))?;
    }
    Ok(())
}
