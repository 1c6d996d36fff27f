use evaluation::{
    Interval,
    choice::{Standing, is_missed},
};
use saved_routers::{CalibrationTarget, ModelShare};
use serde::Serialize;

use super::{
    calibrator::{CalibratedChoice, Calibrator},
    record::with_names,
};
use crate::CalibrationError;

/// How often untouched prompts missed the goal, and how often their results lay within the predicted intervals, see [`Calibrator::coverage`].
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
    /// With which probability the goal was promised, if it was.
    pub confidence: Option<f64>,
    /// What came of the settings.
    pub outcome: Outcome,
    /// Where the goal was promised: what came of the settings that meet it in the mean only.
    pub in_the_mean: Option<Outcome>,
    /// In how many repetitions nothing could be promised; they count nowhere else.
    pub n_refused: usize,
    /// In how many repetitions the mean cost lay within its interval.
    pub cost: usize,
    /// The same for the mean score.
    pub accuracy: usize,
    /// The same for each LLM's share.
    pub shares: Vec<ModelShare<usize>>,
    /// The mean length of the intervals for costs, in US dollars per 1,000 prompts.
    pub usd_per_1k_length: f64,
}

/// What came of settings on untouched prompts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Outcome {
    /// In how many repetitions they missed the goal: cost more, scored less, or called the LLM more often.
    pub n_missed: usize,
    /// Their mean cost over the repetitions, in US dollars per 1,000 prompts.
    pub usd_per_1k: f64,
    /// Their mean score over the repetitions.
    pub accuracy: f64,
}

impl Outcome {
    fn add(&mut self, is_missed: bool, realized: &Standing) {
        self.n_missed += usize::from(is_missed);
        self.usd_per_1k += 1e3 * realized.point.cost_usd;
        self.accuracy += realized.point.accuracy;
    }

    /// Sums over `n` repetitions become means.
    fn over(&mut self, n: usize) {
        self.usd_per_1k /= n as f64;
        self.accuracy /= n as f64;
    }
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
        let evaluation_goal = goal.resolve(held_out.models())?;
        let mut shares = vec![0; held_out.models().len()];
        let mut coverage = Coverage {
            dataset: held_out.dataset().to_owned(),
            router: held_out.router().to_owned(),
            target: goal.target().clone(),
            level: settings.level,
            n_repetitions,
            n_prompts: [0; 2],
            confidence: self.confidence,
            outcome: Outcome::default(),
            in_the_mean: self.confidence.map(|_| Outcome::default()),
            n_refused: 0,
            cost: 0,
            accuracy: 0,
            shares: Vec::new(),
            usd_per_1k_length: 0.0,
        };
        let mut last_refusal = None;
        for repetition in 0..n_repetitions {
            // Consecutive seeds, so that a single repetition can be repeated as a calibration with its seed.
            let seed = settings.seed.wrapping_add(repetition as u32);
            let calibrated = match self.calibrate_with(seed) {
                Err(
                    refusal @ (CalibrationError::NotPromised { .. }
                    | CalibrationError::NotSupported { .. }),
                ) => {
                    coverage.n_refused += 1;
                    last_refusal = Some(refusal);
                    on_progress(1);
                    continue;
                }
                calibrated => calibrated?,
            };
            let (_, untouched) = held_out.part(settings.holdout_share, seed)?;
            let truth = untouched.truth()?;
            let is_missed =
                |choice: &CalibratedChoice| is_missed(&truth, evaluation_goal, &choice.realized);
            if let (Some(outcome), Some(choice)) =
                (&mut coverage.in_the_mean, &calibrated.in_the_mean)
            {
                outcome.add(is_missed(choice)?, &choice.realized);
            }
            let choice = &calibrated.choice;
            coverage.outcome.add(is_missed(choice)?, &choice.realized);
            let (found, realized) = (&choice.found, &choice.realized);
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
            coverage.usd_per_1k_length += 1e3 * (found.cost_usd.high - found.cost_usd.low);
            on_progress(1);
        }
        let n_promised = n_repetitions - coverage.n_refused;
        if let (0, Some(refusal)) = (n_promised, last_refusal) {
            return Err(refusal);
        }
        coverage.outcome.over(n_promised);
        if let Some(outcome) = &mut coverage.in_the_mean {
            outcome.over(n_promised);
        }
        coverage.usd_per_1k_length /= n_promised as f64;
        coverage.shares = with_names(held_out.models(), shares);
        Ok(coverage)
    }
}
