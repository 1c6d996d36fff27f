//! The exact curve against the routing rule itself, applied afresh at each lambda.

use dataset::PairIdx;
use evaluation::{
    Curve, CurvePoint, Propensities, Truth,
    baseline::single_models,
    choice::{choose, point_at},
    curve::{Grid, exact_curve, grid_curve, hull, pair_curve},
};
use ndarray::{Array2, Axis};
use proptest::prelude::*;

use self::tables::{Kind, Table, random_table};

mod any_table;
mod tables;

/// A point is a compensated sum over a few thousand changes divided by a count; a fresh mean is one over a few thousand terms.
const SAME_MEAN: f64 = 1e-12;
/// So near to a crossing, rounding decides which of the two LLMs has the larger objective.
const AT_A_CROSSING: f64 = 1e-9;

/// As if all predictions came true, so that the curve's means are means of predictions.
fn come_true(table: &Table) -> Table {
    Table {
        scores: table.predicted_scores.clone(),
        cost_usd: table.predicted_cost_usd.clone(),
        ..table.clone()
    }
}

fn any_table() -> impl Strategy<Value = Table> {
    any_table::any_table(1..12, 1..7)
}

fn exact(table: &Table) -> Curve {
    exact_curve(&table.truth(), table.predicted()).expect("a choice")
}

fn same(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || (a - b).abs() <= SAME_MEAN * a.abs().max(b.abs()).max(1e-3)
}

fn same_point(a: CurvePoint, b: CurvePoint) -> bool {
    same(a.cost_usd, b.cost_usd) && same(a.accuracy, b.accuracy)
}

/// The exact curve's point for a grid's lambda; `None` where it lies on a crossing.
fn look_up(curve: &Curve, lambda: f64, cost_multiplier: f64) -> Option<CurvePoint> {
    let (first, last) = (curve.points[0], curve.points[curve.points.len() - 1]);
    if lambda == 0.0 {
        return Some(first);
    }
    if lambda == 1.0 {
        return Some(last);
    }
    let mu = cost_multiplier * lambda / (1.0 - lambda);
    let mu_of = |point: &CurvePoint| point.setting / (1.0 - point.setting);
    let at_a_crossing = |point: &CurvePoint| (mu_of(point) - mu).abs() <= AT_A_CROSSING * mu;
    if curve.points.iter().any(at_a_crossing) {
        return None;
    }
    let n_before = curve.points.partition_point(|point| mu_of(point) < mu);
    Some(curve.points[n_before - 1])
}

/// Whether the LLM's score and cost are known on the prompt.
fn is_known(table: &Table, i: usize, m: usize) -> bool {
    table.scores[[i, m]].is_finite() && table.cost_usd[[i, m]].is_finite()
}

/// The mean over some choices that are known, each of which stands for 1 / the LLM's share of known scores; NaN where none is.
fn mean_of(table: &Table, chosen: impl Fn(usize) -> Option<usize>) -> (f64, f64) {
    let (n_prompts, n_models) = table.scores.dim();
    let n_known = |m: usize| (0..n_prompts).filter(|&i| is_known(table, i, m)).count() as f64;
    let n_known: Vec<f64> = (0..n_models).map(n_known).collect();
    let (mut weights, mut cost_usd, mut accuracy) = (0.0, 0.0, 0.0);
    for i in 0..n_prompts {
        let is_scored = (0..n_models).any(|m| is_known(table, i, m));
        let chosen = chosen(i).filter(|&m| is_scored && is_known(table, i, m));
        if let Some(m) = chosen {
            let weight = 1.0 / n_known[m];
            weights += weight;
            cost_usd += weight * table.cost_usd[[i, m]];
            accuracy += weight * f64::from(table.scores[[i, m]]);
        }
    }
    (cost_usd / weights, accuracy / weights)
}

