//! How the figure's series look.

use super::hatch::Hatch;
use crate::data::series::colors::{BLUE, BROWN, CYAN, GREEN, ORANGE, PURPLE, RED};
use charts::draw::{
    color::Color,
    line_style::{DASHED, LineStyle},
    marker::{Outline, Shape},
};

/// A part of the large LLM's cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SeriesLook {
    pub(super) color: Color,
    pub(super) shape: Shape,
    /// In the bars.
    pub(super) hatch: Hatch,
}

const fn series(color: Color, outline: Outline, hatch: Hatch) -> SeriesLook {
    SeriesLook {
        color,
        shape: Shape {
            outline,
            is_hollow: false,
        },
        hatch,
    }
}

/// The first three are the paper's red, green and orange, in the shades of the other figures.
const SERIES: [SeriesLook; 6] = [
    series(RED, Outline::Circle, Hatch::Rising),
    series(GREEN, Outline::Square, Hatch::Falling),
    series(ORANGE, Outline::Up, Hatch::Crossed),
    series(PURPLE, Outline::Diamond, Hatch::Level),
    series(BROWN, Outline::Down, Hatch::Upright),
    series(CYAN, Outline::Pentagon, Hatch::Grid),
];

/// The large LLM's circle: the paper's blue.
pub(super) const LARGE: LineStyle = LineStyle::colored(BLUE, DASHED);

/// How much of what lies below shows through a series' area; the paper's alpha.
pub(super) const AREA_OPACITY: f64 = 0.05;

/// The look of a series by its place; there are no more than six.
pub(super) fn of_series(share_idx: usize) -> SeriesLook {
    SERIES[share_idx % SERIES.len()]
}
