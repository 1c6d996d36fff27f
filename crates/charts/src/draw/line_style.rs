//! How lines look.

use super::{
    color::Color,
    look::Look,
    marker::{Outline, Shape},
};

/// Lengths of dashes and gaps in turn, in points; empty for a solid line.
pub type Dash = &'static [f64];

/// No gaps.
pub const SOLID: Dash = &[];
/// Dashes twice as long as the gaps between them.
pub const DASHED: Dash = &[4.2, 2.2];
/// Long dashes, to distinguish a line from a dashed one beside it.
pub const LONG_DASHED: Dash = &[9.0, 2.4];
/// Dots.
pub const DOTTED: Dash = &[1.1, 1.7];
/// A dash and a dot in turn.
pub const DASH_DOTTED: Dash = &[5.0, 1.8, 1.1, 1.8];

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineStyle {
    /// Of the line and its markers.
    pub color: Color,
    /// Dashes and gaps.
    pub dash: Dash,
    /// Relative to the configured width.
    pub width: f64,
    /// Stands along the curve, again and again.
    pub mark: Option<Shape>,
}

impl LineStyle {
    /// A line of the usual width without markers, for screens.
    #[must_use]
    pub const fn colored(color: Color, dash: Dash) -> Self {
        Self {
            color,
            dash,
            width: 1.0,
            mark: None,
        }
    }

    /// A black line with hollow markers, for print: without color, only shapes and dashes distinguish lines.
    #[must_use]
    pub const fn black(dash: Dash, outline: Outline) -> Self {
        Self {
            color: Color::gray(0),
            dash,
            width: 0.8,
            mark: Some(Shape {
                outline,
                is_hollow: true,
            }),
        }
    }
}

/// A line with its name, and how it is drawn in each look.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedLine {
    /// In legends and keys.
    pub name: String,
    /// For screens and papers in color.
    pub color: LineStyle,
    /// For print.
    pub bw: LineStyle,
}

impl NamedLine {
    /// How the line is drawn in a look.
    #[must_use]
    pub fn style(&self, look: Look) -> LineStyle {
        match look {
            Look::Color => self.color,
            Look::Bw => self.bw,
        }
    }
}
