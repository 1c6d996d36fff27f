//! SVG to PDF and PNG, with the shipped font only, so that every machine gives the same picture.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{self, Group, Node, Options, Tree, fontdb},
};
use svg2pdf::{ConversionOptions, PageOptions};

use super::text::FONT;
use crate::error::{Error, Result};

/// CSS pixels in an inch: usvg's unit.
const PIXELS_PER_INCH: f64 = 96.0;
const PDF: &str = "PDF";
const PNG: &str = "PNG";
/// The glyph that every font has for characters that it lacks: a box.
const MISSING: u16 = 0;
/// How lists of resources begin in a PDF.
const KINDS_OF_RESOURCES: [&[u8]; 5] = [
    b"/XObject <<",
    b"/Pattern <<",
    b"/ExtGState <<",
    b"/Shading <<",
    b"/Font <<",
];

/// An SVG that was read, ready to be converted.
pub struct Picture {
    tree: Tree,
}

impl Picture {
    /// Reads an SVG.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(svg: &str) -> Result<Self> {
        // No system fonts: a text set in one of this machine's would look different on the next.
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        let options = Options {
            fontdb: Arc::new(fonts),
            ..Options::default()
        };
        let tree = Tree::from_str(svg, &options).map_err(|error| Error::Read(error.into()))?;
        Ok(Self { tree })
    }

    /// As a PDF with real text, as large as the SVG says. The same SVG gives the same bytes.
    ///
    /// # Errors
    /// When it cannot be converted.
    pub fn pdf(&self) -> Result<Vec<u8>> {
        let page = PageOptions {
            dpi: PIXELS_PER_INCH as f32,
        };
        let pdf = svg2pdf::to_pdf(&self.tree, ConversionOptions::default(), page);
        let pdf = pdf.map_err(|error| Error::Convert {
            format: PDF,
            source: error.to_string().into(),
        })?;
        Ok(with_sorted_resources(&pdf))
    }

    /// As a PNG of `dpi` dots per inch.
    ///
    /// # Errors
    /// When the picture is too large.
    pub fn png(&self, dpi: f64) -> Result<Vec<u8>> {
        let tree = &self.tree;
        let scale = (dpi / PIXELS_PER_INCH) as f32;
        let wrong_size = || Error::PictureSize {
            width: tree.size().width(),
            height: tree.size().height(),
            dpi,
        };
        let size = tree
            .size()
            .to_int_size()
            .scale_by(scale)
            .ok_or_else(wrong_size)?;
        let mut pixmap = Pixmap::new(size.width(), size.height()).ok_or_else(wrong_size)?;
        resvg::render(
            tree,
            Transform::from_scale(scale, scale),
            &mut pixmap.as_mut(),
        );
        pixmap.encode_png().map_err(|error| Error::Convert {
            format: PNG,
            source: error.to_string().into(),
        })
    }

    /// The texts that the shipped font cannot write, with the characters that PDF and PNG show as boxes: it has Latin, Greek, Cyrillic and
    /// Hebrew letters.
    #[must_use]
    pub fn without_glyphs(&self) -> BTreeMap<String, BTreeSet<char>> {
        let mut found = BTreeMap::new();
        find_boxes(self.tree.root(), &mut found);
        found
    }
}

fn find_boxes(group: &Group, found: &mut BTreeMap<String, BTreeSet<char>>) {
    for node in group.children() {
        match node {
            Node::Group(group) => find_boxes(group, found),
            Node::Text(text) => {
                let spans = text.layouted().iter();
                let boxes: BTreeSet<char> = spans
                    .flat_map(|span| &span.positioned_glyphs)
                    .filter(|glyph| glyph.id.0 == MISSING)
                    .flat_map(|glyph| glyph.text.chars())
                    .collect();
                if !boxes.is_empty() {
                    let words = text.chunks().iter().map(usvg::TextChunk::text);
                    let words: String = words.collect();
                    found.insert(words.trim().to_owned(), boxes);
                }
            }
            Node::Path(_) | Node::Image(_) => {}
        }
    }
}

