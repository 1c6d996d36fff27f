use crate::{
    Point,
    curve::hull::{by_cost, hull},
    metric::cost_range::{CostRange, SAME_COST},
    sum::Sum,
};

/// How far below a target an accuracy may lie and still count as matching it. Scores are float32 on disk and in memory: a score of .1 is off by
/// 1.5e-9, one near 1 by up to 3e-8, so means that are equal on paper differ by as much. One prompt more or less moves a mean far more.
pub const SAME_ACCURACY: f64 = 1e-7;

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
/// # Reading it
/// The hull is chosen by the truth that measures it, so on the prompts it is taken from it is optimistic: even a router that knows nothing has
/// no less than the mixture of its ends. [`crate::worth::cross_fitted_areas`] has it without that selection. And since it counts 0 below a
/// router's first cost, a router that does not span the range loses by its range: a pair router, whose cheapest point is its small LLM, has less
/// for that alone than one that reaches the cheapest of all LLMs.
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
/// What holds for a router that does not span the range is our choice, the same as for [`aiq`]. Costs that differ by less than 1e-12 of the
/// largest one are the same, lest the order of a sum decide how the line enters and leaves.
pub fn audc(points: &[Point], range: CostRange) -> Option<f64> {
    mean_height(&join_ties(&by_cost(points)), range)
}

/// How far a router's hull lies above another line of points, say the zero router's: the mean vertical distance of the two hulls, over the
/// costs at which both are defined.
///
/// ```text
/// gain = 1 / (c_max - c_0) * integral from c_0 to c_max of R(c) - B(c) dc
///   R, B   the two hulls, see `hull`: flat after their last cost
///   c_0    the larger of the range's lower end and the two first costs
///   c_max  the range's upper end
/// ```
///
/// Negative where the router is worse. `None` where one has no points or begins beyond the range. Ours: the difference of two [`aiq`]s would
/// also count from where one of them begins later, and there it is the height of the other. Both hulls are chosen by the truth that measures
/// them, and a router's from more points: on the prompts it is taken from a router at random comes out above the zero router nearly always.
/// [`crate::worth::cross_fitted_areas`] has it without that selection.
pub fn gain_over(points: &[Point], baseline: &[Point], range: CostRange) -> Option<f64> {
    gain_of_hulls(&hull(points), &hull(baseline), range)
}

/// [`gain_over`] of two hulls.
pub(crate) fn gain_of_hulls(hull: &[Point], baseline: &[Point], range: CostRange) -> Option<f64> {
    let first = hull.first()?.cost_usd.max(baseline.first()?.cost_usd);
    // Only where both have begun: below the first point of one of them there is nothing to subtract.
    let both = CostRange::new(range.min_usd().max(first), range.max_usd()).ok()?;
    Some(mean_height(hull, both)? - mean_height(baseline, both)?)
}

/// Quality-neutral cost: the least cost at which a router matches the target, relative to the target's own cost. The target is the most
/// accurate single LLM, see [`crate::baseline::best_single`]; below 1 the router is cheaper.
///
/// ```text
/// QNC = min { c : (c, a) an operating point, a >= a_target } / c_target
/// ```
///
/// `None` where no operating point is as accurate. Nothing is interpolated. For a target that costs nothing it is 1 if the router matches
/// it at no cost, else infinite.
///
/// From UniRoute (arXiv 2502.08773), which names it; CSCR reports the ratio, and [`qnc_normalized`] is R2-Router's.
///
/// # Deviations
/// Accuracies that differ by less than [`SAME_ACCURACY`] are the same, and costs that differ by less than 1e-12 of the largest one, lest the
/// order of a sum decide.
pub fn qnc(points: &[Point], target: Point) -> Option<f64> {
    let cost_usd = least_cost(points, target.accuracy)?;
    let largest = points.iter().filter(|point| point.is_finite());
    let largest = largest.fold(0.0_f64, |largest, point| largest.max(point.cost_usd.abs()));
    Some(cost_ratio(cost_usd, target.cost_usd, largest))
}

/// How many times a target's cost a cost is, where costs are as large as `largest_usd`.
pub(crate) fn cost_ratio(cost_usd: f64, target_usd: f64, largest_usd: f64) -> f64 {
    if (cost_usd - target_usd).abs() <= SAME_COST * largest_usd.max(target_usd.abs()) {
        1.0
    } else {
        cost_usd / target_usd
    }
}

/// Quality-neutral cost as R2-Router (arXiv 2602.02823) has it: the least cost at which a router reaches an accuracy, within a range
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
        .filter(|point| point.is_finite())
        .map(|point| point.accuracy)
        .reduce(f64::max)
}

pub(crate) fn least_cost(points: &[Point], target_accuracy: f64) -> Option<f64> {
    points
        .iter()
        .filter(|point| point.is_finite() && point.accuracy >= target_accuracy - SAME_ACCURACY)
        .map(|point| point.cost_usd)
        .reduce(f64::min)
}

/// Points in order of cost, with one cost for those whose costs are the same, and these in order of accuracy.
pub(crate) fn join_ties(sorted: &[Point]) -> Vec<Point> {
    let mut points = sorted.to_vec();
    let largest = sorted.iter().map(|point| point.cost_usd.abs());
    let tolerance = SAME_COST * largest.fold(0.0, f64::max);
    // A tie lasts while each cost is next to the one before.
    for tied in points.chunk_by_mut(|a, b| b.cost_usd - a.cost_usd <= tolerance) {
        if tied.len() > 1 {
            let cost_usd = tied[0].cost_usd;
            tied.iter_mut().for_each(|point| point.cost_usd = cost_usd);
            tied.sort_by(|a, b| a.accuracy.total_cmp(&b.accuracy));
        }
    }
    points
}

/// Mean height over a range of a line through points in order of cost: 0 before the first, flat after the last.
pub(crate) fn mean_height(line: &[Point], range: CostRange) -> Option<f64> {
    let last = line.last()?;
    if range.is_one_cost() {
        return Some(height(line, range.max_usd()));
    }
    let mut area = Sum::default();
    for segment in line.windows(2) {
        let from = segment[0].cost_usd.max(range.min_usd());
        let to = segment[1].cost_usd.min(range.max_usd());
        if from < to {
            let mean = f64::midpoint(between(segment, from), between(segment, to));
            area.add((to - from) * mean);
        }
    }
    // To the right of its last point a router just keeps the money: it need not spend all that it may.
    let flat = range.max_usd() - last.cost_usd.max(range.min_usd());
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

/// Height of a segment, which must not be a jump, at a cost within it.
fn between(segment: &[Point], cost_usd: f64) -> f64 {
    let (a, b) = (segment[0], segment[1]);
    let share = (cost_usd - a.cost_usd) / (b.cost_usd - a.cost_usd);
    a.accuracy + share * (b.accuracy - a.accuracy)
}

#[cfg(test)]
mod tests;
