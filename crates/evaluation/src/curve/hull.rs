use crate::Point;

/// The non-decreasing convex hull: the best that is possible at each cost by mixing operating points at random.
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
    hull_of(by_cost(points), |&point| point)
}

/// The hull of anything that has a point, in order of cost, then of accuracy; see [`hull`].
pub(crate) fn hull_of<T>(sorted: impl IntoIterator<Item = T>, at: impl Fn(&T) -> Point) -> Vec<T> {
    let mut hull: Vec<T> = Vec::new();
    for item in sorted {
        let point = at(&item);
        // Dearer and no better: never worth its cost. This also ends the hull at the cheapest of the most accurate points.
        let rises = |last: &T| point.accuracy > at(last).accuracy;
        if !hull.last().is_none_or(rises) {
            continue;
        }
        // Of several points at the cheapest cost only the last, the most accurate, remains.
        while let Some(last) = hull.last().map(&at) {
            let is_below = match hull.len() {
                1 => last.cost_usd == point.cost_usd,
                n => !turns_right(at(&hull[n - 2]), last, point),
            };
            if !is_below {
                break;
            }
            hull.pop();
        }
        hull.push(item);
    }
    hull
}

/// The finite points by cost, then by accuracy.
pub(crate) fn by_cost(points: &[Point]) -> Vec<Point> {
    let mut points: Vec<Point> = points.iter().copied().filter(Point::is_finite).collect();
    sort_by_cost(&mut points, |&point| point);
    points
}

/// Sorts by cost, then by accuracy. Stable, and fast for what is nearly in order.
pub(crate) fn sort_by_cost<T>(items: &mut [T], at: impl Fn(&T) -> Point) {
    items.sort_by(|a, b| {
        let (a, b) = (at(a), at(b));
        a.cost_usd
            .total_cmp(&b.cost_usd)
            .then(a.accuracy.total_cmp(&b.accuracy))
    });
}

/// Whether the slope falls at `b`.
pub(crate) fn turns_right(a: Point, b: Point, c: Point) -> bool {
    // Slopes multiplied out: points of one cost would divide by 0. Not `>=`, so a point on a straight line goes, and the hull has corners
    // only.
    (b.accuracy - a.accuracy) * (c.cost_usd - b.cost_usd)
        > (c.accuracy - b.accuracy) * (b.cost_usd - a.cost_usd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::points;

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
}
