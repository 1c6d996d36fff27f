//! `carrot-router route`: prompts in, decisions out.

mod args;
mod built_in;
mod job;
mod open;
mod prompts;
mod table;

use carrot_router::COST_MULTIPLIER;
use cli_support::print_text;
use tracing::info;

pub(super) use self::args::RouteArgs;
use self::job::RouteJob;

/// Prompts that are decided on at a time: enough to keep all cores at work, few enough to see decisions soon.
const CHUNK: usize = 256;

pub(super) fn run(args: RouteArgs) -> anyhow::Result<()> {
    let job = RouteJob::check(args)?;
    let router = job.opening.open()?;
    let (predictor, counter) = (router.describe(), router.token_counter());
    info!(
        "choosing among {} LLMs by {predictor}; cost multiplier {COST_MULTIPLIER}; input tokens counted by {counter}",
        router.models().len()
    );
    // Only now, so that a router that cannot be used is reported before the program waits for prompts on standard input.
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
