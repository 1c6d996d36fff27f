//! Dashed lines.

use crate::draw::geometry::Point;

/// Cuts a line into dashes; a dash may bend.
pub(super) fn dashes(points: &[Point], dash: &[f64]) -> Vec<Vec<Point>> {
    let Some(&first) = points.first() else {
        return Vec::new();
    };
    let mut drawn = vec![vec![first]];
    let (mut piece, mut left) = (0, dash[0]);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = from.distance(to);
            let is_drawn = piece % 2 == 0;
            let last = drawn.last_mut().expect("there is one from the start");
            if length < left {
                left -= length;
                if is_drawn {
                    last.push(to);
                }
                break;
            }
            // A dash ends inside this piece: cut the piece there and go on with the rest of it, which may hold further dashes.
            let share = left / length;
            from = Point::new(
                from.x + share * (to.x - from.x),
                from.y + share * (to.y - from.y),
            );
            if is_drawn {
                last.push(from);
            } else {
                drawn.push(vec![from]);
            }
            piece += 1;
            left = dash[piece % dash.len()];
        }
    }
    drawn.retain(|dash| dash.len() > 1);
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_cover_the_line_in_turn() {
        let line: Vec<Point> = (0..=20).map(|i| Point::new(f64::from(i), 0.0)).collect();
        let starts: Vec<(f64, f64)> = dashes(&line, &[4.0, 2.0])
            .iter()
            .map(|dash| (dash[0].x, dash[dash.len() - 1].x))
            .collect();
        assert_eq!(
            starts,
            [(0.0, 4.0), (6.0, 10.0), (12.0, 16.0), (18.0, 20.0)]
        );
        assert!(dashes(&[], &[4.0, 2.0]).is_empty());
    }
}
