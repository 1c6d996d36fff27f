//! `carrot-router worth`: whether routing is worth it on a data set, in words, numbers and an exit code.

mod args;
mod job;
mod report;

use std::process::ExitCode;

use carrot_router::WorthMeter;
use cli_support::Progress;
use dataset::{DatasetDir, WorthVerdict};
use tracing::info;

pub(super) use self::args::WorthArgs;
use self::job::WorthJob;

/// Exit code where the best single LLM is as good, or better.
const NOT_WORTH_IT: u8 = 3;
/// Exit code where the prompts do not tell.
const CANNOT_TELL: u8 = 4;

pub(super) fn run(args: WorthArgs) -> anyhow::Result<ExitCode> {
    let output = args.program.output;
    let job = WorthJob::check(args)?;
    let dir = DatasetDir::new(&job.question.data_dir, &job.question.dataset);
    let mut meter = {
        let bar = Progress::bar("embedding", job.n_prompts, output.quiet);
        WorthMeter::open(job.question, &|n| bar.add(n))?
    };
    {
        let bar = Progress::bar("fitting", meter.n_fits(), output.quiet);
        meter.cross_fit(&|n| bar.add(n))?;
    }
    if job.n_permutations > 0 {
        let n_fits = meter.n_null_fits(job.n_permutations);
        let bar = Progress::bar("fitting to permuted prompts", n_fits, output.quiet);
        meter.permute(job.n_permutations, &|n| bar.add(n))?;
    }
    let record = meter.record()?;
    // First of all: a full disk, or a folder that cannot be written, must not cost the answer of hours.
    output.print(&record, &report::text(&record))?;
    if !job.no_record {
        record.write(&dir.worth())?;
        info!("wrote `{}`", dir.worth().display());
    }
    if let Some(path) = &job.output {
        record.write(path)?;
    }
    Ok(match record.verdict {
        WorthVerdict::WorthIt => ExitCode::SUCCESS,
        WorthVerdict::NotWorthIt => ExitCode::from(NOT_WORTH_IT),
        WorthVerdict::CannotTell => ExitCode::from(CANNOT_TELL),
    })
}
