//! Points, boxes and lines on the page. Unit: points (1/72 in), x to the right, y downwards.

/// A place on the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// From the left edge.
    pub x: f64,
    /// From the upper edge.
    pub y: f64,
}

impl Point {
    /// The point `x` from the left and `y` from the top.
    #[must_use]
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// How far another point is.
    #[must_use]
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// A box with sides along the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left side.
    pub left: f64,
    /// Upper side.
    pub top: f64,
    /// Right side.
    pub right: f64,
    /// Lower side.
    pub bottom: f64,
}

impl Rect {
    /// The box of a size, from its upper left corner on.
    #[must_use]
    pub fn new(left: f64, top: f64, width: f64, height: f64) -> Self {
        Self {
            left,
            top,
            right: left + width,
            bottom: top + height,
        }
    }

    /// The square that a circle just fits into.
    #[must_use]
    pub fn around(center: Point, radius: f64) -> Self {
        Self::new(
            center.x - radius,
            center.y - radius,
            2.0 * radius,
            2.0 * radius,
        )
    }

    /// From the left to the right side.
    #[must_use]
    pub fn width(self) -> f64 {
        self.right - self.left
    }

    /// From the upper to the lower side.
    #[must_use]
    pub fn height(self) -> f64 {
        self.bottom - self.top
    }

    /// The middle.
    #[must_use]
    pub fn center(self) -> Point {
        Point::new(
            (self.left + self.right) / 2.0,
            (self.top + self.bottom) / 2.0,
        )
    }

    /// The box with every side moved outwards.
    #[must_use]
    pub fn grown(self, by: f64) -> Self {
        Self {
            left: self.left - by,
            top: self.top - by,
            right: self.right + by,
            bottom: self.bottom + by,
        }
    }

    /// The smallest box that holds both.
    #[must_use]
    pub fn around_both(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Whether the boxes share a point, if only of an edge.
    #[must_use]
    pub fn touches(self, other: Self) -> bool {
        self.left <= other.right
            && other.left <= self.right
            && self.top <= other.bottom
            && other.top <= self.bottom
    }

    /// Whether the boxes share more than an edge.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// Whether all of `inner` lies in the box, edges included.
    #[must_use]
    pub fn holds(self, inner: Self) -> bool {
        inner.left >= self.left
            && inner.right <= self.right
            && inner.top >= self.top
            && inner.bottom <= self.bottom
    }

    /// The point of the box that is nearest to `to`.
    #[must_use]
    pub fn nearest(self, to: Point) -> Point {
        Point::new(
            to.x.clamp(self.left, self.right),
            to.y.clamp(self.top, self.bottom),
        )
    }

    /// How far a point is from the box; 0 inside.
    #[must_use]
    pub fn distance(self, to: Point) -> f64 {
        self.nearest(to).distance(to)
    }
}

/// A straight line between two points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// One end.
    pub from: Point,
    /// The other end.
    pub to: Point,
}

impl Segment {
    /// The line between two points.
    #[must_use]
    pub fn new(from: Point, to: Point) -> Self {
        Self { from, to }
    }

    /// The box that has the segment as its diagonal.
    #[must_use]
    pub fn bounds(self) -> Rect {
        Rect {
            left: self.from.x.min(self.to.x),
            top: self.from.y.min(self.to.y),
            right: self.from.x.max(self.to.x),
            bottom: self.from.y.max(self.to.y),
        }
    }

    /// Whether any of the segment lies in the box: the segment is cut off at each side in turn (Liang and Barsky).
    #[must_use]
    pub fn meets(self, rect: Rect) -> bool {
        let (dx, dy) = (self.to.x - self.from.x, self.to.y - self.from.y);
        // The piece of the segment inside the box, as shares of its length; each side takes from one end or the other.
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        let sides = [
            (-dx, self.from.x - rect.left),
            (dx, rect.right - self.from.x),
            (-dy, self.from.y - rect.top),
            (dy, rect.bottom - self.from.y),
        ];
        for (speed, room) in sides {
            if speed == 0.0 {
                if room < 0.0 {
                    return false;
                }
            } else if speed < 0.0 {
                enter = enter.max(room / speed);
            } else {
                leave = leave.min(room / speed);
            }
        }
        enter <= leave
    }

