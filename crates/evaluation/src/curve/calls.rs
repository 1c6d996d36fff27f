use dataset::PairIdx;
use ndarray::Array1;

use crate::{
    Predicted, Result, Truth,
    curve::events::{Events, Swept},
    metric::formulas::SAME_ACCURACY,
    sum::Sum,
};

/// An operating point of a binary router by how often it calls the large LLM, as RouteLLM has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CallPoint {
    /// The share of prompts that the large LLM answers, in [0, 1].
    pub large_share: f64,
    /// Mean true score.
    pub accuracy: f64,
}

/// All that a binary router can do, from the large LLM alone (share 1) to the small one alone (share 0): the points of
/// [`crate::curve::pair_curve`] with calls in place of costs, and which prompts count is as there.
///
/// # Errors
/// As for [`crate::curve::pair_curve`].
pub fn call_curve(
    truth: &Truth<'_>,
    pair: PairIdx,
    small_win_probability: &[f32],
) -> Result<Vec<CallPoint>> {
    let events = Events::pair(truth, pair, small_win_probability)?;
    let n_prompts = events.n_prompts() as u64;
    let mut points = Vec::with_capacity(events.n_changes() + 1);
    events.sweep(|_| 1, |swept| points.extend(call_point(swept, n_prompts)));
    Ok(points)
}

/// Calls count every prompt's choice, accuracy those that are known; `None` where none is.
pub(crate) fn call_point(swept: Swept, n_prompts: u64) -> Option<CallPoint> {
    Some(CallPoint {
        large_share: (n_prompts - swept.n_changed) as f64 / n_prompts as f64,
        accuracy: swept.point?.accuracy,
    })
}

/// How much a per-LLM router prefers the small LLM of a pair on each prompt, to be taken for a small win probability: its predicted score
/// less the large one's; NaN where one of the predictions is not finite.
///
/// So the calls of a router of many LLMs can be compared with those of a binary one. Predicted costs do not matter: APGR and CPT count calls,
/// and a call costs as much for one prompt as for another. Ours; RouteLLM has binary routers only.
///
/// # Errors
/// [`crate::Error::NoSuchModel`].
pub fn small_preference(
    predicted: &Predicted<'_>,
    PairIdx { small, large }: PairIdx,
) -> Result<Array1<f32>> {
    predicted.check_model(small)?;
    predicted.check_model(large)?;
    let preference = |prompt_idx| {
        let (small_score, _) = predicted.get(prompt_idx, small)?;
        let (large_score, _) = predicted.get(prompt_idx, large)?;
        Some((small_score - large_score) as f32)
    };
    Ok((0..predicted.n_prompts())
        .map(|prompt_idx| preference(prompt_idx).unwrap_or(f32::NAN))
        .collect())
}

/// Average performance gap recovered: the mean over all shares of calls of how far a binary router gets from the small LLM to the large one.
///
/// ```text
/// PGR(s) = (r(s) - r_small) / (r_large - r_small)
/// APGR   = integral from 0 to 1 of PGR(s) ds
///   s     the share of prompts that the large LLM answers
///   r(s)  the router's accuracy there; points are joined by straight lines
/// ```
///
/// Takes the points of [`call_curve`], from share 1 to share 0. A random router is expected to have .5; a router that is worse has less, and
/// one that is better than the large LLM alone may have more than 1. `None` where the large LLM is not the better one, which leaves no gap to
/// recover, and of no points.
///
/// From RouteLLM (arXiv 2406.18665).
///
/// # Deviations
/// The repository (`routellm/evals/evaluate.py`) joins ten points that lie at quantiles of the probability; these are all there are.
pub fn apgr(points: &[CallPoint]) -> Option<f64> {
    let (small, gap) = gap(points)?;
    let area: Sum = points
        .windows(2)
        .map(|pair| {
            let height = f64::midpoint(pair[0].accuracy, pair[1].accuracy) - small;
            (pair[0].large_share - pair[1].large_share) * height
        })
        .collect();
    Some(area.value() / gap)
}

/// Call-performance threshold: the least share of calls to the large LLM with which a binary router recovers a part of the gap.
///
/// ```text
/// CPT(x) = min { s : PGR(s) >= x }        PGR as for `apgr`, between points on straight lines
/// ```
///
/// Takes the points of [`call_curve`] and a part `x` in [0, 1], .2, .5 and .8 in the source. A random router is expected to have `x` itself.
/// `None` as for [`apgr`], and where `x` is beyond 1 and never reached.
///
/// From RouteLLM (arXiv 2406.18665).
///
/// # Deviations
/// The repository looks the accuracy up with NumPy's `interp`, which takes it for granted that accuracy rises with calls. Where it does, that is
/// the same; where it does not, this is the first crossing.
pub fn cpt(points: &[CallPoint], recovered: f64) -> Option<f64> {
    let (small, gap) = gap(points)?;
    let target = small + recovered * gap;
    let last = points.last()?;
    // Reached with the fewest calls there are.
    let reaches = |point: &CallPoint| point.accuracy >= target - SAME_ACCURACY;
    if reaches(last) {
        return Some(last.large_share);
    }
    // From the fewest calls up: the curve may dip, and the first crossing from this side is the least share that will do.
    points.windows(2).rev().find_map(|pair| {
        let (more, fewer) = (pair[0], pair[1]);
        // The pair before did not end this, so `fewer` does not reach the target and `more` is the higher.
        reaches(&more).then(|| {
            let part = (target - fewer.accuracy) / (more.accuracy - fewer.accuracy);
            fewer.large_share + part.min(1.0) * (more.large_share - fewer.large_share)
        })
    })
}