/// The rule applied to each prompt, and a mean.
fn by_hand(table: &Table, lambda: f64) -> CurvePoint {
    let chosen = |i: usize| {
        let (scores, costs) = (
            table.predicted_scores.row(i),
            table.predicted_cost_usd.row(i),
        );
        choose(&scores.to_vec(), &costs.to_vec(), lambda, 1.0)
    };
    let (cost_usd, accuracy) = mean_of(table, chosen);
    CurvePoint {
        setting: lambda,
        cost_usd,
        accuracy,
    }
}

/// Checks every nth point of a curve in the middle of the lambdas for which it holds, and both ends. Returns how many there were.
fn check_points(table: &Table, every_nth: usize) -> usize {
    let curve = exact(table);
    let mut n_checked = 2;
    for (lambda, point) in [
        (0.0, curve.points[0]),
        (1.0, curve.points[curve.points.len() - 1]),
    ] {
        assert!(
            same_point(point, by_hand(table, lambda)),
            "{point:?} at {lambda}"
        );
    }
    for pair in curve.points.windows(2).step_by(every_nth) {
        let lambda = f64::midpoint(pair[0].setting, pair[1].setting);
        if pair[1].setting - pair[0].setting > AT_A_CROSSING {
            let expected = by_hand(table, lambda);
            assert!(
                same_point(pair[0], expected),
                "{:?}, expected {expected:?}",
                pair[0]
            );
            n_checked += 1;
        }
    }
    n_checked
}

proptest! {
    #[test]
    fn every_point_of_the_grid_lies_on_the_exact_curve(
        table in any_table(),
        cost_multiplier in prop_oneof![Just(1.0), Just(100.0), Just(1000.0)],
    ) {
        let curve = exact(&table);
        let grid = Grid { n_steps: 50, cost_multiplier };
        let on_grid = grid_curve(&table.truth(), table.predicted(), grid).expect("a choice");
        prop_assert_eq!(on_grid.points.len(), 51);
        prop_assert_eq!(on_grid.n_prompts, curve.n_prompts);
        for point in on_grid.points {
            if let Some(expected) = look_up(&curve, point.setting, cost_multiplier) {
                prop_assert!(same_point(point, expected), "{:?}, exactly {:?}", point, expected);
            }
        }
    }

    #[test]
    fn every_point_is_a_fresh_mean_of_the_rule(table in any_table()) {
        prop_assert!(check_points(&table, 1) >= 2);
    }

    #[test]
    fn a_point_at_one_lambda_is_the_rule(table in any_table(), lambda in 0.0..=1.0_f64) {
        let expected = by_hand(&table, lambda);
        match point_at(&table.truth(), table.predicted(), lambda, 1.0) {
            Ok(found) => prop_assert!(same_point(found, expected)),
            Err(_) => prop_assert!(!expected.is_known()),
        }
    }

    #[test]
    fn predicted_score_and_cost_fall_and_the_predicted_objective_is_the_best(table in any_table()) {
        let table = come_true(&table);
        // What is never predicted is never chosen, so nothing is missing: each prompt stands for itself.
        let ones = Propensities::recorded(Array2::ones(table.scores.dim())).expect("probabilities");
        let truth = Truth::with_propensities(table.scores.view(), table.cost_usd.view(), ones);
        let curve = exact_curve(&truth.expect("a truth"), table.predicted()).expect("a choice");
        for pair in curve.points.windows(2) {
            prop_assert!(pair[0].setting < pair[1].setting || pair[1].setting == 0.0);
            prop_assert!(pair[1].cost_usd <= pair[0].cost_usd + SAME_MEAN);
            prop_assert!(pair[1].accuracy <= pair[0].accuracy + SAME_MEAN);
            // No other point of the curve does better where this one holds.
            let lambda = f64::midpoint(pair[0].setting, pair[1].setting);
            let objective = |point: &CurvePoint| (1.0 - lambda) * point.accuracy - lambda * point.cost_usd;
            for other in &curve.points {
                prop_assert!(objective(&pair[0]) >= objective(other) - SAME_MEAN);
            }
        }
    }

    #[test]
    fn more_budget_never_buys_less(table in any_table()) {
        let curve = exact(&table);
        let budgets = (0..=20).map(|i| 0.001 * f64::from(i));
        let bought: Vec<f64> = budgets
            .map(|budget| curve.best_within(budget).map_or(f64::NEG_INFINITY, |point| point.accuracy))
            .collect();
        prop_assert!(bought.is_sorted());
    }

    #[test]
    fn the_order_of_prompts_does_not_matter(table in any_table()) {
        let backwards: Vec<usize> = (0..table.scores.nrows()).rev().collect();
        let (curve, turned) = (exact(&table), exact(&table.only(&backwards)));
        prop_assert_eq!(curve.points.len(), turned.points.len());
        for (a, b) in curve.points.iter().zip(&turned.points) {
            prop_assert_eq!(a.setting, b.setting);
            prop_assert!(same_point(*a, *b));
        }
    }

    #[test]
    fn a_pair_curve_is_the_rule_at_each_threshold(
        table in any_table::any_table(1..12, 2..7),
        quarters in prop::collection::vec(0_u8..=4, 12),
    ) {
        let n_prompts = table.scores.nrows();
        let probabilities: Vec<f32> = quarters[..n_prompts].iter().map(|&q| f32::from(q) / 4.0).collect();
        let pair @ PairIdx { small, large } = PairIdx { small: 0, large: 1 };
        let Ok(curve) = pair_curve(&table.truth(), pair, &probabilities) else {
            return Ok(());
        };
        prop_assert!(curve.points.is_sorted_by(|a, b| a.setting > b.setting));
        for point in &curve.points {
            let chosen = |i: usize| if f64::from(probabilities[i]) >= point.setting { small } else { large };
            let (cost_usd, accuracy) = mean_of(&table, |i| Some(chosen(i)));
            let expected = CurvePoint { setting: point.setting, cost_usd, accuracy };
            prop_assert!(same_point(*point, expected), "{:?}, expected {:?}", point, expected);
        }
        let ends = single_models(&table.truth());
        let last = curve.points[curve.points.len() - 1];
        for (end, point) in [(ends[1], curve.points[0]), (ends[0], last)] {
            let end = end.expect("both are known");
            prop_assert!(same(end.cost_usd, point.cost_usd) && same(end.accuracy, point.accuracy));
        }
    }
}

