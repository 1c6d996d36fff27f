//! `carrot-router pool`: a saved router with other prices, fewer LLMs, or more of them.

mod args;
mod job;
mod report;

use anyhow::Context as _;
use carrot_router::{edit_pool, is_poorly_known};
use tracing::warn;

pub(super) use self::args::PoolArgs;
use self::{job::PoolJob, report::PoolReport};

pub(super) fn run(args: PoolArgs) -> anyhow::Result<()> {
    let output = args.output_form;
    let job = PoolJob::check(args)?;
    let edited = edit_pool(&job.model, &job.changes, &|_| ())
        .with_context(|| format!("cannot create `{}`", job.output.display()))?;
    for added in edited.added() {
        if is_poorly_known(added) {
            warn!(
                "`{}` has a score on {} train prompts, {:.1} of a prompt's {} neighbors on average: what is predicted of it is mostly what the other \
                 LLMs' scores let expect; score it on more train prompts",
                added.name, added.n_scored, added.n_known_neighbors, added.n_neighbors
            );
        }
    }
    edited.write(&job.output)?;
    let report = PoolReport::of(&edited, &job.output);
    output.print(&report, &report.table())
}
