//! Boxes filled with lines, which stay apart without color.

use charts::{
    draw::{
        canvas::{Canvas, Pen},
        geometry::{Point, Rect},
    },
    error::Result,
};

/// What a box is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hatch {
    Empty,
    Rising,
    Falling,
    Crossed,
    Level,
    Upright,
    Grid,
}

/// Distance of lines across both axes, in points.
const SPACING: f64 = 3.6;
const LINE_WIDTH: f64 = 0.5;
/// An empty box needs a stronger outline than one with lines in it.
const OUTLINE_WIDTH: f64 = 0.6;
const EMPTY_OUTLINE_WIDTH: f64 = 1.1;

impl Hatch {
    /// Draws the box, white below its lines.
    ///
    /// # Errors
    /// When the backend fails.
    pub(super) fn draw(self, canvas: &Canvas<'_>, rect: Rect) -> Result<()> {
        // Grid lines run behind the bars, and would be read as lines of the hatching.
        canvas.fill(rect, canvas.palette().background)?;
        for ends in self.lines(rect) {
            canvas.line(&ends, Pen::solid(canvas.palette().text, LINE_WIDTH))?;
        }
        let width = if self == Self::Empty {
            EMPTY_OUTLINE_WIDTH
        } else {
            OUTLINE_WIDTH
        };
        canvas.outline(rect, Pen::solid(canvas.palette().text, width))
    }

    /// The lines inside a box.
    fn lines(self, rect: Rect) -> Vec<[Point; 2]> {
        match self {
            Self::Empty => Vec::new(),
            Self::Rising => rising(rect, SPACING),
            // Denser than `Rising`: in narrow bars the direction of the lines alone is easily missed.
            Self::Falling => falling(rect, 0.6 * SPACING),
            Self::Crossed => [rising(rect, SPACING), falling(rect, SPACING)].concat(),
            Self::Level => level(rect),
            Self::Upright => upright(rect),
            Self::Grid => [level(rect), upright(rect)].concat(),
        }
    }
}

/// Lines `x + y = c`, which rise to the right since y grows downwards.
fn rising(rect: Rect, spacing: f64) -> Vec<[Point; 2]> {
    steps(rect.left + rect.top, rect.right + rect.bottom, spacing)
        .map(|c| {
            let at = |x: f64| Point::new(x, c - x);
            [
                at(rect.left.max(c - rect.bottom)),
                at(rect.right.min(c - rect.top)),
            ]
        })
        .collect()
}

/// Lines `x - y = c`.
fn falling(rect: Rect, spacing: f64) -> Vec<[Point; 2]> {
    steps(rect.left - rect.bottom, rect.right - rect.top, spacing)
        .map(|c| {
            let at = |x: f64| Point::new(x, x - c);
            [
                at(rect.left.max(c + rect.top)),
                at(rect.right.min(c + rect.bottom)),
            ]
        })
        .collect()
}

fn level(rect: Rect) -> Vec<[Point; 2]> {
    steps(rect.top, rect.bottom, SPACING)
        .map(|y| [Point::new(rect.left, y), Point::new(rect.right, y)])
        .collect()
}

fn upright(rect: Rect) -> Vec<[Point; 2]> {
    steps(rect.left, rect.right, SPACING)
        .map(|x| [Point::new(x, rect.top), Point::new(x, rect.bottom)])
        .collect()
}

/// Values between two others, the first half a step from the lower one.
fn steps(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    // A line on the very edge would make the outline look thicker there, hence the half step.
    let n_steps = ((high - low) / step + 0.5).floor().max(0.0) as usize;
    (0..n_steps).map(move |i| low + (i as f64 + 0.5) * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_in_their_box() {
        use Hatch::{Crossed, Empty, Falling, Grid, Level, Rising, Upright};
        for (width, height) in [(10.0, 40.0), (40.0, 10.0), (0.5, 3.0), (10.0, 0.0)] {
            let rect = Rect::new(3.0, 5.0, width, height);
            for hatch in [Empty, Rising, Falling, Crossed, Level, Upright, Grid] {
                for line in hatch.lines(rect) {
                    assert!(
                        line.iter().all(|&end| rect.distance(end) < 1e-9),
                        "{hatch:?} {rect:?} {line:?}"
                    );
                }
            }
        }
        // 50 points of diagonal at 3.6 points each, the first after half a step.
        assert_eq!(Rising.lines(Rect::new(0.0, 0.0, 10.0, 40.0)).len(), 14);
        assert!(Empty.lines(Rect::new(0.0, 0.0, 10.0, 40.0)).is_empty());
    }
}
