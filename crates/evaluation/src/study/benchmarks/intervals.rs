use super::{
    points::{BenchmarkPoint, ratio},
    rows::{Rows, Subset},
};
use crate::{
    Interval, Result, Truth, candidates::Answer, interval::check_level, study::bootstrap::Resamples,
};

/// The numbers of a [`BenchmarkPoint`] with their intervals over the benchmark's test prompts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BenchmarkIntervals {
    /// The reference LLM's accuracy.
    pub reference_accuracy: Interval,
    /// The router's numbers; `None` where it has no point.
    pub router: Option<RouterIntervals>,
}

/// A router's numbers with their intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RouterIntervals {
    /// Its accuracy.
    pub accuracy: Interval,
    /// Its accuracy over the reference LLM's.
    pub accuracy_ratio: Interval,
    /// Its mean cost over the reference LLM's.
    pub cost_ratio: Interval,
}

/// Bootstrap intervals for what [`benchmark_points`](super::benchmark_points) gave: the benchmark's test prompts are resampled, the router's
/// and the reference LLM's together, and sent where they were sent. So the intervals speak of chance in the test prompts, not of how lambda was
/// chosen: with [`LambdaFrom::Test`](super::LambdaFrom::Test), which chooses in hindsight, they are around a number that is too high.
///
/// `test` is as it was for the point. Given resamples count the benchmark's prompts only.
///
/// # Errors
/// [`Error::BadLevel`](crate::Error::BadLevel); [`Error::Shape`](crate::Error::Shape) for given resamples of another number of prompts;
/// [`Error::NoValidation`](crate::Error::NoValidation) for a benchmark that is not among the rows.
pub fn benchmark_intervals(
    test: Rows<'_>,
    reference: usize,
    point: &BenchmarkPoint,
    resamples: &Resamples,
    level: f64,
) -> Result<BenchmarkIntervals> {
    check_level(level)?;
    test.check(reference)?;
    let of_test = Subset::of(&test, &point.benchmark)?;
    let (truth, _) = of_test.views()?;
    resamples.check_fits(&truth)?;
    let references = outcomes(&truth, |_| Some(reference));
    let router = point.router.as_ref().ok();
    let routed = router.map(|router| outcomes(&truth, |prompt_idx| router.chosen[prompt_idx]));

    let (mut reference_accuracies, mut routers) = (Vec::new(), [const { Vec::new() }; 3]);
    let mut counts = Vec::new();
    for resample_idx in 0..resamples.len() {
        resamples.count(resample_idx, &truth, &mut counts);
        let reference = means(&references, &counts);
        reference_accuracies.push(reference.0);
        if let Some(routed) = &routed {
            let (accuracy, cost_usd) = means(routed, &counts);
            let values = [
                accuracy,
                ratio(accuracy, reference.0),
                ratio(cost_usd, reference.1),
            ];
            routers
                .iter_mut()
                .zip(values)
                .for_each(|(all, value)| all.push(value));
        }
    }
    let [accuracies, accuracy_ratios, cost_ratios] = routers;
    Ok(BenchmarkIntervals {
        reference_accuracy: Interval::new(point.reference.accuracy, reference_accuracies, level),
        router: router.map(|router| RouterIntervals {
            accuracy: Interval::new(router.routed.point.accuracy, accuracies, level),
            accuracy_ratio: Interval::new(router.accuracy_ratio, accuracy_ratios, level),
            cost_ratio: Interval::new(router.cost_ratio, cost_ratios, level),
        }),
    })
}

/// What came of each prompt, where it went to an LLM that is known on it.
fn outcomes(truth: &Truth<'_>, chosen: impl Fn(usize) -> Option<usize>) -> Vec<Option<Answer>> {
    let answer = |prompt_idx| Some(truth.answer(prompt_idx, chosen(prompt_idx)?));
    (0..truth.n_prompts())
        .map(|prompt_idx| answer(prompt_idx).filter(Answer::is_known))
        .collect()
}

/// Mean score and mean cost over the prompts that were drawn; NaN where none of them has any.
fn means(outcomes: &[Option<Answer>], counts: &[u32]) -> (f64, f64) {
    let (mut score, mut cost, mut n_prompts) = (0.0, 0.0, 0.0);
    for (outcome, &count) in outcomes.iter().zip(counts) {
        if let Some(answer) = outcome {
            let weight = f64::from(count) * answer.weight;
            score += weight * answer.score;
            cost += weight * answer.cost;
            n_prompts += weight;
        }
    }
    (score / n_prompts, cost / n_prompts)
}
