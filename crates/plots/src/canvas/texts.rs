//! Texts: how wide they are, and how they are written.

use anyhow::anyhow;
use plotters::{
    element::Text,
    style::{
        FontStyle, FontTransform, IntoFont as _, TextStyle, register_font,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{Canvas, PIXELS_PER_POINT, at};
use crate::{geometry::Point, theme};

/// plotters takes a font's size for its height and divides by this before it writes `font-size`.
const HEIGHT_PER_SIZE: f64 = 1.24;
/// Height of the shipped font (ascender 1,854 and descender 434 of 2,048 units), which is what plotters' text measure counts in.
const HEIGHT_PER_EM: f64 = (1854.0 + 434.0) / 2048.0;

/// Which point of a text stands at the place given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text on one line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    /// Font size in points.
    pub(crate) size: f64,
    pub(crate) anchor: Anchor,
}

impl Canvas<'_> {
    /// Writes a text whose baseline passes through `place`.
    ///
    /// # Errors
    /// When the backend fails.
    pub(crate) fn text(&self, line: Line<'_>, place: Point) -> anyhow::Result<()> {
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
    pub(crate) fn upward_text(&self, line: Line<'_>, place: Point) -> anyhow::Result<()> {
        self.write(
            line,
            Point::new(place.x - 0.25 * line.size, place.y),
            FontTransform::Rotate270,
        )
    }

    fn write(&self, line: Line<'_>, place: Point, transform: FontTransform) -> anyhow::Result<()> {
        let h_pos = match line.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let size = line.size * PIXELS_PER_POINT * HEIGHT_PER_SIZE;
        let color = self.palette().text;
        let style = TextStyle::from((theme::FONT_FAMILY, size).into_font())
            .color(&color)
            .transform(transform)
            .pos(Pos::new(h_pos, VPos::Center));
        self.draw(&Text::new(line.text, at(place), style))
    }
}

/// Width of a text in points.
///
/// # Errors
/// When the shipped font is broken.
pub(crate) fn text_width(text: &str, size: f64) -> anyhow::Result<f64> {
    register()?;
    // Measured large, since plotters rounds to whole pixels.
    let ((left, _), (right, _)) = (theme::FONT_FAMILY, 1000.0 * HEIGHT_PER_EM)
        .into_font()
        .layout_box(text)
        .map_err(|error| anyhow!("cannot measure a text: {error}"))?;
    Ok(f64::from(right - left) / 1000.0 * size)
}

pub(super) fn register() -> anyhow::Result<()> {
    register_font(theme::FONT_FAMILY, FontStyle::Normal, theme::FONT)
        .map_err(|_| anyhow!("the shipped font is broken"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_as_wide_as_the_font_says() {
        // Advances of Liberation Sans in 1/2048 em: `A` 1366, `V` 1366, `i` 455; `AV` is kerned by -152.
        let width = |text| text_width(text, 2048.0).expect("measured");
        assert!((width("iii") - 3.0 * 455.0).abs() < 4.0, "{}", width("iii"));
        assert!((width("A") - 1366.0).abs() < 4.0, "{}", width("A"));
        assert!(width("AV") <= 2.0 * 1366.0);
    }
}
