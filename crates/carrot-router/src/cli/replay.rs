//! `carrot-router replay`: what a log of decisions says about routing, against always taking each LLM.

mod args;
mod report;

use carrot_router::replay;
use decision_log::LogFiles;

pub(super) use self::args::ReplayArgs;

pub(super) fn run(args: ReplayArgs) -> anyhow::Result<()> {
    let files = LogFiles::find(&args.log)?;
    let replay = replay(&files, args.level)?;
    args.output.print(&replay, &report::text(&replay))
}
