use proptest::prelude::*;

use super::*;
use crate::{curve::hull::turns_right, point::points};

/// Rounding of a handful of operations on numbers up to 1.
const ROUNDING: f64 = 1e-12;

fn range(min_usd: f64, max_usd: f64) -> CostRange {
    CostRange::new(min_usd, max_usd).expect("a good range")
}

#[test]
fn areas_by_hand() {
    let check = |given: &[Point], range, aiq_expected: f64, audc_expected: f64| {
        let found = (
            aiq(given, range).expect("points"),
            audc(given, range).expect("points"),
        );
        assert!(
            (found.0 - aiq_expected).abs() < ROUNDING && (found.1 - audc_expected).abs() < ROUNDING,
            "{given:?} {range:?}: {found:?}"
        );
    };
    // Hull (1, .2), (3, .8): (.2 + .8) / 2 * 2 = 1.0 over a width of 2.
    // Line (1, .2), (2, .4), (3, .8): .3 + .6 = .9.
    let dented = points([(1.0, 0.2), (2.0, 0.4), (3.0, 0.8)]);
    check(&dented, range(1.0, 3.0), 0.5, 0.45);
    // Flat to the right: + .8 * 1, over 3.
    check(&dented, range(1.0, 4.0), 1.8 / 3.0, 1.7 / 3.0);
    // Nothing to the left: the same area over 4.
    check(&dented, range(0.0, 4.0), 1.8 / 4.0, 1.7 / 4.0);
    // Clipped to the second half: hull (.5 + .8) / 2, line (.4 + .8) / 2.
    check(&dented, range(2.0, 3.0), 0.65, 0.6);
    // Clipped within a segment: hull .2 + .3 * .5 = .35 and .2 + .3 * 1.5 = .65, mean .5;
    // line .3 to .4 over .5, .4 to .6 over .5: .175 + .25.
    check(&dented, range(1.5, 2.5), 0.5, 0.425);
    // Beyond all points it is flat, before all points nothing.
    check(&dented, range(5.0, 6.0), 0.8, 0.8);
    check(&dented, range(0.0, 1.0), 0.0, 0.0);
    // Zero width: the height there.
    check(&dented, range(2.0, 2.0), 0.5, 0.4);
    check(&dented, range(0.5, 0.5), 0.0, 0.0);
    check(&dented, range(9.0, 9.0), 0.8, 0.8);
    // A jump at 1 and a fall after 2: hull (1, .6), (2, .8), flat to 3: .7 + .8. Line: .6 to .8, .8 to .4: .7 + .6.
    let jump = points([(3.0, 0.4), (1.0, 0.2), (1.0, 0.6), (2.0, 0.8)]);
    check(&jump, range(1.0, 3.0), 0.75, 0.65);
    check(&jump, range(1.0, 1.0), 0.6, 0.6);
    // One point.
    check(&points([(1.0, 0.5)]), range(0.0, 2.0), 0.25, 0.25);
    // All costs zero: zero width.
    check(&points([(0.0, 0.5), (0.0, 0.7)]), range(0.0, 0.0), 0.7, 0.7);
}

#[test]
fn gains_by_hand() {
    let check = |given: &[Point], baseline: &[Point], range, expected: Option<f64>| {
        let found = gain_over(given, baseline, range);
        let is_same = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < ROUNDING,
            (found, expected) => found == expected,
        };
        assert!(is_same, "{given:?} over {baseline:?}: {found:?}");
    };
    // From 1 to 3: (.5 + .7) / 2 = .6 against (.3 + .5) / 2 = .4.
    let (line, below) = (
        points([(1.0, 0.5), (3.0, 0.7)]),
        points([(0.0, 0.2), (3.0, 0.5)]),
    );
    check(&line, &below, range(0.0, 3.0), Some(0.2));
    check(&below, &line, range(0.0, 3.0), Some(-0.2));
    check(&line, &line, range(0.0, 3.0), Some(0.0));
    // Flat to 5: the distance stays .2.
    check(&line, &below, range(0.0, 5.0), Some(0.2));
    // One cost in common: the distance there.
    check(&line, &below, range(0.0, 1.0), Some(0.2));
    check(&line, &below, range(0.0, 0.5), None);
    check(&[], &below, range(0.0, 3.0), None);
    check(&line, &[], range(0.0, 3.0), None);
}

#[test]
fn a_rounding_error_in_a_cost_changes_nothing() {
    // The last bit of the cost of (2, .8) puts it before or after (2, .2), through which the line enters.
    let at = |cost_usd: f64| points([(1.0, 0.4), (cost_usd, 0.8), (2.0, 0.2), (3.0, 1.0)]);
    let exact = audc(&at(2.0), range(1.0, 3.0)).expect("points");
    // (.4 + .2) / 2 and (.8 + 1) / 2, over a width of 2.
    assert!((exact - 0.6).abs() < ROUNDING);
    for near in [2.0_f64.next_down(), 2.0_f64.next_up()] {
        let found = audc(&at(near), range(1.0, 3.0)).expect("points");
        assert!((found - exact).abs() < ROUNDING, "{near}: {found}");
    }
    // What a sweep leaves of a free LLM's cost is still nothing.
    let swept = points([(1e-19, 0.9), (1.0, 1.0)]);
    let free = Point {
        cost_usd: 0.0,
        accuracy: 0.9,
    };
    assert_eq!(qnc(&swept, free), Some(1.0));
    // A range that is one bit wide is none: its limit is the height at the dearer end.
    let dear = 2.0_f64.next_up();
    let two = points([(2.0, 0.5), (dear, 0.7)]);
    assert_eq!(aiq(&two, range(2.0, dear)), Some(0.7));
}

