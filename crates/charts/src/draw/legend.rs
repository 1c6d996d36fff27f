//! The legend: what it contains, how large it is, and where it fits.

use super::{
    canvas::{Canvas, Pen},
    color::Color,
    geometry::{Point, Rect, Segment},
    line_style::LineStyle,
    marker::Shape,
    text::{Anchor, CAP_HEIGHT, TextLine, text_width},
    theme,
};
use crate::error::Result;

/// One line of the legend.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The name of a curve or marker.
    pub text: String,
    /// To the left of the text.
    pub sample: Sample,
}

/// What is drawn beside the text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    /// A piece of a curve, with one of its markers.
    Curve(LineStyle),
    /// A marker.
    Marker(Shape),
    /// A piece of a shaded band, of an opacity between 0 and 1.
    Band(Color, f64),
    /// Nothing.
    None,
}

/// A legend with its size.
#[derive(Debug, Clone, PartialEq)]
pub struct Legend {
    entries: Vec<Entry>,
    font_size: f64,
    column_width: f64,
    n_columns: usize,
}

const PADDING: f64 = 3.0;
/// Distance of baselines in parts of the font size.
const LINE_HEIGHT: f64 = 1.35;
/// Space between the legend and the frame around it, and between the legend and what it must not cover.
const CLEARANCE: f64 = 3.5;

/// Shares of the free width and height to the left of the legend and above it, and what the place costs.
const PLACES: [(f64, f64, f64); 12] = [
    (1.0, 1.0, 0.0),
    (0.0, 0.0, 10.0),
    (1.0, 0.0, 10.0),
    (0.0, 1.0, 10.0),
    (1.0, 0.75, 60.0),
    (1.0, 0.5, 60.0),
    (0.75, 1.0, 60.0),
    (0.5, 1.0, 60.0),
    (0.25, 0.0, 60.0),
    (0.5, 0.0, 60.0),
    (0.75, 0.0, 60.0),
    (0.25, 1.0, 60.0),
];

/// Most entries of a legend. Nobody tells as many curves apart, and a longer one would be most of the page.
const MAX_ENTRIES: usize = 40;
/// Of a legend that is too long, the last entries stay: they are what all others are compared with.
const N_LAST: usize = 4;

impl Legend {
    /// Lays entries out in columns. Of more than forty the middle is left out, and its place says how many they are.
    ///
    /// # Errors
    /// When the font is broken.
    pub fn new(mut entries: Vec<Entry>, font_size: f64, n_columns: usize) -> Result<Self> {
        if entries.len() > MAX_ENTRIES {
            let left_out = MAX_ENTRIES - N_LAST - 1..entries.len() - N_LAST;
            let rest = Entry {
                text: format!("and {} more", left_out.len()),
                sample: Sample::None,
            };
            entries.splice(left_out, [rest]);
        }
        let mut text = 0.0;
        for entry in &entries {
            text = f64::max(text, text_width(&entry.text, font_size)?);
        }
        Ok(Self {
            entries,
            font_size,
            column_width: theme::LEGEND_LINE + 2.0 * PADDING + text,
            n_columns,
        })
    }

    /// The same entries in another number of columns.
    #[must_use]
    pub fn in_columns(self, n_columns: usize) -> Self {
        Self { n_columns, ..self }
    }

    /// How many lines it has in one column.
    #[must_use]
    pub fn n_entries(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn n_rows(&self) -> usize {
        self.entries.len().div_ceil(self.n_columns)
    }

    /// In points.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.column_width * self.n_columns as f64 + PADDING
    }

    /// In points.
    #[must_use]
    pub fn height(&self) -> f64 {
        self.n_rows() as f64 * LINE_HEIGHT * self.font_size + 2.0 * PADDING
    }

    /// Where it fits inside the frame without covering a curve or a marker, each place with what it costs in the units of
    /// the search for labels (about one per point of leader line): corners are usual, the lower right one most of all, since curves rise; sides are not.
    #[must_use]
    pub fn places(&self, frame: Rect, markers: &[Rect], curves: &[Segment]) -> Vec<(Rect, f64)> {
        let (dx, dy) = (
            frame.width() - self.width() - 2.0 * CLEARANCE,
            frame.height() - self.height() - 2.0 * CLEARANCE,
        );
        if dx < 0.0 || dy < 0.0 {
            return Vec::new();
        }
        PLACES
            .into_iter()
            .map(|(x, y, cost)| {
                let (left, top) = (
                    frame.left + CLEARANCE + x * dx,
                    frame.top + CLEARANCE + y * dy,
                );
                (Rect::new(left, top, self.width(), self.height()), cost)
            })
            .filter(|(rect, _)| {
                // A place is taken only when it is free, not when little is covered: a legend over a curve hides data.
                let clear = rect.grown(CLEARANCE);
                !markers.iter().any(|marker| marker.overlaps(clear))
                    && !curves.iter().any(|curve| curve.meets(clear))
            })
            .collect()
    }

    /// Draws it into a box of its size.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn draw(&self, canvas: &Canvas<'_>, rect: Rect, curve_width: f64) -> Result<()> {
        // Grid lines would run through the words.
        canvas.fill(rect, canvas.palette().background)?;
        canvas.outline(rect, Pen::solid(canvas.palette().grid, theme::FRAME_WIDTH))?;
        for (i, entry) in self.entries.iter().enumerate() {
            let (column, row) = (i / self.n_rows(), i % self.n_rows());
            let left = rect.left + PADDING + column as f64 * self.column_width;
            let middle = rect.top + PADDING + (row as f64 + 0.5) * LINE_HEIGHT * self.font_size;
            match entry.sample {
                Sample::Curve(style) => {
                    let ends = [
                        Point::new(left, middle),
                        Point::new(left + theme::LEGEND_LINE, middle),
                    ];
                    canvas.line(&ends, Pen::of(style, curve_width))?;
                    if let Some(mark) = style.mark {
                        let center = Point::new(left + theme::LEGEND_LINE / 2.0, middle);
                        canvas.marker(center, mark, theme::MARK_RADIUS, style.color)?;
                    }
                }
                Sample::Marker(shape) => {
                    let center = Point::new(left + theme::LEGEND_LINE / 2.0, middle);
                    canvas.marker(center, shape, theme::ORACLE_RADIUS, canvas.palette().marker)?;
                }
                Sample::Band(color, opacity) => {
                    let half = CAP_HEIGHT / 2.0 * self.font_size;
                    let right = left + theme::LEGEND_LINE;
                    let (top, bottom) = (middle - half, middle + half);
                    let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
                    canvas.area(&corners.map(|(x, y)| Point::new(x, y)), color, opacity)?;
                    for y in [top, bottom] {
                        let edge = [Point::new(left, y), Point::new(right, y)];
                        canvas.line(&edge, Pen::solid(color, theme::GRID_WIDTH))?;
                    }
                }
                Sample::None => {}
            }
            let line = TextLine {
                text: &entry.text,
                size: self.font_size,
                anchor: Anchor::Start,
            };
            let baseline = middle + CAP_HEIGHT / 2.0 * self.font_size;
            canvas.text(
                line,
                Point::new(left + theme::LEGEND_LINE + PADDING, baseline),
            )?;
        }
        Ok(())
    }
}
