use evaluation::Interval;
use saved_routers::{CalibrationTarget, ModelShare};
use serde::Serialize;

use super::{calibrator::Calibrator, record::with_names};
use crate::CalibrationError;

/// How often the results on untouched prompts lay within the predicted intervals, see [`Calibrator::coverage`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Coverage {
    /// The data set.
    pub dataset: String,
    /// The router.
    pub router: String,
    /// What it was calibrated to.
    pub target: CalibrationTarget,
    /// The intervals' level of confidence.
    pub level: f64,
    /// How often it was calibrated.
    pub n_repetitions: usize,
    /// In each repetition: the prompts that chose the setting, and those that were left untouched.
    pub n_prompts: [usize; 2],
    /// In how many repetitions the mean cost lay within its interval.
    pub cost: usize,
    /// The same for the mean score.
    pub accuracy: usize,
    /// The same for each LLM's share.
    pub shares: Vec<ModelShare<usize>>,
    /// The mean length of the intervals for costs, in US dollars per 1,000 prompts.
    pub usd_per_1k_length: f64,
}

impl Calibrator {
    /// Calibrates `n_repetitions` times, each time with other prompts untouched, and counts how often the results on those lie within the
    /// predicted intervals. `on_progress` counts repetitions.
    ///
    /// The repetitions share their prompts, so they are not independent. But each time the two halves have no prompt in common, and the
    /// difference of their means varies as that of two samples does: over all ways to divide N prompts into n and N - n, its variance is
    /// s^2 (1/n + 1/(N - n)).
    ///
    /// # Errors
    /// As for [`Calibrator::calibrate`].
    pub fn coverage(
        &self,
        n_repetitions: usize,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Coverage, CalibrationError> {
        let Calibrator {
            held_out,
            goal,
            settings,
            ..
        } = self;
        let mut shares = vec![0; held_out.models().len()];
        let mut coverage = Coverage {
            dataset: held_out.dataset().to_owned(),
            router: held_out.router().to_owned(),
            target: goal.target().clone(),
            level: settings.level,
            n_repetitions,
            n_prompts: [0; 2],
            cost: 0,
            accuracy: 0,
            shares: Vec::new(),
            usd_per_1k_length: 0.0,
        };
        for repetition in 0..n_repetitions {
            // Consecutive seeds, so that a single repetition can be repeated as a calibration with its seed.
            let seed = settings.seed.wrapping_add(repetition as u32);
            let calibrated = self.calibrate_with(seed)?;
            let (found, realized) = (&calibrated.found, &calibrated.realized);
            let holds = |interval: &Interval, value: f64| {
                usize::from(interval.low <= value && value <= interval.high)
            };
            coverage.n_prompts = [found.in_sample.n_prompts, realized.n_prompts];
            coverage.cost += holds(&found.cost_usd, realized.point.cost_usd);
            coverage.accuracy += holds(&found.accuracy, realized.point.accuracy);
            let of_models = found.shares.iter().zip(&realized.shares);
            for (n, (interval, &share)) in shares.iter_mut().zip(of_models) {
                *n += holds(interval, share);
            }
            let length = found.cost_usd.high - found.cost_usd.low;
            coverage.usd_per_1k_length += 1e3 * length / n_repetitions as f64;
            on_progress(1);
        }
        coverage.shares = with_names(held_out.models(), shares);
        Ok(coverage)
    }
}
