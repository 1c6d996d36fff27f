use std::fmt::Write as _;

use cli_support::Progress;
use evaluation::Interval;
use saved_routers::{CalibrationTarget, ModelShare};
use serde::Serialize;

use super::{Job, target::Target, with_names};

/// How often what came of untouched prompts lay within the intervals.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Checked {
    dataset: String,
    router: String,
    target: CalibrationTarget,
    level: f64,
    n_repetitions: usize,
    /// Prompts that chose, and prompts that were left untouched, in each.
    n_prompts: [usize; 2],
    cost: usize,
    accuracy: usize,
    shares: Vec<ModelShare<usize>>,
    /// The mean length of the intervals for costs, in US dollars per 1,000 prompts.
    usd_per_1k_length: f64,
}

/// Calibrates again and again, each time with other prompts untouched.
///
/// The repetitions share their prompts, so they are not independent; but each time the two halves have no prompt in common, and the difference
/// of their means varies as that of two samples does: over all ways of parting N prompts in n and N - n its variance is s^2 (1/n + 1/(N - n)).
pub(crate) fn run(job: &Job, n_repetitions: usize, quiet: bool) -> anyhow::Result<Checked> {
    let models = &job.held_out.models;
    let mut shares = vec![0; models.len()];
    let mut checked = Checked {
        dataset: job.held_out.dataset.clone(),
        router: job.held_out.router.clone(),
        target: job.target.recorded(),
        level: job.config.level,
        n_repetitions,
        n_prompts: [0; 2],
        cost: 0,
        accuracy: 0,
        shares: Vec::new(),
        usd_per_1k_length: 0.0,
    };
    let bar = Progress::bar("calibrating", n_repetitions as u64, quiet);
    for repetition in 0..n_repetitions {
        let seed = job.config.seed.wrapping_add(repetition as u32);
        let outcome = job.calibrate(seed)?;
        let (found, realized) = (&outcome.found, &outcome.realized);
        let holds = |interval: &Interval, value: f64| {
            usize::from(interval.low <= value && value <= interval.high)
        };
        checked.n_prompts = [found.in_sample.n_prompts, realized.n_prompts];
        checked.cost += holds(&found.cost_usd, realized.point.cost_usd);
        checked.accuracy += holds(&found.accuracy, realized.point.accuracy);
        for ((n, interval), &share) in shares.iter_mut().zip(&found.shares).zip(&realized.shares) {
            *n += holds(interval, share);
        }
        let length = found.cost_usd.high - found.cost_usd.low;
        checked.usd_per_1k_length += 1e3 * length / n_repetitions as f64;
        bar.add(1);
    }
    checked.shares = with_names(models, shares);
    Ok(checked)
}

impl Checked {
    pub(crate) fn table(&self) -> String {
        let n = self.n_repetitions;
        let mut text = format!(
            "{} on {}, {}: chosen on {} prompts and checked on {} others, {n} times\n  within its {}% interval:\n",
            self.router,
            self.dataset,
            Target::describe(&self.target),
            self.n_prompts[0],
            self.n_prompts[1],
            100.0 * self.level
        );
        let shares = self.shares.iter().map(|it| (it.share, it.model.as_str()));
        for (count, what) in [(self.cost, "cost"), (self.accuracy, "accuracy")]
            .into_iter()
            .chain(shares)
        {
            writeln!(text, "  {count:>5} of {n}  {what}").expect("a text takes all");
        }
        text + &format!(
            "  the intervals for costs are ${:.4} per 1,000 prompts long in the mean\n",
            self.usd_per_1k_length
        )
    }
}
