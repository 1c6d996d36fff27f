//! Labels around a circle.

use charts::draw::geometry::{Point, Rect, Segment};

/// Space between the circle and its labels, and between labels, in points.
const GAP: f64 = 4.0;
const CLEARANCE: f64 = 1.5;
/// From this distance on a label that had to move out has a line to the circle.
const LEADER_FROM: f64 = 7.0;
/// A label is beside its axis, no longer above or below it, where the sine of its angle exceeds the inverse.
const SIDEWAYS: f64 = 2.5;

/// The place of a label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) rect: Rect,
    /// From the circle to a label that had to move out.
    pub(super) leader: Option<Segment>,
}

/// Unit vector of an axis: the first one points up, the others follow clockwise.
pub(super) fn direction(axis_idx: f64, n_axes: usize) -> Point {
    let angle = axis_idx / n_axes as f64 * std::f64::consts::TAU;
    Point::new(angle.sin(), -angle.cos())
}

/// Where a distance along an axis ends.
pub(super) fn along(center: Point, direction: Point, distance: f64) -> Point {
    Point::new(
        center.x + distance * direction.x,
        center.y + distance * direction.y,
    )
}

/// Places one label of given width and height per axis around a circle. None touches another or the circle: those at the sides are placed first,
/// and those above and below move outwards until they are clear.
pub(super) fn place(center: Point, radius: f64, sizes: &[(f64, f64)]) -> Vec<Place> {
    let n_axes = sizes.len();
    let directions: Vec<Point> = (0..n_axes)
        .map(|axis_idx| direction(axis_idx as f64, n_axes))
        .collect();
    let mut order: Vec<usize> = (0..n_axes).collect();
    // From the sides towards top and bottom: labels at the sides cannot move far without leaving the page, those above and below have room
    // to move outwards.
    order.sort_by(|&a, &b| directions[a].y.abs().total_cmp(&directions[b].y.abs()));
    let mut places: Vec<Option<Place>> = vec![None; n_axes];
    for axis_idx in order {
        let direction = directions[axis_idx];
        let mut distance = GAP;
        let rect = loop {
            let anchor = along(center, direction, radius + distance);
            let rect = beside(anchor, direction, sizes[axis_idx]);
            let clear = rect.grown(CLEARANCE);
            let is_taken = places
                .iter()
                .flatten()
                .any(|other| other.rect.overlaps(clear));
            if !is_taken && rect.distance(center) >= radius + GAP / 2.0 {
                break rect;
            }
            // The loop ends: far enough out there is nothing to touch.
            distance += 1.0;
        };
        let leader = (distance > LEADER_FROM).then(|| {
            Segment::new(
                along(center, direction, radius + 1.0),
                along(center, direction, radius + distance - 1.0),
            )
        });
        places[axis_idx] = Some(Place { rect, leader });
    }
    places.into_iter().flatten().collect()
}

/// The box of a label whose axis ends at `anchor`: above, below or beside it, and between these in between.
fn beside(anchor: Point, direction: Point, (width, height): (f64, f64)) -> Rect {
    let side = |part: f64| (SIDEWAYS * part).clamp(-1.0, 1.0);
    Rect::new(
        anchor.x + (side(direction.x) - 1.0) * width / 2.0,
        anchor.y + (side(direction.y) - 1.0) * height / 2.0,
        width,
        height,
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CENTER: Point = Point { x: 150.0, y: 150.0 };

    #[test]
    fn axes_start_at_the_top_and_run_clockwise() {
        let check = |axis_idx: f64, expected: (f64, f64)| {
            let found = direction(axis_idx, 4);
            assert!((found.x - expected.0).abs() < 1e-12 && (found.y - expected.1).abs() < 1e-12);
        };
        check(0.0, (0.0, -1.0));
        check(1.0, (1.0, 0.0));
        check(2.0, (0.0, 1.0));
        check(3.0, (-1.0, 0.0));
    }

    #[test]
    fn few_labels_stand_at_their_axes() {
        let places = place(CENTER, 100.0, &[(40.0, 10.0); 4]);
        assert!(places.iter().all(|place| place.leader.is_none()));
        let rects: Vec<Rect> = places.iter().map(|place| place.rect).collect();
        assert_eq!((rects[0].center().x, rects[0].bottom), (150.0, 46.0));
        assert_eq!((rects[1].left, rects[1].center().y), (254.0, 150.0));
        assert!((rects[2].top - 254.0).abs() < 1e-9 && (rects[3].right - 46.0).abs() < 1e-9);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_label_touches_another_or_the_circle(
            sizes in proptest::collection::vec((4.0_f64..90.0, 6.0_f64..20.0), 1..31),
        ) {
            let places = place(CENTER, 80.0, &sizes);
            prop_assert_eq!(places.len(), sizes.len());
            for (i, place) in places.iter().enumerate() {
                prop_assert!(place.rect.distance(CENTER) > 80.0);
                prop_assert!(places[..i].iter().all(|other| !other.rect.overlaps(place.rect)));
            }
        }
    }
}
