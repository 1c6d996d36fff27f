//! Words in several lines.

use charts::{
    draw::{
        canvas::Canvas,
        geometry::Point,
        text::{ASCENT, Anchor, DESCENT, text, text_width},
    },
    error::Result,
};

/// Distance of baselines in parts of the font size.
const LINE_HEIGHT: f64 = 1.3;
/// A name that is longer is broken in two, in characters.
const LONG_NAME: usize = 14;

/// A text broken into lines.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Paragraph {
    lines: Vec<String>,
    size: f64,
}

impl Paragraph {
    /// Breaks a text at spaces so that each line is as wide as `width` at most, but for words that are wider themselves.
    ///
    /// # Errors
    /// When the font is broken.
    pub(super) fn new(words: &str, width: f64, size: f64) -> Result<Self> {
        let mut lines: Vec<String> = Vec::new();
        for word in words.split_whitespace() {
            // Greedy, as most writing programs do it: each line takes as many words as fit.
            match lines.last_mut() {
                Some(line) if text_width(&format!("{line} {word}"), size)? <= width => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        Ok(Self { lines, size })
    }

    /// In points; 0 without words.
    pub(super) fn height(&self) -> f64 {
        self.lines.len() as f64 * LINE_HEIGHT * self.size
    }

    /// Writes it from its upper left corner on.
    ///
    /// # Errors
    /// When the backend fails.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, corner: Point) -> Result<()> {
        for (i, line) in self.lines.iter().enumerate() {
            let baseline = corner.y + (i as f64 * LINE_HEIGHT + ASCENT) * self.size;
            canvas.text(
                text(line, self.size, Anchor::Start),
                Point::new(corner.x, baseline),
            )?;
        }
        Ok(())
    }
}

/// A few centered lines as a label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    lines: Vec<String>,
    size: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Label {
    /// # Errors
    /// When the font is broken.
    pub(super) fn new(lines: Vec<String>, size: f64) -> Result<Self> {
        let mut width = 0.0;
        for line in &lines {
            width = f64::max(width, text_width(line, size)?);
        }
        let below_first = lines.len().saturating_sub(1) as f64 * LINE_HEIGHT * size;
        Ok(Self {
            lines,
            size,
            width,
            height: below_first + (ASCENT + DESCENT) * size,
        })
    }

    /// Writes it with its upper edge at `top` and its middle at `center_x`.
    ///
    /// # Errors
    /// When the backend fails.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, center_x: f64, top: f64) -> Result<()> {
        for (i, line) in self.lines.iter().enumerate() {
            let baseline = top + (i as f64 * LINE_HEIGHT + ASCENT) * self.size;
            canvas.text(
                text(line, self.size, Anchor::Middle),
                Point::new(center_x, baseline),
            )?;
        }
        Ok(())
    }
}

/// A name in one line, or in two where it is long: broken where its parts meet, as near to the middle as can be.
pub(super) fn broken(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= LONG_NAME {
        return vec![name.to_owned()];
    }
    // The longer part decides how wide the label is, so the best joint is the one with the shortest longer part.
    let longer = |at: &usize| (*at).max(chars.len() - at);
    let joint = (1..chars.len())
        .filter(|&at| [' ', '_', '-', '/', '.'].contains(&chars[at - 1]))
        .min_by_key(longer);
    // A joint near an end is worse than none.
    let middle = chars.len().div_ceil(2);
    let at = joint
        .filter(|at| longer(at) <= middle + 5)
        .unwrap_or(middle);
    [&chars[..at], &chars[at..]]
        .map(|part| part.iter().collect::<String>().trim().to_owned())
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_broken_where_parts_meet() {
        for (name, expected) in [
            ("MMLU-Pro", vec!["MMLU-Pro"]),
            ("computer science", vec!["computer", "science"]),
            (
                "logical_deduction_objects",
                vec!["logical_", "deduction_objects"],
            ),
            ("a verylongsecondword", vec!["a verylong", "secondword"]),
            ("abcdefghijklmnop", vec!["abcdefgh", "ijklmnop"]),
        ] {
            assert_eq!(broken(name), expected);
        }
    }

    #[test]
    fn a_paragraph_is_as_wide_as_it_may_be() {
        let lines = |width| {
            Paragraph::new("one two three", width, 10.0)
                .expect("measured")
                .lines
        };
        assert_eq!(lines(1000.0), ["one two three"]);
        assert_eq!(lines(45.0), ["one two", "three"]);
        assert_eq!(lines(1.0), ["one", "two", "three"]);
        assert_eq!(
            Paragraph::new(" ", 9.0, 9.0).expect("measured").height(),
            0.0
        );
    }
}
