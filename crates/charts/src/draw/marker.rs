//! Shapes of markers.

/// A marker's shape, by which readers distinguish LLMs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Its outline.
    pub outline: Outline,
    /// Whether only the outline is drawn, over a ground in the color of the page.
    pub is_hollow: bool,
}

/// The line around a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outline {
    /// A disc.
    Circle,
    /// Sides along the axes.
    Square,
    /// A square on a corner.
    Diamond,
    /// A triangle that points up.
    Up,
    /// A triangle that points down.
    Down,
    /// A triangle that points to the left.
    Left,
    /// A triangle that points to the right.
    Right,
    /// Five equal sides, a corner at the top.
    Pentagon,
    /// Five points.
    Star,
    /// Two diagonal strokes.
    Cross,
    /// A level and an upright stroke.
    Plus,
}

impl Shape {
    /// A dot.
    pub const DOT: Self = Self {
        outline: Outline::Circle,
        is_hollow: false,
    };
    /// The oracle's star.
    pub const ORACLE: Self = Self {
        outline: Outline::Star,
        is_hollow: true,
    };

    /// The shape of the LLM at a position; after eighteen they come again.
    #[must_use]
    pub fn of_model(model_idx: usize) -> Self {
        use Outline::{Circle, Cross, Diamond, Down, Left, Pentagon, Plus, Right, Square, Up};
        const FILLED: [Outline; 10] = [
            Circle, Square, Diamond, Up, Down, Pentagon, Cross, Plus, Left, Right,
        ];
        const HOLLOW: [Outline; 8] = [Circle, Square, Diamond, Up, Down, Pentagon, Left, Right];
        let i = model_idx % (FILLED.len() + HOLLOW.len());
        match FILLED.get(i) {
            Some(&outline) => Self {
                outline,
                is_hollow: false,
            },
            None => Self {
                outline: HOLLOW[i - FILLED.len()],
                is_hollow: true,
            },
        }
    }
}

impl Outline {
    /// Corners on a circle of radius 1, from the top on, clockwise; none for what has no corners.
    #[must_use]
    pub fn corners(self) -> Vec<(f64, f64)> {
        let regular = |n: u32, turn: f64| -> Vec<(f64, f64)> {
            let angle = |i: u32| (f64::from(i) / f64::from(n) + turn) * std::f64::consts::TAU;
            (0..n).map(|i| (angle(i).sin(), -angle(i).cos())).collect()
        };
        match self {
            Self::Square => regular(4, 0.125),
            Self::Diamond => regular(4, 0.0),
            Self::Up => regular(3, 0.0),
            Self::Down => regular(3, 0.5),
            Self::Left => regular(3, -0.25),
            Self::Right => regular(3, 0.25),
            Self::Pentagon => regular(5, 0.0),
            Self::Star => {
                let (outer, inner) = (regular(5, 0.0), regular(5, 0.1));
                outer
                    .into_iter()
                    .zip(inner)
                    .flat_map(|(outer, (x, y))| [outer, (0.45 * x, 0.45 * y)])
                    .collect()
            }
            Self::Circle | Self::Cross | Self::Plus => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighteen_models_look_different() {
        let shapes: Vec<Shape> = (0..18).map(Shape::of_model).collect();
        assert!((1..18).all(|i| !shapes[..i].contains(&shapes[i])));
        assert!(!shapes.contains(&Shape::ORACLE));
        assert_eq!(Shape::of_model(18), shapes[0]);
    }
}
