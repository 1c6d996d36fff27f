//! Sizes that are the same in all figures, in points. Those that people change are in [`super::style`].

/// Width of the line around a frame, and of tick marks.
pub const FRAME_WIDTH: f64 = 0.6;
/// Width of grid lines.
pub const GRID_WIDTH: f64 = 0.5;
/// Width of the line from a marker to its label.
pub const LEADER_WIDTH: f64 = 0.4;
/// Width of the outline of a hollow marker, and of the bars of intervals.
pub const MARKER_LINE_WIDTH: f64 = 0.8;
/// Half the width of a marker.
pub const MARKER_RADIUS: f64 = 2.2;
/// Half the width of a marker along a curve.
pub const MARK_RADIUS: f64 = 2.4;
/// Distance of markers along a curve.
pub const MARK_DISTANCE: f64 = 42.0;
/// Half the width of the oracle's star, which is larger and hollow because an LLM may be at the same place.
pub const ORACLE_RADIUS: f64 = 3.8;

/// Space between the edge of the page and what is drawn.
pub const MARGIN: f64 = 4.0;
/// Length of tick marks.
pub const TICK_LENGTH: f64 = 2.5;
/// Space between parts of a figure.
pub const GAP: f64 = 3.0;
/// Length of the line beside a legend's text.
pub const LEGEND_LINE: f64 = 19.0;
