use crate::{
    Curve, CurvePoint, Error, Point, Predicted, Result, Truth,
    curve::{Grid, exact_curve, grid_curve},
    point::Routed,
    rule::{point_at, shares_at},
};

/// Among which lambdas to choose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lambdas {
    /// All that make a difference, see [`exact_curve`].
    Exact,
    /// Those of a grid, see [`grid_curve`]; for parity with the paper's figures.
    Grid(Grid),
}

/// A lambda that was chosen on one set of prompts, to be used on another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LambdaChoice {
    /// The least lambda from which the router decides as chosen on the prompts it was chosen on.
    pub low: f64,
    /// The lambda up to which it does. On a grid, where one lambda is all that was tried, the same.
    pub high: f64,
    /// The lambda to use: the middle, since on a crossing the other prompts would be anyone's guess.
    pub lambda: f64,
    /// The cost multiplier that goes with it.
    pub cost_multiplier: f64,
    /// The router's point on the prompts that lambda was chosen on: in-sample, hence optimistic.
    pub expected: Point,
}

/// A threshold that was chosen for a binary router.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThresholdChoice {
    /// The thresholds for which the router decides as chosen lie above this one; minus infinity if the small LLM answers everything.
    pub low: f64,
    /// The largest of them; infinity if the large LLM answers everything.
    pub high: f64,
    /// The threshold to use: the middle, or the end that is finite; infinity for the large LLM alone.
    pub threshold: f64,
    /// The router's point on the prompts that the threshold was chosen on.
    pub expected: Point,
}

/// Chooses lambda by a budget: the largest accuracy whose mean cost is at most `budget_usd` per prompt, the cheapest of several; `None` where
/// the router cannot do with so little. Choose on validation prompts and [apply](LambdaChoice::apply) to test prompts; the mean cost there is
/// about the budget, and may exceed it.
///
/// With predictions as truth the choice is what the router itself expects, and needs no labels.
///
/// # Errors
/// [`Error::BadBudget`] for a budget that is NaN or negative; others as for [`exact_curve`] or [`grid_curve`].
pub fn choose_lambda(
    truth: &Truth<'_>,
    predicted: Predicted<'_>,
    budget_usd: f64,
    lambdas: Lambdas,
) -> Result<Option<LambdaChoice>> {
    check_budget(budget_usd)?;
    Ok(lambdas.choose(&lambdas.curve(truth, predicted)?, budget_usd))
}

/// The choice of [`choose_lambda`] on an exact curve that was computed before.
pub fn lambda_within(curve: &Curve, budget_usd: f64) -> Option<LambdaChoice> {
    let (point, next) = best_and_next(curve, budget_usd)?;
    let high = next.map_or(1.0, |next| next.setting);
    Some(LambdaChoice {
        low: point.setting,
        high,
        lambda: f64::midpoint(point.setting, high),
        cost_multiplier: 1.0,
        expected: point.into(),
    })
}

/// The same for a binary router's curve, see [`crate::curve::pair_curve`].
pub fn threshold_within(curve: &Curve, budget_usd: f64) -> Option<ThresholdChoice> {
    let (point, next) = best_and_next(curve, budget_usd)?;
    let low = next.map_or(f64::NEG_INFINITY, |next| next.setting);
    let threshold = if low.is_finite() {
        f64::midpoint(low, point.setting)
    } else {
        point.setting
    };
    Some(ThresholdChoice {
        low,
        high: point.setting,
        threshold,
        expected: point.into(),
    })
}

/// The point to take, and the one at whose lambda or threshold it ends.
fn best_and_next(curve: &Curve, budget_usd: f64) -> Option<(CurvePoint, Option<CurvePoint>)> {
    let point_idx = curve.best_idx_within(budget_usd)?;
    let next = curve.points.get(point_idx + 1).copied();
    Some((curve.points[point_idx], next))
}

impl Lambdas {
    pub(crate) fn curve(self, truth: &Truth<'_>, predicted: Predicted<'_>) -> Result<Curve> {
        match self {
            Self::Exact => exact_curve(truth, predicted),
            Self::Grid(grid) => grid_curve(truth, predicted, grid),
        }
    }

    /// Chooses on a curve that was made by [`Lambdas::curve`].
    pub(crate) fn choose(self, curve: &Curve, budget_usd: f64) -> Option<LambdaChoice> {
        match self {
            Self::Exact => lambda_within(curve, budget_usd),
            Self::Grid(grid) => curve.best_within(budget_usd).map(|point| LambdaChoice {
                low: point.setting,
                high: point.setting,
                lambda: point.setting,
                cost_multiplier: grid.cost_multiplier,
                expected: point.into(),
            }),
        }
    }
}

impl LambdaChoice {
    /// Routes prompts, others than those it was chosen on as a rule, with the chosen lambda.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::NothingToChoose`].
    pub fn apply(&self, truth: &Truth<'_>, predicted: Predicted<'_>) -> Result<Routed> {
        let (lambda, cost_multiplier) = (self.lambda, self.cost_multiplier);
        Ok(Routed {
            point: point_at(truth, predicted, lambda, cost_multiplier)?.into(),
            shares: shares_at(truth, predicted, lambda, cost_multiplier)?,
        })
    }
}

