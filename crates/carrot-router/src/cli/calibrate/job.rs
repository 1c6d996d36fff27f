use carrot_router::{CalibrationSettings, Calibrator, HeldOut};
use cli_support::{read_toml, usage_error};
use saved_routers::Calibration;

use super::{
    args::CalibrateArgs,
    goal::{self, bad_usage},
};

/// The settings that the program was built with.
const BUILT_IN: &str = include_str!("../../../../../configs/calibration.toml");

/// `calibrate` with its command line checked and the router's predictions read.
pub(super) struct CalibrateJob {
    pub(super) calibrator: Calibrator,
    pub(super) task: Task,
}

/// What to do with the calibrator.
pub(super) enum Task {
    /// Calibrate once, and store the result.
    Store {
        name: String,
        /// Whether a calibration of that name for another goal may be replaced.
        force: bool,
    },
    /// Calibrate again and again, and count how often the intervals hold.
    Check { n_repetitions: usize },
}

impl CalibrateJob {
    pub(super) fn check(args: CalibrateArgs) -> anyhow::Result<Self> {
        let mut settings: CalibrationSettings =
            read_toml(args.program.config.config.as_deref(), BUILT_IN)?;
        settings.holdout_share = args.holdout_share.unwrap_or(settings.holdout_share);
        settings.seed = args.seed.unwrap_or(settings.seed);
        let goal = goal::of(args.goal)?;
        let task = match args.check {
            Some(n_repetitions) => Task::Check { n_repetitions },
            None => Task::Store {
                name: args
                    .name
                    .unwrap_or_else(|| goal.default_name(args.confidence)),
                force: args.force,
            },
        };
        let held_out = HeldOut::open(
            &args.program.data_dir.data_dir,
            &args.models_dir.models_dir,
            args.dataset.as_str(),
            args.router.as_str(),
        )?;
        // A name that cannot be a file's is reported now, and not after thousands of resamples.
        if let Task::Store { name, .. } = &task {
            Calibration::path(held_out.folder(), name)
                .map_err(|error| usage_error(error.to_string()))?;
        }
        let mut calibrator = Calibrator::new(held_out, goal, settings).map_err(bad_usage)?;
        if let Some(n_new_prompts) = args.new_prompts {
            calibrator = calibrator.with_new_prompts(n_new_prompts);
        }
        if let Some(confidence) = args.confidence {
            calibrator = calibrator.with_confidence(confidence).map_err(bad_usage)?;
        }
        Ok(Self { calibrator, task })
    }
}
