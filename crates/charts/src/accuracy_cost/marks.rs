//! The markers that distinguish curves in print: where they lie along their curves.

use crate::draw::{
    geometry::{Point, Rect},
    theme,
};

/// How far a marker may move along its curve to keep clear of others, in points, the nearest first.
const SHIFTS: [f64; 9] = [0.0, 5.0, -5.0, 10.0, -10.0, 15.0, -15.0, 20.0, -20.0];

/// Places markers along a line, [`theme::MARK_DISTANCE`] apart, and clear of what is taken already. `start`, in parts of that distance, is
/// where the first one would best be. A line has at least one marker; one without any length has it where it is.
pub(super) fn along(line: &[Point], start: f64, taken: &[Rect]) -> Vec<Point> {
    let length: f64 = line.windows(2).map(|pair| pair[0].distance(pair[1])).sum();
    let mut marks: Vec<Point> = Vec::new();
    // A short curve has its only mark in its middle, where it is clear of both ends and so of the LLMs that the curve begins and ends at.
    let mut at = (start * theme::MARK_DISTANCE).min(length / 2.0);
    while at <= length {
        let places = SHIFTS.iter().map(|shift| at + shift);
        let free = places
            .filter(|place| (0.0..=length).contains(place))
            .filter_map(|place| point_at(line, place))
            .find(|&point| {
                let rect = Rect::around(point, theme::MARK_RADIUS);
                !taken.iter().any(|other| other.overlaps(rect))
            });
        marks.extend(free);
        at += theme::MARK_DISTANCE;
    }
    if marks.is_empty() {
        marks.extend(point_at(line, length / 2.0));
    }
    marks
}

/// The point that lies `distance` along a line.
fn point_at(line: &[Point], distance: f64) -> Option<Point> {
    let mut left = distance;
    for pair in line.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let length = from.distance(to);
        if length > 0.0 && left <= length {
            let share = left / length;
            return Some(Point::new(
                from.x + share * (to.x - from.x),
                from.y + share * (to.y - from.y),
            ));
        }
        left -= length;
    }
    line.last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_apart_and_clear() {
        let line = [
            Point::new(0.0, 0.0),
            Point::new(100.0, 0.0),
            Point::new(100.0, 26.0),
        ];
        let xs = |start: f64, taken: &[Rect]| -> Vec<(f64, f64)> {
            let marks = along(&line, start, taken);
            marks.iter().map(|mark| (mark.x, mark.y)).collect()
        };
        assert_eq!(xs(0.5, &[]), [(21.0, 0.0), (63.0, 0.0), (100.0, 5.0)]);
        let taken = [Rect::around(Point::new(21.0, 0.0), 2.0)];
        assert_eq!(xs(0.5, &taken)[0], (26.0, 0.0));
        // No room at all: one marker in the middle, so that the curve has a name.
        let all = [Rect::new(-10.0, -10.0, 200.0, 200.0)];
        assert_eq!(xs(0.5, &all), [(63.0, 0.0)]);
        let dot = [Point::new(3.0, 4.0)];
        assert_eq!(along(&dot, 0.5, &[]), dot);
        assert!(along(&[], 0.5, &[]).is_empty());
    }
}
