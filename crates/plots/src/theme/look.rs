//! Two ways to draw the same figure, and the colors of each.

use plotters::style::RGBColor;

use crate::marker::Shape;

/// For whom a figure is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Look {
    /// Screens and papers in color
    Color,
    /// Print: black and grays, with markers along the curves; in a folder `bw`
    Bw,
}

/// Colors of all but the curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Palette {
    pub(crate) background: RGBColor,
    pub(crate) text: RGBColor,
    /// Frame and tick marks.
    pub(crate) frame: RGBColor,
    pub(crate) grid: RGBColor,
    pub(crate) grid_minor: RGBColor,
    /// Markers of LLMs.
    pub(crate) marker: RGBColor,
    /// Lines from a marker to its label.
    pub(crate) leader: RGBColor,
}

/// A gray, from 0 (black) to 255 (white).
pub(super) const fn gray(level: u8) -> RGBColor {
    RGBColor(level, level, level)
}

const COLOR: Palette = Palette {
    background: gray(255),
    text: gray(26),
    frame: gray(90),
    grid: gray(225),
    grid_minor: gray(240),
    marker: gray(55),
    leader: gray(140),
};

/// Printers have no light gray: what matters is black, and the markers of LLMs are gray beside the black ones of curves.
const BW: Palette = Palette {
    background: gray(255),
    text: gray(0),
    frame: gray(0),
    grid: gray(215),
    grid_minor: gray(235),
    marker: gray(125),
    leader: gray(125),
};

impl Look {
    pub(crate) fn palette(self) -> Palette {
        match self {
            Self::Color => COLOR,
            Self::Bw => BW,
        }
    }

    /// The shape of the LLM at a position. In print hollow shapes are those of curves.
    pub(crate) fn model_shape(self, model_idx: usize) -> Shape {
        let shape = Shape::of_model(model_idx);
        Shape {
            is_hollow: shape.is_hollow && self == Self::Color,
            ..shape
        }
    }

    /// The folder of its figures below their data set's.
    pub(crate) fn folder(self) -> Option<&'static str> {
        match self {
            Self::Color => None,
            Self::Bw => Some("bw"),
        }
    }
}
