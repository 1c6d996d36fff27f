//! `carrot-router route`: prompts in, decisions out.

mod args;
mod batch;
mod brief;
mod built_in;
mod job;
mod line;
mod losses;
#[cfg(feature = "serve")]
mod of_config;
mod on_error;
mod open;
mod prompts;
mod table;

use carrot_router::{COST_MULTIPLIER, CalibrationPromise, CarrotRouter, Decision};
use cli_support::{Reader, print_text, stream_json, stream_text};
use serde::Serialize;
use tracing::{info, warn};

pub(super) use self::args::RouteArgs;
#[cfg(feature = "serve")]
pub(super) use self::of_config::open_of_config;
use self::{
    batch::Rule,
    brief::Brief,
    job::{RouteJob, Work},
    losses::Losses,
    prompts::Prompts,
};

pub(super) fn run(args: RouteArgs) -> anyhow::Result<()> {
    let job = RouteJob::check(args)?;
    let router = job.opening.open()?;
    let (predictor, counter) = (router.describe(), router.token_counter());
    info!(
        "choosing among {} LLMs by {predictor}; cost multiplier {COST_MULTIPLIER}; input tokens counted by {counter}",
        router.models().len()
    );
    if let Some(folder) = router.unused_tokenizers() {
        warn!(
            "the tokenizers under `{}` are not used: this router knows what each LLM billed for its train prompts, and expects input tokens by that",
            folder.display()
        );
    }
    if !router.routes() {
        warn!(
            "this router does not route: on the prompts that it was fitted on, routing was not better than the best single LLM by more than one standard \
             error. Every prompt goes to the same LLM, which the weight of cost decides"
        );
    }
    if let Some(remark) = router.held_back() {
        warn!("{remark}");
    }
    let form = Form {
        is_json: job.output.json,
        is_brief: job.is_brief,
    };
    match job.work {
        Work::Table(batch) => batch.run(&router, job.rule, job.output),
        Work::Prompts(prompts) => answer(&router, prompts, job.rule, form),
    }
}

/// How decisions are printed.
#[derive(Debug, Clone, Copy)]
struct Form {
    is_json: bool,
    is_brief: bool,
}

/// Answers prompts as they come.
fn answer(
    router: &CarrotRouter,
    prompts: Prompts,
    mut rule: Rule,
    form: Form,
) -> anyhow::Result<()> {
    // Only now, so that a router that cannot be used is reported before the program waits for prompts on standard input.
    let mut batches = prompts.batches();
    let mut losses = Losses::new();
    let mut are_counts_told = router.uses_input_tokens();
    while let Some(batch) = batches.next()? {
        let decisions = router.route_counted(&batch.prompts, &batch.input_tokens, rule.mu);
        let decisions = decisions.map_err(|error| batch.locate(error))?;
        // Before they are answered: the costs that the calibration promises would be other ones.
        if let Some(watch) = &mut rule.watch {
            watch.add(&decisions)?;
        }
        if !are_counts_told && batch.input_tokens.iter().any(Option::is_some) {
            are_counts_told = true;
            warn!("{}", without_effect(router));
        }
        decisions.iter().for_each(|decision| losses.add(decision));
        let reader = form.print(&decisions, rule.promise.as_ref())?;
        // Nobody reads the answers any more, and the prompts may never end.
        if reader == Reader::Gone {
            return Ok(());
        }
    }
    if !form.is_json && !form.is_brief {
        let (predictor, counter) = (router.describe(), router.token_counter());
        print_text(&table::legend(&predictor, &counter))?;
    }
    losses.log();
    Ok(())
}

/// A line of JSON.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    decision: &'a Decision,
    /// What the calibration leads one to expect, where mu is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    calibrated: Option<&'a CalibrationPromise>,
}

fn answers<'a>(
    decisions: &'a [Decision],
    calibrated: Option<&'a CalibrationPromise>,
) -> Vec<Answer<'a>> {
    let answer = |decision| Answer {
        decision,
        calibrated,
    };
    decisions.iter().map(answer).collect()
}

impl Form {
    fn print(
        self,
        decisions: &[Decision],
        promise: Option<&CalibrationPromise>,
    ) -> anyhow::Result<Reader> {
        let brief = || decisions.iter().map(Brief::of);
        match (self.is_json, self.is_brief) {
            (true, false) => stream_json(&answers(decisions, promise)),
            (true, true) => stream_json(&brief().collect::<Vec<_>>()),
            (false, false) => stream_text(&decisions.iter().map(table::of).collect::<String>()),
            (false, true) => stream_text(&brief().map(|it| it.line()).collect::<String>()),
        }
    }
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
