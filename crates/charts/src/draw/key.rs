//! The key below a figure: which number means which LLM.

use super::{
    canvas::Canvas,
    geometry::Point,
    text::{ASCENT, Anchor, TextLine, text_width},
    theme,
};
use crate::error::Result;

/// Numbers with the names that they replace, in columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Key {
    /// Positions of the LLMs in the scene; the first one has number 1.
    models: Vec<usize>,
    /// What the key says.
    lines: Vec<String>,
    font_size: f64,
    column_width: f64,
    n_columns: usize,
}

/// Of more LLMs than this without even a number the key gives how many there are: a list of names that lead nowhere would be most of the page.
const MAX_HIDDEN: usize = 24;
/// Distance of baselines in parts of the font size.
const LINE_HEIGHT: f64 = 1.3;

impl Key {
    /// Enters an LLM and returns its number as text.
    pub fn add(&mut self, model_idx: usize) -> String {
        self.models.push(model_idx);
        self.models.len().to_string()
    }

    /// Arranges the entries in as many columns as `width` holds. `name` says what an LLM is called, `is_shown` whether even its number
    /// had room in the figure; an LLM without one comes last, after a dash, unless there are many of them.
    ///
    /// # Errors
    /// When the font is broken.
    pub fn lay_out(
        &mut self,
        name: impl Fn(usize) -> String,
        is_shown: impl Fn(usize) -> bool,
        width: f64,
        font_size: f64,
    ) -> Result<()> {
        // A number that found no room in the figure would send readers looking for it.
        let (mut shown, mut hidden) = (Vec::new(), Vec::new());
        for (i, &model_idx) in self.models.iter().enumerate() {
            if is_shown(model_idx) {
                shown.push(format!("{}  {}", i + 1, name(model_idx)));
            } else {
                hidden.push(format!("\u{2013}  {}", name(model_idx)));
            }
        }
        if hidden.len() > MAX_HIDDEN {
            hidden = vec![format!("\u{2013}  and {} more without room", hidden.len())];
        }
        self.lines = shown;
        self.lines.append(&mut hidden);
        let mut widest = 0.0;
        for line in &self.lines {
            widest = f64::max(widest, text_width(line, font_size)?);
        }
        // A name that is wider than the page is written smaller.
        let scale = ((width - 2.0 * theme::GAP) / widest).min(1.0);
        self.font_size = scale * font_size;
        self.column_width = scale * widest + 2.0 * theme::GAP;
        self.n_columns = ((width / self.column_width) as usize).max(1);
        Ok(())
    }

    fn n_rows(&self) -> usize {
        self.lines.len().div_ceil(self.n_columns.max(1))
    }

    /// In points; 0 without entries.
    #[must_use]
    pub fn height(&self) -> f64 {
        match self.n_rows() {
            0 => 0.0,
            n_rows => theme::GAP + n_rows as f64 * LINE_HEIGHT * self.font_size,
        }
    }

    /// Draws it from its upper left corner on.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn draw(&self, canvas: &Canvas<'_>, corner: Point) -> Result<()> {
        for (i, text) in self.lines.iter().enumerate() {
            let (column, row) = (i / self.n_rows(), i % self.n_rows());
            let place = Point::new(
                corner.x + column as f64 * self.column_width,
                corner.y + theme::GAP + (row as f64 * LINE_HEIGHT + ASCENT) * self.font_size,
            );
            canvas.text(
                TextLine {
                    text,
                    size: self.font_size,
                    anchor: Anchor::Start,
                },
                place,
            )?;
        }
        Ok(())
    }
}
