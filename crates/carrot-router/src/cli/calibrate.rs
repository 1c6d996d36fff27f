//! `carrot-router calibrate`: a router's setting for a goal, and what to expect of it.

mod args;
mod goal;
mod job;
mod report;

use cli_support::{Progress, with_hint};
use dataset::Lock;
use saved_routers::Calibration;

pub(super) use self::args::CalibrateArgs;
use self::{
    job::{CalibrateJob, Task},
    report::{CalibrationReport, coverage_table},
};

pub(super) fn run(args: CalibrateArgs) -> anyhow::Result<()> {
    let output = args.program.output;
    let CalibrateJob { calibrator, task } = CalibrateJob::check(args)?;
    match task {
        Task::Check { n_repetitions } => {
            let bar = Progress::bar("calibrating", n_repetitions as u64, output.quiet);
            let coverage = calibrator.coverage(n_repetitions, &|n| bar.add(n))?;
            output.print(&coverage, &coverage_table(&coverage, calibrator.goal()))
        }
        Task::Store { name, force } => {
            let folder = calibrator.folder();
            // Before the work: a router that is being refitted will have another folder, without this calibration.
            let _lock = Lock::of(folder)?;
            // The same goal again only renews the calibration, say after a refit. A different one under the same name would surprise whoever
            // routes by that name.
            let older = Calibration::read(folder, &name);
            let is_other = |older: Calibration| {
                let confidence = older.promise.map(|promise| promise.confidence);
                older.target != *calibrator.goal().target() || confidence != calibrator.confidence()
            };
            if !force && older.is_ok_and(is_other) {
                let path = Calibration::path(folder, &name)?;
                let error = anyhow::anyhow!(
                    "`{}` already exists and is for a different goal",
                    path.display()
                );
                return Err(with_hint(
                    error,
                    "give the new one another name with `--name`, or overwrite the old one with `--force`",
                ));
            }
            let calibrated = calibrator.calibrate()?;
            let calibration = calibrator.record(&name, &calibrated)?;
            let path = calibration.write(folder)?;
            let report = CalibrationReport {
                calibration: &calibration,
                gaps: calibrator.gaps()?,
                support: calibrator.support(&calibrated)?,
                least_token_r2: calibrator.least_token_r2(),
                path: &path,
                goal: calibrator.goal(),
                folder,
            };
            output.print(&report, &report.table())
        }
    }
}
