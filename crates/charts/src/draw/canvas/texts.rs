//! Texts on the canvas.

use plotters::{
    element::Text,
    style::{
        FontTransform, IntoFont as _, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{Canvas, PIXELS_PER_POINT, at};
use crate::{
    draw::{
        geometry::Point,
        text::{Anchor, FONT_FAMILY, TextLine, printable},
    },
    error::Result,
};

/// plotters takes a font's size for its height and divides by this before it writes `font-size`.
const HEIGHT_PER_SIZE: f64 = 1.24;

impl Canvas<'_> {
    /// Writes a text whose baseline passes through `place`.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn text(&self, line: TextLine<'_>, place: Point) -> Result<()> {
        // A centered text is moved down by 0.5 ex, which is 0.25 of the font's size to all viewers that do not look into the font.
        self.write(
            line,
            Point::new(place.x, place.y - 0.25 * line.size),
            FontTransform::None,
        )
    }

    /// Writes a text that runs upwards, with its baseline to the right; `place` is the middle of the baseline.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn upward_text(&self, line: TextLine<'_>, place: Point) -> Result<()> {
        self.write(
            line,
            Point::new(place.x - 0.25 * line.size, place.y),
            FontTransform::Rotate270,
        )
    }

    fn write(&self, line: TextLine<'_>, place: Point, transform: FontTransform) -> Result<()> {
        let h_pos = match line.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let size = line.size * PIXELS_PER_POINT * HEIGHT_PER_SIZE;
        let color = self.palette().text.to_rgb();
        let style = TextStyle::from((FONT_FAMILY, size).into_font())
            .color(&color)
            .transform(transform)
            .pos(Pos::new(h_pos, VPos::Center));
        self.draw(&Text::new(printable(line.text), at(place), style))
    }
}
