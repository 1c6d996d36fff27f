//! The sizes that people change: of a page, and of what is written and drawn on it. Fixed ones are in `theme`.

use serde::Deserialize;

/// The size of a page, in inches.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PageSize {
    /// Width in inches.
    pub width_in: f64,
    /// Height in inches.
    pub height_in: f64,
}

/// Points in an inch.
pub const POINTS_PER_INCH: f64 = 72.0;

impl PageSize {
    /// Width and height in points.
    #[must_use]
    pub fn in_points(self) -> (f64, f64) {
        (
            POINTS_PER_INCH * self.width_in,
            POINTS_PER_INCH * self.height_in,
        )
    }
}

/// Sizes of text and lines, in points, and what every figure has or lacks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Font size of the titles of figures and axes.
    pub axis_title_pt: f64,
    /// Font size of the labels of ticks.
    pub tick_pt: f64,
    /// Font size of legends and of notes in a frame.
    pub legend_pt: f64,
    /// Font size of the labels of markers and of keys.
    pub label_pt: f64,
    /// Width of a curve whose line style has width 1.
    pub curve_width_pt: f64,
    /// Ticks on an axis, at most.
    pub max_ticks: usize,
    /// Whether figures have a title, and frames room for one.
    pub has_titles: bool,
}