#[test]
fn areas_of_nothing_are_none() {
    assert_eq!(aiq(&[], range(0.0, 1.0)), None);
    assert_eq!(audc(&[], range(0.0, 0.0)), None);
    assert_eq!(peak_accuracy(&[]), None);
}

#[test]
fn quality_neutral_costs_by_hand() {
    let curve = points([(4.0, 0.9), (2.0, 0.8), (3.0, 0.8), (1.0, 0.3)]);
    let target = |cost_usd, accuracy| Point { cost_usd, accuracy };
    assert_eq!(qnc(&curve, target(4.0, 0.8)), Some(0.5));
    // Three scores of .7, .2 and .1 and three of a third have the same mean on paper; as float32 they are 9e-9 apart.
    let thirds = f64::from(1.0_f32 / 3.0);
    let mixed = (f64::from(0.7_f32) + f64::from(0.2_f32) + f64::from(0.1_f32)) / 3.0;
    assert!((thirds - mixed).abs() > 1e-9);
    for (mean, other) in [(thirds, mixed), (mixed, thirds)] {
        assert_eq!(qnc(&points([(1.0, mean)]), target(2.0, other)), Some(0.5));
    }
    assert_eq!(qnc(&curve, target(4.0, 0.8 + 1e-6)), Some(1.0));
    assert_eq!(qnc(&curve, target(4.0, 0.85)), Some(1.0));
    assert_eq!(qnc(&curve, target(4.0, 0.95)), None);
    assert_eq!(qnc(&[], target(4.0, 0.95)), None);
    let free = points([(0.0, 0.9)]);
    assert_eq!(qnc(&free, target(0.0, 0.9)), Some(1.0));
    assert_eq!(qnc(&curve, target(0.0, 0.9)), Some(f64::INFINITY));

    // (2 - 1) / (5 - 1).
    assert_eq!(qnc_normalized(&curve, 0.8, range(1.0, 5.0)), 0.25);
    assert_eq!(qnc_normalized(&curve, 0.95, range(1.0, 5.0)), 1.0);
    assert_eq!(qnc_normalized(&curve, 0.8, range(3.0, 5.0)), 0.0);
    assert_eq!(qnc_normalized(&curve, 0.8, range(2.0, 2.0)), 0.0);
    assert_eq!(peak_accuracy(&curve), Some(0.9));
}

/// Costs and accuracies that often coincide, and ones that never do.
fn any_points() -> impl Strategy<Value = Vec<Point>> {
    let coarse = (0_u8..5, 0_u8..5).prop_map(|(c, a)| (f64::from(c), f64::from(a) / 4.0));
    let fine = (0.0..4.0_f64, 0.0..1.0_f64);
    let point =
        prop_oneof![coarse, fine].prop_map(|(cost_usd, accuracy)| Point { cost_usd, accuracy });
    prop::collection::vec(point, 1..40)
}

proptest! {
    #[test]
    fn a_hull_is_concave_rising_dominant_and_its_own_hull(points in any_points()) {
        let corners = hull(&points);
        for pair in corners.windows(2) {
            prop_assert!(pair[0].cost_usd < pair[1].cost_usd);
            prop_assert!(pair[0].accuracy < pair[1].accuracy);
        }
        for three in corners.windows(3) {
            prop_assert!(turns_right(three[0], three[1], three[2]));
        }
        for point in &points {
            prop_assert!(height(&corners, point.cost_usd) >= point.accuracy - ROUNDING);
        }
        for point in &corners {
            prop_assert!(points.contains(point), "a hull's corners are points");
        }
        prop_assert_eq!(hull(&corners), corners);
    }

    #[test]
    fn the_order_and_number_of_copies_of_points_do_not_matter(points in any_points()) {
        let twice_turned: Vec<Point> = points.iter().rev().chain(&points).copied().collect();
        prop_assert_eq!(hull(&twice_turned), hull(&points));
        let range = CostRange::over(points.iter().copied()).expect("points");
        prop_assert_eq!(aiq(&twice_turned, range), aiq(&points, range));
    }

    #[test]
    fn more_points_never_lower_the_aiq_and_it_never_falls_below_the_audc(
        points in any_points(),
        n_first in 1_usize..40,
    ) {
        let range = CostRange::over(points.iter().copied()).expect("points");
        let all = aiq(&points, range).expect("points");
        let some = aiq(&points[..n_first.min(points.len())], range).expect("points");
        prop_assert!(all >= some - ROUNDING);
        prop_assert!(all >= audc(&points, range).expect("points") - ROUNDING);
        prop_assert!(all <= peak_accuracy(&points).expect("points") + ROUNDING);
    }
}
