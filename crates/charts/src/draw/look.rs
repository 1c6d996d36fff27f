//! Two ways to draw the same figure, and the colors of each.

use super::{color::Color, marker::Shape};

/// For whom a figure is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// Screens and papers in color.
    Color,
    /// Print: black and grays, with markers along the curves.
    Bw,
}

/// Colors of all but the curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Of the page.
    pub background: Color,
    /// Of all texts.
    pub text: Color,
    /// Frame and tick marks.
    pub frame: Color,
    /// Grid lines at ticks.
    pub grid: Color,
    /// Grid lines between ticks.
    pub grid_minor: Color,
    /// Markers of LLMs.
    pub marker: Color,
    /// Lines from a marker to its label.
    pub leader: Color,
}

const COLOR: Palette = Palette {
    background: Color::gray(255),
    text: Color::gray(26),
    frame: Color::gray(90),
    grid: Color::gray(225),
    grid_minor: Color::gray(240),
    marker: Color::gray(55),
    leader: Color::gray(140),
};

/// Printers have no light gray: what matters is black, and the markers of LLMs are gray beside the black ones of curves.
const BW: Palette = Palette {
    background: Color::gray(255),
    text: Color::gray(0),
    frame: Color::gray(0),
    grid: Color::gray(215),
    grid_minor: Color::gray(235),
    marker: Color::gray(125),
    leader: Color::gray(125),
};

impl Look {
    /// The colors of a figure.
    #[must_use]
    pub fn palette(self) -> Palette {
        match self {
            Self::Color => COLOR,
            Self::Bw => BW,
        }
    }

    /// The shape of the LLM at a position. In print hollow shapes are those of curves.
    #[must_use]
    pub fn model_shape(self, model_idx: usize) -> Shape {
        let shape = Shape::of_model(model_idx);
        Shape {
            is_hollow: shape.is_hollow && self == Self::Color,
            ..shape
        }
    }
}
