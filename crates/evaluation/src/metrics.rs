use crate::{Error, Point, Result, sum::Sum};

/// How far below a target an accuracy may lie and still count as matching it. A curve's means and an LLM's own are summed in different
/// orders; compensated sums agree far below this, and one prompt more or less moves a mean far more.
const SAME_ACCURACY: f64 = 1e-12;

/// The costs over which an area is taken, in US dollars per prompt. To compare routers, take one range over all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostRange {
    min_usd: f64,
    max_usd: f64,
}

impl CostRange {
    /// From `min_usd` to `max_usd`, which may be equal.
    ///
    /// # Errors
    /// [`Error::BadCostRange`] when one is not finite, or they are in descending order.
    pub fn new(min_usd: f64, max_usd: f64) -> Result<Self> {
        if min_usd.is_finite() && max_usd.is_finite() && min_usd <= max_usd {
            Ok(Self { min_usd, max_usd })
        } else {
            Err(Error::BadCostRange { min_usd, max_usd })
        }
    }

    /// The least range that holds all given points, say of all routers; points that are not finite do not count. `None` of no points.
    pub fn over(points: impl IntoIterator<Item = Point>) -> Option<Self> {
        points
            .into_iter()
            .filter(is_finite)
            .map(|point| Self {
                min_usd: point.cost_usd,
                max_usd: point.cost_usd,
            })
            .reduce(|a, b| Self {
                min_usd: a.min_usd.min(b.min_usd),
                max_usd: a.max_usd.max(b.max_usd),
            })
    }

    /// Lower end.
    pub fn min_usd(self) -> f64 {
        self.min_usd
    }

    /// Upper end.
    pub fn max_usd(self) -> f64 {
        self.max_usd
    }

    fn width_usd(self) -> f64 {
        self.max_usd - self.min_usd
    }