/// The small LLM's accuracy, and by how much the large one's is above it.
fn gap(points: &[CallPoint]) -> Option<(f64, f64)> {
    let (large, small) = (points.first()?.accuracy, points.last()?.accuracy);
    // No gap, nothing to recover: a share of it would be a division by 0 or change its sign.
    (large - small > SAME_ACCURACY).then_some((small, large - small))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::Error;

    fn points<const N: usize>(pairs: [(f64, f64); N]) -> Vec<CallPoint> {
        pairs
            .map(|(large_share, accuracy)| CallPoint {
                large_share,
                accuracy,
            })
            .to_vec()
    }

    #[test]
    fn gaps_by_hand() {
        let check = |given: &[CallPoint], apgr_expected: Option<f64>, cpts: [Option<f64>; 3]| {
            assert_eq!(apgr(given), apgr_expected, "{given:?}");
            assert_eq!(
                [0.25, 0.5, 1.0].map(|part| cpt(given, part)),
                cpts,
                "{given:?}"
            );
        };
        // Two ends only: a random router.
        check(
            &points([(1.0, 0.75), (0.0, 0.25)]),
            Some(0.5),
            [Some(0.25), Some(0.5), Some(1.0)],
        );
        // The gap is .5. At half the calls all of it: areas .5 * 1 + .5 * .5.
        check(
            &points([(1.0, 0.75), (0.5, 0.75), (0.0, 0.25)]),
            Some(0.75),
            [Some(0.125), Some(0.25), Some(0.5)],
        );
        // Down first, PGR 0 -> -.5 -> 1, then beyond: from the left .25 at half of .5 to 1.
        // Areas .5 * -.25 + .5 * .25 = 0. PGR .25 at .5 + .5 * .75 / 1.5, .5 at .5 + .5 / 1.5.
        let dented = points([(1.0, 0.75), (0.5, 0.0), (0.0, 0.25)]);
        check(
            &dented,
            Some(0.0),
            [Some(0.75), Some(0.5 + 0.5 * (0.5 / 0.75)), Some(1.0)],
        );
        // The first of two crossings counts: PGR 0, 1, 0, 1 at shares 0, .25, .75, 1.
        let waves = points([(1.0, 0.75), (0.75, 0.25), (0.25, 0.75), (0.0, 0.25)]);
        check(&waves, Some(0.5), [Some(0.0625), Some(0.125), Some(0.25)]);
        // Nothing to recover.
        check(&points([(1.0, 0.5), (0.0, 0.5)]), None, [None, None, None]);
        check(&points([(1.0, 0.25), (0.0, 0.5)]), None, [None, None, None]);
        check(&[], None, [None, None, None]);
    }

    #[test]
    fn parts_beyond_all_have_an_answer() {
        let line = points([(1.0, 0.75), (0.0, 0.25)]);
        assert_eq!(cpt(&line, 0.0), Some(0.0));
        assert_eq!(cpt(&line, -1.0), Some(0.0));
        assert_eq!(cpt(&line, 1.5), None);
        assert_eq!(cpt(&line, f64::NAN), None);
    }

    #[test]
    fn calls_are_counted_and_ties_change_together() {
        // Small: scores 1, 0, 1, 0; large: 1, 1, 0, 1. The last prompt has no probability.
        let scores = array![[1.0, 1.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]];
        let costs = array![[1.0, 4.0], [1.0, 4.0], [1.0, 4.0], [1.0, 4.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let curve = call_curve(
            &truth,
            PairIdx { small: 0, large: 1 },
            &[0.5, 0.25, 0.5, f32::NAN],
        )
        .expect("a curve");
        let third = 1.0 / 3.0;
        assert_eq!(
            curve,
            points([(1.0, 2.0 * third), (third, 1.0), (0.0, 2.0 * third)])
        );
    }

    #[test]
    fn a_preference_is_the_difference_of_predicted_scores() {
        let scores = array![[0.25, 0.5, 0.0], [1.0, 0.5, 0.0], [f32::NAN, 0.5, 0.0]];
        let costs = array![[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]];
        let predicted = Predicted::new(scores.view(), costs.view()).expect("predictions");
        let preference =
            small_preference(&predicted, PairIdx { small: 0, large: 1 }).expect("two LLMs");
        assert_eq!((preference[0], preference[1]), (-0.25, 0.5));
        assert!(preference[2].is_nan());
        assert_eq!(
            small_preference(&predicted, PairIdx { small: 0, large: 3 }),
            Err(Error::NoSuchModel {
                model_idx: 3,
                n_models: 3
            })
        );
    }
}