pub(crate) fn check_budget(budget: f64) -> Result<()> {
    if budget >= 0.0 {
        Ok(())
    } else {
        Err(Error::BadBudget { budget })
    }
}

#[cfg(test)]
mod tests {
    use dataset::PairIdx;
    use ndarray::{Array2, array};

    use super::*;
    use crate::curve::pair_curve;

    /// The curve is (4, 1) from lambda 0, (2.5, 1) from 1/13, (.75, .5) from 1/8 and (.5, 0) from 1/3: see the curve's own test.
    fn table() -> (Array2<f32>, Array2<f64>, Array2<f32>) {
        (
            array![[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]],
            array![[4.0, 1.0, 0.5], [4.0, 1.0, 0.5]],
            array![[0.75, 0.5, 0.25], [0.75, 0.25, 0.25]],
        )
    }

    #[test]
    fn choices_by_hand() {
        let (scores, costs, predicted) = table();
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let predicted = Predicted::new(predicted.view(), costs.view()).expect("predictions");
        let check = |budget, expected: Option<(f64, f64, f64)>| {
            let choice = choose_lambda(&truth, predicted, budget, Lambdas::Exact).expect("a curve");
            assert_eq!(choice.is_some(), expected.is_some(), "{budget}");
            let (Some(choice), Some((low, high, cost_usd))) = (choice, expected) else {
                return;
            };
            assert!((choice.low - low).abs() < 1e-15 && (choice.high - high).abs() < 1e-15);
            assert!(choice.low < choice.lambda && choice.lambda < choice.high);
            assert_eq!(choice.expected.cost_usd, cost_usd);
            let routed = choice.apply(&truth, predicted).expect("routed");
            assert_eq!(
                routed.point, choice.expected,
                "the middle is the same point"
            );
            assert_eq!(routed.shares.iter().sum::<f64>(), 1.0);
        };
        // The cheaper of two points with accuracy 1.
        check(f64::INFINITY, Some((1.0 / 13.0, 1.0 / 8.0, 2.5)));
        check(2.5, Some((1.0 / 13.0, 1.0 / 8.0, 2.5)));
        check(2.0, Some((1.0 / 8.0, 1.0 / 3.0, 0.75)));
        check(0.5, Some((1.0 / 3.0, 1.0, 0.5)));
        check(0.25, None);
        for budget in [-1.0, f64::NAN] {
            let error = choose_lambda(&truth, predicted, budget, Lambdas::Exact);
            assert!(matches!(error, Err(Error::BadBudget { .. })));
        }
    }

    #[test]
    fn a_grid_has_no_interval() {
        let (scores, costs, predicted) = table();
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let predicted = Predicted::new(predicted.view(), costs.view()).expect("predictions");
        let grid = Grid {
            n_steps: 10,
            cost_multiplier: 1.0,
        };
        let choice = choose_lambda(&truth, predicted, 1.0, Lambdas::Grid(grid))
            .expect("a curve")
            .expect("within the budget");
        // Lambdas .2 and .3 are both at (.75, .5); the first is taken.
        assert_eq!((choice.low, choice.high, choice.lambda), (0.2, 0.2, 0.2));
        assert_eq!(
            choice.expected,
            Point {
                cost_usd: 0.75,
                accuracy: 0.5
            }
        );
        assert_eq!(
            choice.apply(&truth, predicted).expect("routed").point,
            choice.expected
        );
    }

    #[test]
    fn ties_at_the_ends_leave_the_end_itself() {
        // All scores tied: at lambda 0 exactly the first LLM, just above it the cheapest.
        let (scores, costs) = (array![[1.0, 0.0]], array![[3.0, 1.0]]);
        let tied = array![[0.5, 0.5]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let predicted = Predicted::new(tied.view(), costs.view()).expect("predictions");
        let curve = exact_curve(&truth, predicted).expect("a curve");
        let lambda = |budget| lambda_within(&curve, budget).map(|choice| choice.lambda);
        assert_eq!(lambda(3.0), Some(0.0));
        assert_eq!(lambda(1.0), Some(0.5));
    }

    #[test]
    fn thresholds_by_hand() {
        // Small: scores 1, 0, 1 at cost 1; large: 1, 1, 0 at cost 4. Points: (inf, 4, 2/3), (.75, 3, 1), (.5, 2, 1), (.25, 1, 2/3).
        let scores = array![[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]];
        let costs = array![[1.0, 4.0], [1.0, 4.0], [1.0, 4.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let curve = pair_curve(&truth, PairIdx { small: 0, large: 1 }, &[0.5, 0.25, 0.75])
            .expect("a curve");
        let check = |budget, expected| {
            let choice = threshold_within(&curve, budget);
            assert_eq!(
                choice.map(|c| (c.low, c.threshold, c.high)),
                expected,
                "{budget}"
            );
        };
        check(9.0, Some((0.25, 0.375, 0.5)));
        check(1.0, Some((f64::NEG_INFINITY, 0.25, 0.25)));
        check(0.5, None);
        // The large LLM alone is the best: it is always right here.
        let scores = array![[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let curve = pair_curve(&truth, PairIdx { small: 0, large: 1 }, &[0.5, 0.25, 0.75])
            .expect("a curve");
        let choice = threshold_within(&curve, 9.0).expect("within the budget");
        assert_eq!((choice.low, choice.threshold), (0.75, f64::INFINITY));
    }
}
