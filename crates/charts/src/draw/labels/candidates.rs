//! The boxes around its marker that a label may take, and what each costs by itself.

use std::f64::consts::TAU;

use super::layout::{CLEARANCE, Obstacles, Placement, Request};
use crate::draw::geometry::{Point, Rect, Segment};

/// Gaps between marker and label, from touching to far.
const GAPS: [f64; 14] = [
    0.0, 4.0, 8.0, 13.0, 19.0, 26.0, 34.0, 43.0, 54.0, 66.0, 80.0, 96.0, 114.0, 134.0,
];
/// Directions tried at each gap.
const N_DIRECTIONS: usize = 24;
/// Gaps up to this one need no leader line.
const TOUCHING: f64 = 0.0;
/// A label without a leader reads as its neighbor's when another marker is nearer than this.
const AMBIGUOUS: f64 = 4.0;

/// Costs, in arbitrary units: about one for a point of leader line.
const COST_LEADER: f64 = 8.0;
const COST_CURVE_CROSSED: f64 = 14.0;
const COST_MARKER_CROSSED: f64 = 80.0;
const COST_AMBIGUOUS: f64 = 12.0;

/// A box with what it costs by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) placement: Placement,
    pub(super) cost: f64,
}

/// The boxes that label `i` may take, the cheapest first.
pub(super) fn candidates(
    i: usize,
    requests: &[Request],
    frame: Rect,
    obstacles: &Obstacles,
) -> Vec<Candidate> {
    let Request {
        marker,
        radius,
        width,
        height,
        ..
    } = requests[i];
    let others = || {
        requests
            .iter()
            .enumerate()
            .filter(|&(j, _)| j != i)
            .map(|(_, other)| other)
    };
    let mut candidates = Vec::new();
    for gap in GAPS {
        for direction in 0..N_DIRECTIONS {
            let angle = direction as f64 / N_DIRECTIONS as f64 * TAU;
            let rect = beside(marker, radius + 1.0 + gap, angle, width, height);
            let clear = rect.grown(CLEARANCE);
            if !frame.holds(clear)
                || others()
                    .any(|other| Rect::around(other.marker, other.radius).overlaps(rect.grown(0.8)))
                || obstacles.rects.iter().any(|other| other.overlaps(clear))
                || obstacles
                    .segments
                    .iter()
                    .any(|segment| segment.meets(clear))
            {
                continue;
            }
            let leader = (gap > TOUCHING).then(|| leader(marker, radius, rect));
            let mut cost = gap + direction_cost(angle);
            if let Some(leader) = leader {
                // Whatever covers the marker itself cannot be avoided.
                if obstacles
                    .rects
                    .iter()
                    .any(|&rect| leader.meets(rect) && rect.distance(marker) > 0.0)
                {
                    continue;
                }
                let n_markers = others()
                    .filter(|other| {
                        other.marker.distance(marker) > other.radius + radius
                            && leader.distance(other.marker) < other.radius + 1.0
                    })
                    .count();
                let n_crossed = obstacles
                    .segments
                    .iter()
                    .filter(|segment| segment.crosses(leader))
                    .count();
                // One curve is many segments: more than a few crossings are as bad as a few.
                cost += COST_LEADER
                    + COST_MARKER_CROSSED * n_markers as f64
                    + COST_CURVE_CROSSED * n_crossed.min(8) as f64;
            } else {
                let nearest = others()
                    .map(|other| rect.distance(other.marker) - other.radius)
                    .fold(f64::INFINITY, f64::min);
                cost += COST_AMBIGUOUS * (1.0 - nearest / AMBIGUOUS).clamp(0.0, 1.0);
            }
            candidates.push(Candidate {
                placement: Placement { rect, leader },
                cost,
            });
        }
    }
    candidates.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    candidates
}

/// The box whose nearest point to the marker lies `distance` away at `angle` (counted from the right, clockwise on the page).
fn beside(marker: Point, distance: f64, angle: f64, width: f64, height: f64) -> Rect {
    let (sin, cos) = angle.sin_cos();
    // To the right the box hangs by its left side, above by its lower one; in between the anchor slides along the edge.
    let slide = |component: f64| (1.5 * component).clamp(-1.0, 1.0);
    let center = Point::new(
        marker.x + distance * cos + slide(cos) * width / 2.0,
        marker.y + distance * sin + slide(sin) * height / 2.0,
    );
    Rect::new(
        center.x - width / 2.0,
        center.y - height / 2.0,
        width,
        height,
    )
}

/// Readers expect a label to the right of its mark, then to the left, then above or below.
fn direction_cost(angle: f64) -> f64 {
    let (sin, cos) = angle.sin_cos();
    let sideways = if cos >= 0.0 { 0.0 } else { 0.8 };
    sideways + 2.5 * sin.abs() + if sin > 0.0 { 0.3 * sin } else { 0.0 }
}

fn leader(marker: Point, radius: f64, rect: Rect) -> Segment {
    // To the middle of the side if the label is beside the marker, else to the nearest point of the box.
    let nearest = rect.nearest(marker);
    let end = if nearest.y == rect.top || nearest.y == rect.bottom {
        nearest
    } else {
        Point::new(nearest.x, rect.center().y)
    };
    let length = marker.distance(end).max(1e-9);
    // A little air at both ends.
    let (first, last) = (
        ((radius + 0.6) / length).min(1.0),
        (1.0 - 0.8 / length).max(0.0),
    );
    let at = |share: f64| {
        Point::new(
            marker.x + share * (end.x - marker.x),
            marker.y + share * (end.y - marker.y),
        )
    };
    Segment::new(at(first), at(last.max(first)))
}
