//! How the figure's series look.

use plotters::style::RGBColor;

use super::hatch::Hatch;
use crate::{
    marker::{Outline, Shape},
    theme,
};

/// A part of the large LLM's cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SeriesLook {
    pub(super) color: RGBColor,
    pub(super) shape: Shape,
    /// In the bars.
    pub(super) hatch: Hatch,
}

const fn series(color: RGBColor, outline: Outline, hatch: Hatch) -> SeriesLook {
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
    series(RGBColor(0xC8, 0x10, 0x2E), Outline::Circle, Hatch::Rising),
    series(RGBColor(0x2C, 0xA5, 0x8D), Outline::Square, Hatch::Falling),
    series(RGBColor(0xF2, 0xA1, 0x04), Outline::Up, Hatch::Crossed),
    series(RGBColor(0xB2, 0x7B, 0xC0), Outline::Diamond, Hatch::Level),
    series(RGBColor(0x7A, 0x5C, 0x3E), Outline::Down, Hatch::Upright),
    series(RGBColor(0x00, 0x9F, 0xC4), Outline::Pentagon, Hatch::Grid),
];

/// The large LLM's circle: the paper's blue.
pub(super) const LARGE: theme::LineStyle = theme::LineStyle {
    color: RGBColor(0x0F, 0x5F, 0xA8),
    dash: &[4.2, 2.2],
    width: 1.0,
    mark: None,
};

/// How much of what lies below shows through a series' area; the paper's alpha.
pub(super) const AREA_OPACITY: f64 = 0.05;

/// The look of a series by its place; there are no more than six.
pub(super) fn of_series(share_idx: usize) -> SeriesLook {
    SERIES[share_idx % SERIES.len()]
}
