//! Texts: the shipped font, what a line of text is, and how wide it is.

use std::{borrow::Cow, sync::OnceLock};

use plotters::style::{FontStyle, IntoFont as _, register_font};

use crate::error::{Error, Result};

/// The shipped font: Liberation Sans has the widths of Arial and Helvetica, so a figure keeps its layout in a viewer that has only those.
pub(crate) const FONT: &[u8] = include_bytes!("../../fonts/LiberationSans-Regular.ttf");
/// The font's own name, then its metric twins.
pub(crate) const FONT_FAMILY: &str = "Liberation Sans, Arimo, Helvetica, Arial, sans-serif";
/// Height of the font's letters above the baseline, in parts of the font size.
pub const ASCENT: f64 = 0.73;
/// Depth of the font's letters below the baseline, in parts of the font size.
pub const DESCENT: f64 = 0.21;
/// Height of capitals and digits, in parts of the font size.
pub const CAP_HEIGHT: f64 = 0.69;

/// Height of the shipped font (ascender 1,854 and descender 434 of 2,048 units), which is what plotters' text measure counts in.
const HEIGHT_PER_EM: f64 = (1854.0 + 434.0) / 2048.0;

/// Which point of a text lies at the given place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The left end.
    Start,
    /// The middle.
    Middle,
    /// The right end.
    End,
}

/// A text on one line.
#[derive(Debug, Clone, Copy)]
pub struct TextLine<'a> {
    /// What is written.
    pub text: &'a str,
    /// Font size in points.
    pub size: f64,
    /// Which point of it lies at the given place.
    pub anchor: Anchor,
}

/// A text on one line; `size` is the font size in points.
#[must_use]
pub fn text(text: &str, size: f64, anchor: Anchor) -> TextLine<'_> {
    TextLine { text, size, anchor }
}

/// Width of a text in points.
///
/// # Errors
/// When the shipped font is broken.
pub fn text_width(text: &str, size: f64) -> Result<f64> {
    // Layout measures texts before there is a canvas.
    register_shipped_font()?;
    // Measured large, since plotters rounds to whole pixels.
    let ((left, _), (right, _)) = (FONT_FAMILY, 1000.0 * HEIGHT_PER_EM)
        .into_font()
        .layout_box(&printable(text))
        .map_err(|error| Error::Measure {
            text: text.to_owned(),
            source: error.into(),
        })?;
    Ok(f64::from(right - left) / 1000.0 * size)
}

/// Makes plotters measure by the shipped font, not by one of this machine.
pub(crate) fn register_shipped_font() -> Result<()> {
    // Once: a page of three hundred LLMs measures thousands of texts.
    static IS_GOOD: OnceLock<bool> = OnceLock::new();
    let register = || register_font(FONT_FAMILY, FontStyle::Normal, FONT).is_ok();
    if *IS_GOOD.get_or_init(register) {
        Ok(())
    } else {
        Err(Error::BrokenFont)
    }
}

/// A text without what must not be in an SVG: characters that XML 1.0 forbids, such as U+0000, are replaced by U+FFFD.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_forbidden = |c: char| matches!(c, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if text.contains(is_forbidden) {
        Cow::Owned(text.replace(is_forbidden, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
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

    #[test]
    fn what_xml_forbids_is_replaced() {
        let all: String = (0..0x20).filter_map(char::from_u32).collect();
        assert_eq!(printable(&all).matches('\u{fffd}').count(), 29);
        for (text, expected) in [
            ("a\u{0}b", "a\u{fffd}b"),
            ("\t\r\n\u{7f}\u{85}", "\t\r\n\u{7f}\u{85}"),
            ("\u{ffff}\u{fffd}\u{1f600}", "\u{fffd}\u{fffd}\u{1f600}"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }
}
