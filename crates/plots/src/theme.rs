//! How figures look: every color, dash, size and display name. Sizes that people change are in configs/plots.toml instead.

mod lines;
mod look;

pub(crate) use self::{
    lines::{Dash, LineStyle, Series, rank},
    look::{Look, Palette},
};

/// The shipped font: Liberation Sans has the widths of Arial and Helvetica, so a figure keeps its layout in a viewer that has only those.
pub(crate) const FONT: &[u8] = include_bytes!("../fonts/LiberationSans-Regular.ttf");
/// The font's own name, then its metric twins.
pub(crate) const FONT_FAMILY: &str = "Liberation Sans, Arimo, Helvetica, Arial, sans-serif";
/// Heights of the font in parts of the font size.
pub(crate) const ASCENT: f64 = 0.73;
pub(crate) const DESCENT: f64 = 0.21;
pub(crate) const CAP_HEIGHT: f64 = 0.69;

/// Line widths in points.
pub(crate) const FRAME_WIDTH: f64 = 0.6;
pub(crate) const GRID_WIDTH: f64 = 0.5;
pub(crate) const LEADER_WIDTH: f64 = 0.4;
pub(crate) const MARKER_LINE_WIDTH: f64 = 0.8;
/// Half the width of a marker, in points.
pub(crate) const MARKER_RADIUS: f64 = 2.2;
/// Half the width of a marker along a curve, in points.
pub(crate) const MARK_RADIUS: f64 = 2.4;
/// Distance of markers along a curve, in points.
pub(crate) const MARK_DISTANCE: f64 = 42.0;
/// The oracle's star is larger, and hollow: an LLM may stand at the same place.
pub(crate) const ORACLE_RADIUS: f64 = 3.8;

/// Space between parts of the figure, in points.
pub(crate) const MARGIN: f64 = 4.0;
pub(crate) const TICK_LENGTH: f64 = 2.5;
pub(crate) const GAP: f64 = 3.0;
/// Length of the line beside a legend's text, in points.
pub(crate) const LEGEND_LINE: f64 = 19.0;
/// Longest label of an LLM, in characters; longer names lose their middle.
pub(crate) const MAX_LABEL_CHARS: usize = 28;

/// An LLM's name as a label: without its owner, and without its middle where it is too long.
pub(crate) fn short_name(model: &str) -> String {
    let name = model.rsplit('/').find(|part| !part.is_empty());
    shortened(name.unwrap_or(model))
}

/// A name without its middle where it is longer than [`MAX_LABEL_CHARS`].
pub(crate) fn shortened(name: &str) -> String {
    shortened_to(name, MAX_LABEL_CHARS)
}

/// A name without its middle where it is longer than some characters, of which there is at least one.
pub(crate) fn shortened_to(name: &str, max_chars: usize) -> String {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= max_chars {
        return name.to_owned();
    }
    let n_tail = (max_chars - 1) / 2;
    let n_head = max_chars - 1 - n_tail;
    chars[..n_head]
        .iter()
        .chain(&['\u{2026}'])
        .chain(&chars[chars.len() - n_tail..])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened() {
        for (model, expected) in [
            ("gpt-4o", "gpt-4o"),
            ("meta-llama/Llama-3.1-8B", "Llama-3.1-8B"),
            ("owner/", "owner"),
            (
                "a-model-whose-name-goes-on-and-on-without-end-7B-Instruct",
                "a-model-whose-\u{2026}d-7B-Instruct",
            ),
        ] {
            assert_eq!(short_name(model), expected);
            assert!(short_name(model).chars().count() <= MAX_LABEL_CHARS);
        }
    }
}