    /// Whether the segments cross at a point inside both; ends that touch do not count.
    #[must_use]
    pub fn crosses(self, other: Self) -> bool {
        let side =
            |a: Point, b: Point, c: Point| (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
        let splits = |line: Self, other: Self| {
            side(line.from, line.to, other.from) * side(line.from, line.to, other.to) < 0.0
        };
        splits(self, other) && splits(other, self)
    }

    /// How far a point is from the nearest point of the segment.
    #[must_use]
    pub fn distance(self, to: Point) -> f64 {
        let (dx, dy) = (self.to.x - self.from.x, self.to.y - self.from.y);
        let length2 = dx * dx + dy * dy;
        if length2 == 0.0 {
            return self.from.distance(to);
        }
        let share =
            (((to.x - self.from.x) * dx + (to.y - self.from.y) * dy) / length2).clamp(0.0, 1.0);
        Point::new(self.from.x + share * dx, self.from.y + share * dy).distance(to)
    }
}

/// The points of a line that are needed to draw it to within `tolerance`: indices into `line`, both ends included.
///
/// Ramer, Douglas and Peucker: keep the point farthest from the chord while it is too far, and go on in both halves.
#[must_use]
pub fn simplify(line: &[Point], tolerance: f64) -> Vec<usize> {
    if line.len() < 3 {
        return (0..line.len()).collect();
    }
    let mut keep = vec![false; line.len()];
    (keep[0], keep[line.len() - 1]) = (true, true);
    // A stack in place of recursion: a curve of a hundred thousand points may be split as often.
    let mut open = vec![(0, line.len() - 1)];
    while let Some((first, last)) = open.pop() {
        let chord = Segment::new(line[first], line[last]);
        let farthest = (first + 1..last)
            .map(|i| (i, chord.distance(line[i])))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((i, distance)) = farthest
            && distance > tolerance
        {
            keep[i] = true;
            open.extend([(first, i), (i, last)]);
        }
    }
    (0..line.len()).filter(|&i| keep[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_meet_boxes() {
        let rect = Rect::new(0.0, 0.0, 10.0, 10.0);
        for ((x0, y0, x1, y1), expected) in [
            ((-5.0, 5.0, 15.0, 5.0), true),
            ((2.0, 2.0, 3.0, 3.0), true),
            ((-5.0, 4.0, 4.0, -5.0), false),
            ((-1.0, 2.0, 2.0, -1.0), true),
            ((11.0, 0.0, 11.0, 10.0), false),
            ((5.0, -9.0, 5.0, -1.0), false),
        ] {
            let segment = Segment::new(Point::new(x0, y0), Point::new(x1, y1));
            assert_eq!(segment.meets(rect), expected, "{segment:?}");
        }
    }

    #[test]
    fn segments_cross() {
        let segment = |x0, y0, x1, y1| Segment::new(Point::new(x0, y0), Point::new(x1, y1));
        assert!(segment(0.0, 0.0, 2.0, 2.0).crosses(segment(0.0, 2.0, 2.0, 0.0)));
        assert!(!segment(0.0, 0.0, 2.0, 2.0).crosses(segment(3.0, 0.0, 5.0, 2.0)));
        assert!(!segment(0.0, 0.0, 1.0, 1.0).crosses(segment(0.0, 4.0, 4.0, 0.0)));
    }

    #[test]
    fn a_simplified_line_stays_close() {
        let line: Vec<Point> = (0..=1000)
            .map(|i| f64::from(i) / 100.0)
            .map(|x| Point::new(x, x * x))
            .collect();
        let kept = simplify(&line, 0.05);
        assert!(kept.len() < 60, "{}", kept.len());
        assert_eq!((kept[0], kept[kept.len() - 1]), (0, 1000));
        for pair in kept.windows(2) {
            let chord = Segment::new(line[pair[0]], line[pair[1]]);
            assert!(
                line[pair[0]..pair[1]]
                    .iter()
                    .all(|&point| chord.distance(point) <= 0.05)
            );
        }
        assert_eq!(simplify(&line[..1], 0.05), [0]);
    }
}
