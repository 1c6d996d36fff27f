//! Intervals as bars.

use charts::{
    draw::{
        canvas::{Canvas, Pen},
        geometry::Point,
        line_style::LineStyle,
        theme,
    },
    error::Result,
};

/// Half the width of the ends of a bar, in points.
const CAP: f64 = 1.6;

/// Draws an interval, level or upright, with a stroke across each end.
///
/// # Errors
/// When the backend fails.
pub(super) fn interval_bar(
    canvas: &Canvas<'_>,
    low: Point,
    high: Point,
    line: LineStyle,
) -> Result<()> {
    let pen = Pen::solid(line.color, theme::MARKER_LINE_WIDTH);
    canvas.line(&[low, high], pen)?;
    let is_level = (high.x - low.x).abs() > (high.y - low.y).abs();
    let (dx, dy) = if is_level { (0.0, CAP) } else { (CAP, 0.0) };
    for end in [low, high] {
        let cap = [
            Point::new(end.x - dx, end.y - dy),
            Point::new(end.x + dx, end.y + dy),
        ];
        canvas.line(&cap, pen)?;
    }
    Ok(())
}
