//! `carrot-router route`: prompts in, decisions out.

mod args;
mod built_in;
mod job;
mod line;
mod losses;
#[cfg(feature = "serve")]
mod of_config;
mod open;
mod prompts;
mod table;

use carrot_router::{COST_MULTIPLIER, CarrotRouter};
use cli_support::{Reader, print_text, stream_json, stream_text};
use tracing::{info, warn};

pub(super) use self::args::RouteArgs;
#[cfg(feature = "serve")]
pub(super) use self::of_config::open_of_config;
use self::{job::RouteJob, losses::Losses};

pub(super) fn run(args: RouteArgs) -> anyhow::Result<()> {
    let mut job = RouteJob::check(args)?;
    let router = job.opening.open()?;
    let (predictor, counter) = (router.describe(), router.token_counter());
    info!(
        "choosing among {} LLMs by {predictor}; cost multiplier {COST_MULTIPLIER}; input tokens counted by {counter}",
        router.models().len()
    );
    if !router.routes() {
        warn!(
            "this router does not route: on the prompts that it was fitted on, routing was not better than the best single LLM by more than one standard \
             error. Every prompt goes to the same LLM, which the weight of cost decides"
        );
    }
    // Only now, so that a router that cannot be used is reported before the program waits for prompts on standard input.
    let mut batches = job.prompts.batches();
    let mut losses = Losses::new();
    let mut are_counts_told = router.uses_input_tokens();
    while let Some(batch) = batches.next()? {
        let decisions = router.route_counted(&batch.prompts, &batch.input_tokens, job.mu);
        let decisions = decisions.map_err(|error| batch.locate(error))?;
        // Before they are answered: the costs that the calibration promises would be other ones.
        if let Some(watch) = &mut job.watch {
            watch.add(&decisions)?;
        }
        if !are_counts_told && batch.input_tokens.iter().any(Option::is_some) {
            are_counts_told = true;
            warn!("{}", without_effect(&router));
        }
        decisions.iter().for_each(|decision| losses.add(decision));
        let reader = match job.is_json {
            true => stream_json(&decisions)?,
            false => stream_text(&decisions.iter().map(table::of).collect::<String>())?,
        };
        // Nobody reads the answers any more, and the prompts may never end.
        if reader == Reader::Gone {
            return Ok(());
        }
    }
    if !job.is_json {
        print_text(&table::legend(&predictor, &counter))?;
    }
    losses.log();
    Ok(())
}

/// Why counts that requests give change nothing.
fn without_effect(router: &CarrotRouter) -> &'static str {
    match router.routes() {
        true => {
            "this router predicts dollars, in which the input tokens of its train prompts are contained: the counts given are shown, and change no cost"
        }
        false => {
            "this router does not route and takes every LLM's mean cost: the counts given are shown, and change no cost"
        }
    }
}