    /// 0 at the lower end, 1 at the upper one, and 0 everywhere if there is nothing between.
    fn normalized(self, cost_usd: f64) -> f64 {
        if self.width_usd() > 0.0 {
            ((cost_usd - self.min_usd) / self.width_usd()).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

/// The non-decreasing convex hull: the best that can be had at each cost by mixing operating points at random.
///
/// Starts at the cheapest point, rises with falling slope, and ends at the most accurate point (the cheapest of several). Ascending in cost
/// and in accuracy; what lies beyond its last point is reached by not spending the rest. Points on a straight line between two others, and
/// points that are not finite, are left out; of duplicates one stays. One point is its own hull, and nothing has an empty one.
///
/// From RouterBench (arXiv 2403.12031).
///
/// # Deviations
/// RouterBench's `evaluation/AIQ.py` also returns each dominated point, lifted to the hull, which changes no area; and it is cubic in the
/// number of points, of which an exact curve has thousands.
pub fn hull(points: &[Point]) -> Vec<Point> {
    let mut hull: Vec<Point> = Vec::new();
    for point in by_cost(points) {
        let rises = |last: &Point| point.accuracy > last.accuracy;
        if !hull.last().is_none_or(rises) {
            continue;
        }
        // Of several points at the cheapest cost only the last, the most accurate, remains.
        while let Some(&last) = hull.last() {
            let is_below = match hull.len() {
                1 => last.cost_usd == point.cost_usd,
                n => !turns_right(hull[n - 2], last, point),
            };
            if !is_below {
                break;
            }
            hull.pop();
        }
        hull.push(point);
    }
    hull
}

/// Average improvement in quality: the mean height of the non-decreasing convex hull over a range of costs.
///
/// ```text
/// AIQ = 1 / (c_max - c_min) * integral from c_min to c_max of R(c) dc
///   R  the router's hull, see `hull`: 0 before its first cost, flat after its last
/// ```
///
/// Takes a router's operating points in any order. A part of the hull outside the range does not count. For a range of zero width the limit
/// is taken: the hull's height at that cost. `None` where there are no points.
///
/// From RouterBench (arXiv 2403.12031).
///
/// # Deviations
/// None from the formula, which leaves open what holds before the first cost; here as in the repository (`evaluation/AIQ.py`) nothing is
/// gained there. The repository divides by the largest cost instead of the range's width, without adding area below the least: that is
/// this function over the range from 0.
pub fn aiq(points: &[Point], range: CostRange) -> Option<f64> {
    mean_height(&hull(points), range)
}

/// Area under the deferral curve: the mean accuracy over a range of costs that is mapped to [0, 1].
///
/// ```text
/// AUDC = integral from 0 to 1 of A(c_min + x (c_max - c_min)) dx
///   A  the operating points in order of cost, joined by straight lines: 0 before the first, flat after the last
/// ```
///
/// Takes a router's operating points in any order; of several at one cost the line enters at the least accurate and leaves at the most
/// accurate. Not a hull: a dent counts against the router. For a range of zero width the limit is taken, the line's height at that cost.
/// `None` where there are no points.
///
/// From UniRoute (arXiv 2502.08773) and R2-Router (arXiv 2602.02823), which takes the range over all methods.
///
/// # Deviations
/// What holds for a router that does not span the range is our choice, the same as for [`aiq`].
pub fn audc(points: &[Point], range: CostRange) -> Option<f64> {
    mean_height(&by_cost(points), range)
}

/// Query-normalized cost: the least cost at which a router matches the target, relative to the target's own cost. The target is the most
/// accurate single LLM, see [`crate::best_single`]; below 1 the router is cheaper.
///
/// ```text
/// QNC = min { c : (c, a) an operating point, a >= a_target } / c_target
/// ```
///
/// `None` where no operating point is as accurate. Nothing is interpolated. For a target that costs nothing it is 1 if the router matches
/// it at no cost, else infinite.
///
/// From CSCR, which reports the ratio; [`qnc_normalized`] is R2-Router's.
///
/// # Deviations
/// Accuracies that differ by less than 1e-12 are the same, lest the order of a sum decide.
pub fn qnc(points: &[Point], target: Point) -> Option<f64> {
    let cost_usd = least_cost(points, target.accuracy)?;
    Some(if cost_usd == target.cost_usd {
        1.0
    } else {
        cost_usd / target.cost_usd
    })
}

/// Query-normalized cost as R2-Router (arXiv 2602.02823) has it: the least cost at which a router reaches an accuracy, within a range
/// mapped to [0, 1]; 1 where it never does. For a range of zero width it is 0 where the router does.
///
/// # Deviations
/// As for [`qnc`]. A router that never reaches the target and one that does at the highest cost are both 1, as in the source.
pub fn qnc_normalized(points: &[Point], target_accuracy: f64, range: CostRange) -> f64 {
    least_cost(points, target_accuracy).map_or(1.0, |cost_usd| range.normalized(cost_usd))
}

/// The highest accuracy of any operating point; `None` of no points. From R2-Router (arXiv 2602.02823).
///
/// # Deviations
/// None.
pub fn peak_accuracy(points: &[Point]) -> Option<f64> {
    points
        .iter()
        .filter(|point| is_finite(point))
        .map(|point| point.accuracy)
        .reduce(f64::max)
}

/// The finite points by cost, then by accuracy.
fn by_cost(points: &[Point]) -> Vec<Point> {
    let mut points: Vec<Point> = points.iter().copied().filter(is_finite).collect();
    points.sort_by(|a, b| {
        a.cost_usd
            .total_cmp(&b.cost_usd)
            .then(a.accuracy.total_cmp(&b.accuracy))
    });
    points
}

fn is_finite(point: &Point) -> bool {
    point.cost_usd.is_finite() && point.accuracy.is_finite()
}

/// Whether the slope falls at `b`.
fn turns_right(a: Point, b: Point, c: Point) -> bool {
    (b.accuracy - a.accuracy) * (c.cost_usd - b.cost_usd)
        > (c.accuracy - b.accuracy) * (b.cost_usd - a.cost_usd)
}

fn least_cost(points: &[Point], target_accuracy: f64) -> Option<f64> {
    points
        .iter()
        .filter(|point| is_finite(point) && point.accuracy >= target_accuracy - SAME_ACCURACY)
        .map(|point| point.cost_usd)
        .reduce(f64::min)
}

/// Mean height over a range of a line through points in order of cost: 0 before the first, flat after the last.
fn mean_height(line: &[Point], range: CostRange) -> Option<f64> {
    let last = line.last()?;
    if range.width_usd() <= 0.0 {
        return Some(height(line, range.min_usd));
    }
    let mut area = Sum::default();
    for segment in line.windows(2) {
        let from = segment[0].cost_usd.max(range.min_usd);
        let to = segment[1].cost_usd.min(range.max_usd);
        if from < to {
            let mean = f64::midpoint(between(segment, from), between(segment, to));
            area.add((to - from) * mean);
        }
    }
    let flat = range.max_usd - last.cost_usd.max(range.min_usd);
    area.add(flat.max(0.0) * last.accuracy);
    Some(area.value() / range.width_usd())
}

/// Height of a line at a cost; where it jumps, the upper end.
fn height(line: &[Point], cost_usd: f64) -> f64 {
    let n_before = line.partition_point(|point| point.cost_usd <= cost_usd);
    match n_before {
        0 => 0.0,
        n if n == line.len() => line[n - 1].accuracy,
        n => between(&line[n - 1..=n], cost_usd),
    }
}

/// Height of a segment, which is no jump, at a cost within it.
fn between(segment: &[Point], cost_usd: f64) -> f64 {
    let (a, b) = (segment[0], segment[1]);
    let share = (cost_usd - a.cost_usd) / (b.cost_usd - a.cost_usd);
    a.accuracy + share * (b.accuracy - a.accuracy)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rounding of a handful of operations on numbers up to 1.
    const ROUNDING: f64 = 1e-12;

    fn points<const N: usize>(pairs: [(f64, f64); N]) -> Vec<Point> {
        pairs
            .map(|(cost_usd, accuracy)| Point { cost_usd, accuracy })
            .to_vec()
    }

    fn range(min_usd: f64, max_usd: f64) -> CostRange {
        CostRange::new(min_usd, max_usd).expect("a good range")
    }

    #[test]
    fn hulls_by_hand() {
        let check = |given: Vec<Point>, expected: Vec<Point>| {
            assert_eq!(hull(&given), expected, "{given:?}");
        };
        check(points([]), points([]));
        check(points([(2.0, 0.5)]), points([(2.0, 0.5)]));
        check(points([(2.0, 0.5), (2.0, 0.5)]), points([(2.0, 0.5)]));
        // At one cost the most accurate remains.
        check(
            points([(2.0, 0.5), (2.0, 0.7), (2.0, 0.6)]),
            points([(2.0, 0.7)]),
        );
        // (2, .4) lies below the line from (1, .2) to (3, .8), which is .5 there; (4, .7) is dearer and worse.
        check(
            points([(4.0, 0.7), (3.0, 0.8), (1.0, 0.2), (2.0, 0.4)]),
            points([(1.0, 0.2), (3.0, 0.8)]),
        );
        // (2, .6) lies above that line: slopes .4, then .2.
        check(
            points([(1.0, 0.2), (2.0, 0.6), (3.0, 0.8)]),
            points([(1.0, 0.2), (2.0, 0.6), (3.0, 0.8)]),
        );
        // Halfway on a straight line.
        check(
            points([(1.0, 0.25), (2.0, 0.5), (3.0, 0.75)]),
            points([(1.0, 0.25), (3.0, 0.75)]),
        );
        // The cheapest of the most accurate ends it.
        check(
            points([(1.0, 0.5), (2.0, 0.8), (3.0, 0.8)]),
            points([(1.0, 0.5), (2.0, 0.8)]),
        );
        check(
            points([(1.0, 0.9), (2.0, 0.8), (f64::NAN, 1.0), (0.5, f64::NAN)]),
            points([(1.0, 0.9)]),
        );
        check(
            points([(0.0, 0.1), (0.0, 0.3), (0.0, 0.2)]),
            points([(0.0, 0.3)]),
        );
    }

    #[test]
    fn areas_by_hand() {
        let check = |given: &[Point], range, aiq_expected: f64, audc_expected: f64| {
            let found = (
                aiq(given, range).expect("points"),
                audc(given, range).expect("points"),
            );
            assert!(
                (found.0 - aiq_expected).abs() < ROUNDING
                    && (found.1 - audc_expected).abs() < ROUNDING,
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
    fn areas_of_nothing_are_none() {
        assert_eq!(aiq(&[], range(0.0, 1.0)), None);
        assert_eq!(audc(&[], range(0.0, 0.0)), None);
        assert_eq!(peak_accuracy(&[]), None);
    }

    #[test]
    fn query_normalized_costs_by_hand() {
        let curve = points([(4.0, 0.9), (2.0, 0.8), (3.0, 0.8), (1.0, 0.3)]);
        let target = |cost_usd, accuracy| Point { cost_usd, accuracy };
        assert_eq!(qnc(&curve, target(4.0, 0.8)), Some(0.5));
        assert_eq!(qnc(&curve, target(4.0, 0.8 + 1e-14)), Some(0.5));
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

    #[test]
    fn ranges_are_checked() {
        assert!(CostRange::new(1.0, 1.0).is_ok());
        for (min_usd, max_usd) in [(2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            assert!(matches!(
                CostRange::new(min_usd, max_usd),
                Err(Error::BadCostRange { .. })
            ));
        }
        let over = CostRange::over(points([(3.0, 0.1), (f64::NAN, 0.1), (1.0, 0.9)]));
        assert_eq!(over, Some(range(1.0, 3.0)));
        assert_eq!(CostRange::over([]), None);
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
            let hull = super::hull(&points);
            for pair in hull.windows(2) {
                prop_assert!(pair[0].cost_usd < pair[1].cost_usd);
                prop_assert!(pair[0].accuracy < pair[1].accuracy);
            }
            for three in hull.windows(3) {
                prop_assert!(turns_right(three[0], three[1], three[2]));
            }
            for point in &points {
                prop_assert!(height(&hull, point.cost_usd) >= point.accuracy - ROUNDING);
            }
            for point in &hull {
                prop_assert!(points.contains(point), "a hull's corners are points");
            }
            prop_assert_eq!(super::hull(&hull), hull);
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
}