#[test]
fn a_hundred_llms() {
    let table = random_table(Kind::Fine, 60, 100, 42);
    assert!(check_points(&table, 1) > 60, "a curve of many points");
}

#[test]
fn thousands_of_prompts_leave_no_rounding_behind() {
    let table = random_table(Kind::Fine, 3_000, 5, 42);
    assert!(check_points(&table, 20) > 100, "a curve of many points");
}

#[test]
fn a_router_that_knows_nothing_stays_on_the_llms_own_hull() {
    // The same prediction for every prompt is RouterBench's Zero router without mixing: each point is one LLM.
    let table = random_table(Kind::Fine, 50, 6, 42);
    let means = |matrix: &Array2<f64>| {
        matrix
            .mean_axis(Axis(0))
            .expect("prompts")
            .broadcast((50, 6))
            .expect("one row each")
            .to_owned()
    };
    let table = Table {
        predicted_scores: means(&table.scores.mapv(f64::from)).mapv(|score| score as f32),
        predicted_cost_usd: means(&table.cost_usd),
        ..table
    };
    let singles: Vec<_> = single_models(&table.truth())
        .into_iter()
        .flatten()
        .collect();
    let corners = hull(&singles);
    let curve = exact(&table);
    assert_eq!(curve.points.len(), corners.len());
    for (point, corner) in curve.points.iter().rev().zip(corners) {
        assert!(same(point.cost_usd, corner.cost_usd) && same(point.accuracy, corner.accuracy));
    }
}