/// A PDF with the entries of its resources in the order of their names: svg2pdf has them in the order of a hash map, which differs from run to
/// run. Each is a line of its own, and moving lines about leaves everything else where the file's table of contents says it is.
fn with_sorted_resources(pdf: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = pdf.split_inclusive(|&byte| byte == b'\n').collect();
    let mut i = 0;
    while i < lines.len() {
        let is_start = KINDS_OF_RESOURCES
            .iter()
            .any(|kind| lines[i].trim_ascii() == *kind);
        i += 1;
        if is_start {
            let n_entries = lines[i..]
                .iter()
                .take_while(|line| is_resource(line))
                .count();
            // By length first: `/gs10` comes after `/gs9`.
            lines[i..i + n_entries].sort_by_key(|line| (line.len(), *line));
            i += n_entries;
        }
    }
    lines.concat()
}

/// Whether a line is an entry such as `/gs0 7 0 R`.
fn is_resource(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.starts_with(b"/") && line.ends_with(b" 0 R") && line.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{
        canvas::Canvas,
        color::Color,
        geometry::Point,
        look::Look,
        text::{Anchor, text},
    };

    /// A page with texts in it and areas over each other.
    fn page(texts: &[&str], n_areas: u32) -> String {
        Canvas::svg(Look::Color, 200.0, 100.0, |canvas| {
            for i in 0..n_areas {
                let x = f64::from(i);
                let corners = [(x, 0.0), (x + 30.0, 5.0), (x, 40.0)].map(|(x, y)| Point::new(x, y));
                let color = Color(10 * i as u8, 100, 100);
                canvas.area(&corners, color, 0.1 + 0.01 * x)?;
            }
            for (i, words) in texts.iter().enumerate() {
                let place = Point::new(10.0, 10.0 * (i as f64 + 1.0));
                canvas.text(text(words, 8.0, Anchor::Start), place)?;
            }
            Ok(())
        })
        .expect("drawn")
    }

    #[test]
    fn a_figure_gives_the_same_bytes_each_time() {
        let svg = page(&["words"], 12);
        let picture = || Picture::read(&svg).expect("read");
        let first = picture().pdf().expect("converted");
        for _ in 0..8 {
            assert!(first == picture().pdf().expect("converted"));
        }
        let text = String::from_utf8_lossy(&first);
        let entries: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("/gs")?.strip_suffix(" 0 R"))
            .filter_map(|entry| entry.split_once(' ').map(|(number, _)| number))
            .collect();
        let of_page = &entries[entries.len() - 12..];
        let expected: Vec<String> = (0..12).map(|i: u32| i.to_string()).collect();
        assert_eq!(of_page, expected);
        let png = picture().png(50.0).expect("converted");
        assert!(png == picture().png(50.0).expect("converted"));
    }

    #[test]
    fn texts_that_the_font_cannot_write_are_found() {
        let check = |text: &str, expected: &[char]| {
            let found = Picture::read(&page(&[text, "Latin"], 0)).expect("read");
            let found = found.without_glyphs();
            let expected: BTreeSet<char> = expected.iter().copied().collect();
            match found.iter().next() {
                Some((words, characters)) => {
                    assert_eq!((words.as_str(), characters), (text, &expected));
                    assert_eq!(found.len(), 1, "{found:?}");
                }
                None => assert!(expected.is_empty(), "{text}"),
            }
        };
        check("\u{41c}\u{43e}\u{434}\u{435}\u{43b}\u{44c}", &[]);
        check("na\u{ef}ve \u{3b1}\u{2026}\u{2013}\u{2019}", &[]);
        check("\u{901a}\u{4e49}-72B", &['\u{901a}', '\u{4e49}']);
        check("x\u{1f600}", &['\u{1f600}']);
        check("\u{646}-\u{667}", &['\u{646}', '\u{667}']);
    }
}
