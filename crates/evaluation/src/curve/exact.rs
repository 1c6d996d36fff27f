use dataset::PairIdx;

use crate::{
    Curve, CurvePoint, Error, Predicted, Result, Truth,
    candidates::Candidates,
    curve::events::Events,
    rule::{check_multiplier, point_of},
};

/// Which lambdas to try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Number of steps from 0 to 1; there is one lambda more than steps. The paper's figures take 1,000, one takes 100.
    pub n_steps: usize,
    /// Brings dollars to the scale of scores, see [`crate::choice::choose`]. The paper's figures take 1, 100 or 1,000.
    pub cost_multiplier: f64,
}

/// The whole routing curve: every point that a router can reach by moving lambda from 0 to 1.
///
/// ```text
/// (1 - lambda) * score[m] - lambda * cost[m]   is proportional to   score[m] - mu * cost[m],   mu = lambda / (1 - lambda)
/// ```
///
/// As mu runs from 0 to infinity, each LLM of a prompt is a straight line, and the chosen one is the upper envelope: the choice changes
/// only where two lines of the envelope cross. All crossings of all prompts are sorted once, and one sweep adds and takes away what each
/// changes. Where several prompts change at the same lambda, they make one point.
///
/// The lambda of a point is the least one from which it holds, for a cost multiplier of 1; a grid with multiplier `k` is at the same point
/// for `lambda' = mu / (k + mu)`. Ties are as in [`crate::choice::choose`]: at lambda 0 the first LLM among those with the best score is chosen, just
/// above it the cheapest of them, so two points may have lambda 0; elsewhere lambdas ascend. Where two LLMs tie at a crossing, the point
/// that begins there is the cheaper side. A last point with lambda 1 exists only if ties in cost, which scores no longer break there,
/// change a choice.
///
/// Where scores are missing, the choice is among all LLMs with finite predictions, and a point is a ratio of two step functions of lambda: see
/// [`crate::Propensities`]. Both come from the same sweep, so the curve is as exact.
///
/// Lambdas are doubles: two crossings nearer to each other than 1e-16 in lambda are one, which near 1 is `mu * 1e-16` relative to mu.
///
/// Takes `O(n_prompts * n_models * h + e log e)` for envelopes of `h` lines and `e` crossings in all. Ours; the paper's own code tries a
/// grid, see [`grid_curve`].
///
/// # Errors
/// [`Error::Shape`] or [`Error::NothingToChoose`].
pub fn exact_curve(truth: &Truth<'_>, predicted: Predicted<'_>) -> Result<Curve> {
    curve_of(&Events::per_model(truth, &predicted)?)
}

/// The paper's routing curve: one point for each lambda 0, 1/n, 2/n, ..., 1, whether anything changes between them or not.
///
/// Costs `O(n_prompts * n_models * n_steps)`, and misses what lies between its lambdas: with a multiplier of 1 and costs around a tenth of a
/// cent the step from .999 to 1 holds nearly the whole cheap end. [`exact_curve`] has all points; this one is for parity with published
/// curves (CARROT repository, the loop over lambda of each plot).
///
/// # Errors
/// [`Error::NoSteps`], [`Error::BadCostMultiplier`], [`Error::Shape`] or [`Error::NothingToChoose`].
pub fn grid_curve(truth: &Truth<'_>, predicted: Predicted<'_>, grid: Grid) -> Result<Curve> {
    if grid.n_steps == 0 {
        return Err(Error::NoSteps);
    }
    check_multiplier(grid.cost_multiplier)?;
    let candidates = Candidates::new(truth, &predicted)?;
    let points: Vec<CurvePoint> = (0..=grid.n_steps)
        .map(|step| {
            let lambda = step as f64 / grid.n_steps as f64;
            let point = point_of(&candidates, lambda, grid.cost_multiplier);
            CurvePoint::new(lambda, point)
        })
        .collect();
    Curve::checked(points, candidates.n_prompts())
}

/// The curve of a binary router: the small LLM answers where its win probability is at least a threshold, else the large one.
///
/// Takes the two positions and one probability per prompt. The first point is the large LLM alone (threshold infinity), then there is one
/// point per distinct probability, from the highest down; at the lowest the small LLM answers everything. Prompts with the same probability
/// change together, so a constant probability gives just the two ends.
///
/// A prompt counts where anything is known of it and the probability is finite. The rule is the CARROT repository's (`p >= alpha`), whose grid of thresholds this replaces.
///
/// # Errors
/// [`Error::NoSuchModel`]; [`Error::Shape`] when there is not one probability per prompt; [`Error::NothingToChoose`] when one of the two LLMs is
/// known on no prompt that counts.
pub fn pair_curve(
    truth: &Truth<'_>,
    pair: PairIdx,
    small_win_probability: &[f32],
) -> Result<Curve> {
    curve_of(&Events::pair(truth, pair, small_win_probability)?)
}

