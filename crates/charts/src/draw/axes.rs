//! A frame with its axes: grid, ticks, titles.

use super::{
    axis::Axis,
    canvas::{Canvas, Pen},
    geometry::{Point, Rect},
    style::Style,
    text::{ASCENT, Anchor, CAP_HEIGHT, DESCENT, text, text_width},
    theme,
};
use crate::error::Result;

/// Two axes around a frame.
pub struct Axes<'a> {
    /// Left edge of the page, or of the part of it that is this frame's.
    pub left: f64,
    /// The box that the axes surround.
    pub frame: Rect,
    /// The horizontal axis.
    pub x: &'a Axis,
    /// The vertical axis.
    pub y: &'a Axis,
    /// Above the frame; empty for none.
    pub title: &'a str,
    /// Below the frame.
    pub x_title: &'a str,
    /// To the left of the frame, upwards.
    pub y_title: &'a str,
}

/// Room below the frame for tick labels and the axis title, in points.
#[must_use]
pub fn room_below(style: &Style) -> f64 {
    let ticks = theme::TICK_LENGTH + theme::GAP + CAP_HEIGHT * style.tick_pt;
    ticks + 1.5 * theme::GAP + (ASCENT + DESCENT) * style.axis_title_pt + theme::GAP
}

/// The largest frame that `part`, a part of the page, has room for beside the labels of its axes.
///
/// # Errors
/// When the font is broken.
pub fn frame(part: Rect, x: &Axis, y: &Axis, style: &Style) -> Result<Rect> {
    // All labels of the vertical axis end at the same place, so the widest one decides.
    let mut widest = 0.0;
    for tick in &y.ticks {
        widest = f64::max(widest, text_width(&tick.label, style.tick_pt)?);
    }
    let title = (ASCENT + DESCENT) * style.axis_title_pt;
    let left = part.left
        + theme::MARGIN
        + title
        + 1.3 * theme::GAP
        + widest
        + theme::GAP
        + theme::TICK_LENGTH;
    let top = part.top
        + theme::MARGIN
        + if style.has_titles {
            title + theme::GAP
        } else {
            0.0
        };
    // The last tick label may stick out to the right.
    let mut right = part.right - theme::MARGIN - 1.0;
    if let Some(last) = x.ticks.last() {
        let half = text_width(&last.label, style.tick_pt)? / 2.0;
        let beyond = half - (right - left) * (1.0 - x.position(last.value));
        right -= beyond.max(0.0);
    }
    let height = part.bottom - top - room_below(style) - theme::MARGIN;
    Ok(Rect::new(left, top, right - left, height))
}

/// Writes the title of a page of several frames, centered at its upper edge; nothing where figures have no titles.
///
/// # Errors
/// When the backend fails.
pub fn draw_page_title(
    canvas: &Canvas<'_>,
    title: &str,
    page_width: f64,
    style: &Style,
) -> Result<()> {
    if !style.has_titles {
        return Ok(());
    }
    let baseline = theme::MARGIN + ASCENT * style.axis_title_pt;
    canvas.text(
        text(title, style.axis_title_pt, Anchor::Middle),
        Point::new(page_width / 2.0, baseline),
    )
}

impl Axes<'_> {
    /// The place of a pair of values on the page.
    #[must_use]
    pub fn place(&self, x: f64, y: f64) -> Point {
        Point::new(
            self.frame.left + self.frame.width() * self.x.position(x),
            self.frame.bottom - self.frame.height() * self.y.position(y),
        )
    }

    /// Draws grid, frame, ticks and titles.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn draw(&self, canvas: &Canvas<'_>, style: &Style) -> Result<()> {
        let frame = self.frame;
        self.draw_grid(canvas)?;
        canvas.outline(
            frame,
            Pen::solid(canvas.palette().frame, theme::FRAME_WIDTH),
        )?;
        self.draw_ticks(canvas, style)?;
        let middle = frame.center();
        let baseline =
            frame.bottom + room_below(style) - theme::GAP - DESCENT * style.axis_title_pt;
        canvas.text(
            text(self.x_title, style.axis_title_pt, Anchor::Middle),
            Point::new(middle.x, baseline),
        )?;
        let baseline = self.left + theme::MARGIN + ASCENT * style.axis_title_pt;
        canvas.upward_text(
            text(self.y_title, style.axis_title_pt, Anchor::Middle),
            Point::new(baseline, middle.y),
        )?;
        if self.title.is_empty() {
            return Ok(());
        }
        // A long title is written smaller: it must not leave this frame's part of the page.
        let room = 2.0 * (middle.x - self.left).min(frame.right + theme::GAP - middle.x);
        let width = text_width(self.title, style.axis_title_pt)?;
        let size = style.axis_title_pt * (room / width).min(1.0);
        canvas.text(
            text(self.title, size, Anchor::Middle),
            Point::new(middle.x, frame.top - 1.6 * theme::GAP),
        )
    }

    fn upright(&self, x: f64, from: f64, to: f64) -> [Point; 2] {
        let x = self.frame.left + self.frame.width() * self.x.position(x);
        [Point::new(x, from), Point::new(x, to)]
    }

    fn level(&self, y: f64, from: f64, to: f64) -> [Point; 2] {
        let y = self.frame.bottom - self.frame.height() * self.y.position(y);
        [Point::new(from, y), Point::new(to, y)]
    }

    fn draw_grid(&self, canvas: &Canvas<'_>) -> Result<()> {
        let frame = self.frame;
        let minor = Pen::solid(canvas.palette().grid_minor, theme::GRID_WIDTH);
        let grid = Pen::solid(canvas.palette().grid, theme::GRID_WIDTH);
        for &value in &self.x.minor {
            canvas.line(&self.upright(value, frame.top, frame.bottom), minor)?;
        }
        for &value in &self.y.minor {
            canvas.line(&self.level(value, frame.left, frame.right), minor)?;
        }
        for tick in &self.x.ticks {
            canvas.line(&self.upright(tick.value, frame.top, frame.bottom), grid)?;
        }
        for tick in &self.y.ticks {
            canvas.line(&self.level(tick.value, frame.left, frame.right), grid)?;
        }
        Ok(())
    }

    fn draw_ticks(&self, canvas: &Canvas<'_>, style: &Style) -> Result<()> {
        let frame = self.frame;
        let edge = Pen::solid(canvas.palette().frame, theme::FRAME_WIDTH);
        for tick in &self.x.ticks {
            let mark = self.upright(tick.value, frame.bottom, frame.bottom + theme::TICK_LENGTH);
            canvas.line(&mark, edge)?;
            let baseline =
                frame.bottom + theme::TICK_LENGTH + theme::GAP + CAP_HEIGHT * style.tick_pt;
            canvas.text(
                text(&tick.label, style.tick_pt, Anchor::Middle),
                Point::new(mark[0].x, baseline),
            )?;
        }
        for tick in &self.y.ticks {
            let mark = self.level(tick.value, frame.left - theme::TICK_LENGTH, frame.left);
            canvas.line(&mark, edge)?;
            let right = frame.left - theme::TICK_LENGTH - theme::GAP;
            let baseline = mark[0].y + CAP_HEIGHT / 2.0 * style.tick_pt;
            canvas.text(
                text(&tick.label, style.tick_pt, Anchor::End),
                Point::new(right, baseline),
            )?;
        }
        Ok(())
    }
}
