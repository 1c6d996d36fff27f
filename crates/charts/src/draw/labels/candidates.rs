//! The boxes around its marker that a label may take, and what each costs by itself.

use std::f64::consts::TAU;

use super::{
    cells::Cells,
    layout::{CLEARANCE, Obstacles, Placement, Request},
};
use crate::draw::geometry::{Point, Rect, Segment};

/// Gaps between marker and label in points, from touching to far. They grow: near a marker every point counts, far away a few more do not.
const GAPS: [f64; 14] = [
    0.0, 4.0, 8.0, 13.0, 19.0, 26.0, 34.0, 43.0, 54.0, 66.0, 80.0, 96.0, 114.0, 134.0,
];
/// Directions tried at each gap. With 14 gaps that is 336 boxes per label, which the search can still go through for a hundred LLMs.
const N_DIRECTIONS: usize = 24;
/// Gaps up to this one need no leader line.
const TOUCHING: f64 = 0.0;
/// A label without a leader reads as its neighbor's when another marker is nearer than this, in points.
const AMBIGUOUS: f64 = 4.0;
/// Space between a label and other markers, in points.
const MARKER_CLEARANCE: f64 = 0.8;

// Costs, in arbitrary units: about one for a point of leader line. Their order is what counts: a leader is worse than a near miss, a curve in its
// way is worse than a longer leader, and one that runs over another marker is nearly as bad as two leaders that cross.
const COST_LEADER: f64 = 8.0;
const COST_CURVE_CROSSED: f64 = 14.0;
const COST_MARKER_CROSSED: f64 = 80.0;
const COST_AMBIGUOUS: f64 = 12.0;
/// A curve is many segments, and a leader along it crosses many of them: more than these are as bad as these.
const MAX_CROSSINGS: usize = 8;

/// A box with what it costs by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) placement: Placement,
    pub(super) bounds: Rect,
    pub(super) cost: f64,
}

impl Candidate {
    /// Whether it still is one with one more thing that must not be covered: as in [`Surroundings::candidate`].
    pub(super) fn is_clear_of(&self, request: &Request, obstacle: Rect) -> bool {
        let Placement { rect, leader } = self.placement;
        let is_under_leader =
            |leader: Segment| is_avoidable(obstacle, request.marker) && leader.meets(obstacle);
        !obstacle.overlaps(rect.grown(CLEARANCE)) && !leader.is_some_and(is_under_leader)
    }
}

/// Everything that stands still while labels look for their places.
pub(super) struct Surroundings<'a> {
    requests: &'a [Request],
    frame: Rect,
    obstacles: &'a Obstacles,
    /// The markers of the requests.
    markers: Cells,
    segments: Cells,
    widest_marker: f64,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(requests: &'a [Request], frame: Rect, obstacles: &'a Obstacles) -> Self {
        let mut markers = Cells::new(frame, requests.len());
        for (i, request) in requests.iter().enumerate() {
            markers.add(i, Rect::around(request.marker, 0.0));
        }
        let mut segments = Cells::new(frame, obstacles.segments.len());
        for (i, segment) in obstacles.segments.iter().enumerate() {
            segments.add(i, segment.bounds());
        }
        let radii = requests.iter().map(|request| request.radius);
        Self {
            requests,
            frame,
            obstacles,
            markers,
            segments,
            widest_marker: radii.fold(0.0, f64::max),
        }
    }

    /// The boxes that label `i` may take, the cheapest first.
    pub(super) fn candidates(&self, i: usize) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for gap in GAPS {
            for direction in 0..N_DIRECTIONS {
                let angle = direction as f64 / N_DIRECTIONS as f64 * TAU;
                candidates.extend(self.candidate(i, gap, angle));
            }
        }
        // A stable sort: of equal boxes the nearer one stays first.
        candidates.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        candidates
    }

    /// The box at a gap and an angle from the marker; `None` where it would cover something.
    fn candidate(&self, i: usize, gap: f64, angle: f64) -> Option<Candidate> {
        let Request {
            marker,
            radius,
            width,
            height,
            ..
        } = self.requests[i];
        let rect = beside(marker, radius + 1.0 + gap, angle, width, height);
        if !self.is_free(i, rect) {
            return None;
        }
        let leader = (gap > TOUCHING).then(|| leader(marker, radius, rect));
        let cost = match leader {
            Some(leader) => self.leader_cost(i, leader)?,
            None => self.ambiguity_cost(i, rect),
        };
        let placement = Placement { rect, leader };
        Some(Candidate {
            placement,
            bounds: placement.bounds(),
            cost: gap + direction_cost(angle) + cost,
        })
    }

    /// The other markers that may be as near to a box as `distance`.
    fn others(&self, i: usize, rect: Rect, distance: f64) -> impl Iterator<Item = &Request> {
        let near = self.markers.near(rect.grown(distance + self.widest_marker));
        near.filter(move |&j| j != i).map(|j| &self.requests[j])
    }

    /// The pieces of curves that may meet a box.
    fn segments(&self, bounds: Rect) -> impl Iterator<Item = &Segment> {
        let near = self.segments.near(bounds);
        near.map(|i| &self.obstacles.segments[i])
    }

    /// Whether a box covers no marker, no obstacle and no curve, and stays in the frame.
    fn is_free(&self, i: usize, rect: Rect) -> bool {
        let clear = rect.grown(CLEARANCE);
        let covers_marker = |other: &Request| {
            let marker = Rect::around(other.marker, other.radius);
            marker.overlaps(rect.grown(MARKER_CLEARANCE))
        };
        self.frame.holds(clear)
            && !self.others(i, rect, MARKER_CLEARANCE).any(covers_marker)
            && !self
                .obstacles
                .rects
                .iter()
                .any(|other| other.overlaps(clear))
            && !self.segments(clear).any(|other| other.meets(clear))
    }

    /// What a leader costs by what it runs over; `None` where it would run over an obstacle.
    fn leader_cost(&self, i: usize, leader: Segment) -> Option<f64> {
        let Request { marker, radius, .. } = self.requests[i];
        let rects = self.obstacles.rects.iter();
        let mut avoidable = rects.filter(|&&rect| is_avoidable(rect, marker));
        if avoidable.any(|&rect| leader.meets(rect)) {
            return None;
        }
        // Markers that overlap this one are no reason to look for another way: every way begins there.
        let is_crossed = |other: &&Request| {
            other.marker.distance(marker) > other.radius + radius
                && leader.distance(other.marker) < other.radius + 1.0
        };
        let bounds = leader.bounds();
        let n_markers = self.others(i, bounds, 1.0).filter(is_crossed).count();
        let crossed = self
            .segments(bounds)
            .filter(|segment| segment.crosses(leader));
        let n_crossed = crossed.take(MAX_CROSSINGS).count();
        Some(
            COST_LEADER
                + COST_MARKER_CROSSED * n_markers as f64
                + COST_CURVE_CROSSED * n_crossed as f64,
        )
    }

    /// What a label without a leader costs where a reader might take it for another marker's.
    fn ambiguity_cost(&self, i: usize, rect: Rect) -> f64 {
        let near = self.others(i, rect, AMBIGUOUS);
        let distances = near.map(|other| rect.distance(other.marker) - other.radius);
        let nearest = distances.fold(f64::INFINITY, f64::min);
        COST_AMBIGUOUS * (1.0 - nearest / AMBIGUOUS).clamp(0.0, 1.0)
    }
}

/// Whether a leader can keep off an obstacle: not off one that covers the marker itself.
fn is_avoidable(obstacle: Rect, marker: Point) -> bool {
    obstacle.distance(marker) > 0.0
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
