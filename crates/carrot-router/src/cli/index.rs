//! `carrot-router index`: the rows of a router in one or several databases, and the router without them.

mod args;
mod job;
mod judged;
mod place;
mod report;

use carrot_router::build_index;
use cli_support::Progress;

pub(super) use self::{args::IndexCommandArgs, place::IndexArgs};
use self::{job::IndexJob, report::IndexReport};

pub(super) fn run(args: IndexCommandArgs) -> anyhow::Result<()> {
    let output = args.output_form;
    let job = IndexJob::check(args)?;
    let n_rows = (job.n_rows * job.plan.place.addresses.len()) as u64;
    let bar = Progress::bar("indexing", n_rows, output.quiet);
    let built = build_index(&job.plan, &|n| bar.add(n))?;
    drop(bar);
    let judged = judged::predict_test_part(&job)?;
    let report = IndexReport {
        built: &built,
        judged: judged.as_ref(),
        folder: &job.plan.output,
    };
    output.print(&report, &report.table())
}