pub(crate) fn curve_of(events: &Events) -> Result<Curve> {
    let mut points = Vec::with_capacity(events.n_changes() + 1);
    events.sweep(
        |_| 1,
        |swept| points.push(CurvePoint::new(swept.at, swept.point)),
    );
    Curve::checked(points, events.n_prompts())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    const NAN: f32 = f32::NAN;

    fn points(curve: &Curve) -> Vec<(f64, f64, f64)> {
        let triple = |point: &CurvePoint| (point.setting, point.cost_usd, point.accuracy);
        curve.points.iter().map(triple).collect()
    }

    fn exact(scores: &Array2<f32>, costs: &Array2<f64>, predicted: &Array2<f32>) -> Result<Curve> {
        let truth = Truth::new(scores.view(), costs.view())?;
        exact_curve(&truth, Predicted::new(predicted.view(), costs.view())?)
    }

    #[test]
    fn a_curve_by_hand() {
        // Prompt 1: lines 0.75 - 4 mu, 0.5 - mu, 0.25 - 0.5 mu. The first two cross at 0.25 / 3 = 1/12, the last two at 0.25 / 0.5 = 1/2,
        // so lambda is (1/12) / (13/12) = 1/13 and (1/2) / (3/2) = 1/3.
        // Prompt 2: 0.75 - 4 mu and 0.25 - 0.5 mu cross at 0.5 / 3.5 = 1/7, and 0.25 - mu never leads; lambda is (1/7) / (8/7) = 1/8.
        let scores = array![[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]];
        let costs = array![[4.0, 1.0, 0.5], [4.0, 1.0, 0.5]];
        let predicted = array![[0.75, 0.5, 0.25], [0.75, 0.25, 0.25]];
        let curve = exact(&scores, &costs, &predicted).expect("a curve");
        let expected = [
            (0.0, 4.0, 1.0),
            (1.0 / 13.0, 2.5, 1.0),
            (1.0 / 8.0, 0.75, 0.5),
            (1.0 / 3.0, 0.5, 0.0),
        ];
        assert_eq!(curve.n_prompts, 2);
        assert_eq!(curve.points.len(), expected.len());
        for (found, expected) in points(&curve).into_iter().zip(expected) {
            assert!((found.0 - expected.0).abs() < 1e-15, "{found:?}");
            assert_eq!((found.1, found.2), (expected.1, expected.2));
        }
    }

    #[test]
    fn prompts_that_change_together_make_one_point() {
        let scores = array![[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]];
        let costs = array![[3.0, 1.0], [3.0, 1.0], [3.0, 1.0]];
        let curve = exact(
            &scores,
            &costs,
            &array![[0.75, 0.25], [0.75, 0.25], [0.75, 0.25]],
        )
        .expect("a curve");
        assert_eq!(points(&curve), [(0.0, 3.0, 1.0), (0.2, 1.0, 0.0)]);
    }

    #[test]
    fn a_few_prompts_by_hand() {
        // Each case: scores, costs and predicted scores, a row per prompt; the points (lambda, cost, accuracy).
        for (what, scores, costs, predicted, expected) in [
            (
                "one LLM is one point",
                array![[1.0], [0.0]],
                array![[3.0], [1.0]],
                array![[0.1], [0.9]],
                &[(0.0, 2.0, 0.5)][..],
            ),
            (
                "one prompt gives its envelope",
                array![[1.0, 0.5]],
                array![[3.0, 1.0]],
                array![[0.75, 0.25]],
                &[(0.0, 3.0, 1.0), (0.2, 1.0, 0.5)],
            ),
            (
                "tied scores go to the first, then to the cheapest",
                array![[1.0, 0.0, 0.5]],
                array![[3.0, 1.0, 2.0]],
                array![[0.5, 0.5, 0.5]],
                &[(0.0, 3.0, 1.0), (0.0, 1.0, 0.0)],
            ),
            (
                "all costs zero leave the best score, until lambda 1 takes the first",
                array![[0.0, 1.0]],
                array![[0.0, 0.0]],
                array![[0.2, 0.7]],
                &[(0.0, 0.0, 1.0), (1.0, 0.0, 0.0)],
            ),
        ] {
            let curve = exact(&scores, &costs, &predicted).expect("a curve");
            assert_eq!(points(&curve), expected, "{what}");
        }
    }

    #[test]
    fn all_predictions_equal_choose_the_first() {
        let (scores, costs) = (
            array![[0.0, 1.0], [1.0, 1.0]],
            array![[5.0, 1.0], [5.0, 1.0]],
        );
        let same = array![[0.5, 0.5], [0.5, 0.5]];
        let same_costs = array![[2.0, 2.0], [2.0, 2.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let predicted = Predicted::new(same.view(), same_costs.view()).expect("predictions");
        let curve = exact_curve(&truth, predicted).expect("a curve");
        assert_eq!(points(&curve), [(0.0, 5.0, 0.5)]);
    }

    #[test]
    fn nan_predictions_are_never_chosen() {
        let curve = exact(
            &array![[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]],
            &array![[3.0, 1.0], [3.0, 1.0], [3.0, 1.0]],
            &array![[NAN, 0.25], [0.75, NAN], [NAN, NAN]],
        )
        .expect("a curve");
        assert_eq!(points(&curve), [(0.0, 2.0, 0.5)]);
        assert_eq!(curve.n_prompts, 2, "the third prompt has no choice");
    }

    #[test]
    fn a_prompt_without_any_known_score_is_left_out() {
        let curve = exact(
            &array![[NAN, NAN], [1.0, 0.0]],
            &array![[3.0, 1.0], [3.0, 1.0]],
            &array![[0.9, 0.1], [0.75, 0.25]],
        )
        .expect("a curve");
        assert_eq!(curve.n_prompts, 1);
        assert_eq!(points(&curve), [(0.0, 3.0, 1.0), (0.2, 1.0, 0.0)]);
    }

    #[test]
    fn nothing_to_choose_is_an_error() {
        let error = exact(&array![[1.0]], &array![[1.0]], &array![[NAN]]).expect_err("no choice");
        assert_eq!(error, Error::NothingToChoose { n_prompts: 1 });
        let error = exact(&array![[NAN]], &array![[1.0]], &array![[0.5]]).expect_err("no truth");
        assert_eq!(error, Error::NothingToChoose { n_prompts: 1 });
    }

    #[test]
    fn predictions_of_another_shape_are_refused() {
        let (scores, costs) = (array![[1.0, 0.0]], array![[1.0, 1.0]]);
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let (few, few_costs) = (array![[1.0]], array![[1.0]]);
        let predicted = Predicted::new(few.view(), few_costs.view()).expect("predictions");
        let error = exact_curve(&truth, predicted).expect_err("another shape");
        assert!(matches!(error, Error::Shape { .. }));
    }

    #[test]
    fn a_grid_has_one_point_per_lambda() {
        let (scores, costs) = (array![[1.0, 0.0]], array![[0.03, 0.01]]);
        let predicted_scores = array![[0.75, 0.25]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let predicted = Predicted::new(predicted_scores.view(), costs.view()).expect("predictions");
        let grid = |n_steps, cost_multiplier| {
            let grid = Grid {
                n_steps,
                cost_multiplier,
            };
            grid_curve(&truth, predicted, grid)
        };
        // The lines cross at mu = 0.5 / 0.02 = 25 per dollar, with multiplier 100 at 0.25: lambda 0.2.
        assert_eq!(
            points(&grid(4, 100.0).expect("a curve")),
            [
                (0.0, 0.03, 1.0),
                (0.25, 0.01, 0.0),
                (0.5, 0.01, 0.0),
                (0.75, 0.01, 0.0),
                (1.0, 0.01, 0.0)
            ]
        );
        assert_eq!(grid(0, 100.0), Err(Error::NoSteps));
        assert!(matches!(grid(4, 0.0), Err(Error::BadCostMultiplier { .. })));
    }

    #[test]
    fn a_pair_curve_goes_from_pure_large_to_pure_small() {
        // Small: scores 1, 0, 1 at cost 1; large: 1, 1, 0 at cost 4.
        let scores = array![[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]];
        let costs = array![[1.0, 4.0], [1.0, 4.0], [1.0, 4.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let curve = |probabilities: &[f32]| {
            pair_curve(&truth, PairIdx { small: 0, large: 1 }, probabilities)
        };
        assert_eq!(
            points(&curve(&[0.5, 0.25, 0.75]).expect("a curve")),
            [
                (f64::INFINITY, 4.0, 2.0 / 3.0),
                (0.75, 3.0, 1.0),
                (0.5, 2.0, 1.0),
                (0.25, 1.0, 2.0 / 3.0)
            ]
        );
        assert_eq!(
            points(&curve(&[0.5, 0.5, 0.5]).expect("a curve")),
            [(f64::INFINITY, 4.0, 2.0 / 3.0), (0.5, 1.0, 2.0 / 3.0)]
        );
        let without_the_third = curve(&[0.5, 0.5, NAN]).expect("a curve");
        assert_eq!(without_the_third.n_prompts, 2);
        assert_eq!(
            curve(&[NAN, NAN, NAN]),
            Err(Error::NothingToChoose { n_prompts: 3 })
        );
        assert!(matches!(curve(&[0.5]), Err(Error::Shape { .. })));
        assert_eq!(
            pair_curve(&truth, PairIdx { small: 0, large: 2 }, &[0.5, 0.5, 0.5]),
            Err(Error::NoSuchModel {
                model_idx: 2,
                n_models: 2
            })
        );
    }
}
