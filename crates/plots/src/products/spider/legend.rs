//! The row of samples below the figure.

use charts::{
    draw::{
        canvas::{Canvas, Pen},
        geometry::{Point, Rect},
        marker::Shape,
        text::{Anchor, CAP_HEIGHT, text, text_width},
        theme,
    },
    error::Result,
};

use super::hatch::Hatch;

/// Distance of rows in parts of the font size.
const ROW_HEIGHT: f64 = 1.5;
/// Height of a sample in parts of the font size.
const SAMPLE_HEIGHT: f64 = 0.9;

/// What is drawn beside a text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sample {
    Line(Pen, Option<Shape>),
    Hatch(Hatch),
}

/// Samples and texts in columns.
#[derive(Debug, Clone)]
pub(super) struct Legend {
    entries: Vec<(Sample, String)>,
    size: f64,
    column_width: f64,
    n_columns: usize,
}

impl Legend {
    /// Lays the entries out in as many columns as `width` holds.
    ///
    /// # Errors
    /// When the font is broken.
    pub(super) fn new(entries: Vec<(Sample, String)>, width: f64, size: f64) -> Result<Self> {
        let mut widest = 0.0;
        for (_, entry) in &entries {
            widest = f64::max(widest, text_width(entry, size)?);
        }
        let column_width = theme::LEGEND_LINE + theme::GAP + widest + 3.0 * theme::GAP;
        // The last column needs no gap behind it.
        let fitting =
            (((width + 3.0 * theme::GAP) / column_width) as usize).clamp(1, entries.len());
        // Rows of the same length look better than a full one above a single entry.
        let n_columns = entries.len().div_ceil(entries.len().div_ceil(fitting));
        Ok(Self {
            entries,
            size,
            column_width,
            n_columns,
        })
    }

    fn n_rows(&self) -> usize {
        self.entries.len().div_ceil(self.n_columns)
    }

    pub(super) fn height(&self) -> f64 {
        self.n_rows() as f64 * ROW_HEIGHT * self.size
    }

    /// Draws it with its upper edge at `top` and its middle at `center_x`.
    ///
    /// # Errors
    /// When the backend fails.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, center_x: f64, top: f64) -> Result<()> {
        let width = self.n_columns as f64 * self.column_width - 3.0 * theme::GAP;
        for (i, (sample, words)) in self.entries.iter().enumerate() {
            let (row, column) = (i / self.n_columns, i % self.n_columns);
            let left = center_x - width / 2.0 + column as f64 * self.column_width;
            let middle = top + (row as f64 + 0.5) * ROW_HEIGHT * self.size;
            match *sample {
                Sample::Line(pen, shape) => {
                    let ends = [left, left + theme::LEGEND_LINE].map(|x| Point::new(x, middle));
                    canvas.line(&ends, pen)?;
                    if let Some(shape) = shape {
                        let center = Point::new(left + theme::LEGEND_LINE / 2.0, middle);
                        canvas.marker(center, shape, theme::MARKER_RADIUS, pen.color)?;
                    }
                }
                Sample::Hatch(hatch) => {
                    let height = SAMPLE_HEIGHT * self.size;
                    let rect = Rect::new(left, middle - height / 2.0, theme::LEGEND_LINE, height);
                    hatch.draw(canvas, rect)?;
                }
            }
            let baseline = middle + CAP_HEIGHT / 2.0 * self.size;
            canvas.text(
                text(words, self.size, Anchor::Start),
                Point::new(left + theme::LEGEND_LINE + theme::GAP, baseline),
            )?;
        }
        Ok(())
    }
}
