//! The line of a curve on the page.

use super::scene::{DataPoint, SceneCurve};
use crate::draw::{
    axis::Axis,
    geometry::{Point, simplify},
};

/// How far a drawn curve may be from the exact one, in points: a tenth of a pixel at 300 dots per inch is 0.024.
const CURVE_TOLERANCE: f64 = 0.05;
/// In how many pieces a mixture's line is bent on a logarithmic axis.
const MIXTURE_PIECES: u32 = 40;

/// A curve on the page.
pub(super) struct PlannedCurve {
    /// Which points of the curve are drawn.
    pub(super) kept: Vec<usize>,
    pub(super) line: Vec<Point>,
}

impl PlannedCurve {
    pub(super) fn new(curve: &SceneCurve, axis: &Axis, place: impl Fn(DataPoint) -> Point) -> Self {
        if curve.is_mixture && axis.is_log() {
            // Mixtures lie on straight lines in dollars, which a logarithmic axis bends.
            let points = &curve.points;
            let mixed = points
                .windows(2)
                .flat_map(|pair| (0..MIXTURE_PIECES).map(|i| mix(pair[0], pair[1], i)));
            let line = mixed.chain(points.last().copied()).map(place).collect();
            return Self {
                line,
                kept: (0..points.len()).collect(),
            };
        }
        let line: Vec<Point> = curve.points.iter().map(|&point| place(point)).collect();
        // An exact curve has a point wherever a prompt changes its LLM, often tens of thousands. A viewer draws them all, and a printed
        // figure shows some hundred of them.
        let kept = simplify(&line, CURVE_TOLERANCE);
        Self {
            line: kept.iter().map(|&i| line[i]).collect(),
            kept,
        }
    }
}

/// Piece `i` of the way from `a` to `b`, in pieces that grow with the cost.
fn mix(a: DataPoint, b: DataPoint, i: u32) -> DataPoint {
    let cost_usd =
        a.cost_usd * (b.cost_usd / a.cost_usd).powf(f64::from(i) / f64::from(MIXTURE_PIECES));
    let share = if b.cost_usd > a.cost_usd {
        (cost_usd - a.cost_usd) / (b.cost_usd - a.cost_usd)
    } else {
        0.0
    };
    DataPoint {
        cost_usd,
        accuracy: a.accuracy + share * (b.accuracy - a.accuracy),
    }
}
