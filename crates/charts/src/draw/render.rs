//! SVG to PDF and PNG, with the shipped font only, so that every machine gives the same picture.

use std::sync::Arc;

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb},
};
use svg2pdf::{ConversionOptions, PageOptions};

use super::text::FONT;
use crate::error::{Error, Result};

/// CSS pixels in an inch: usvg's unit.
const PIXELS_PER_INCH: f64 = 96.0;
const PDF: &str = "PDF";
const PNG: &str = "PNG";

/// The SVG as a PDF with real text, as large as the SVG says.
///
/// # Errors
/// When the SVG cannot be read or converted.
pub fn pdf(svg: &str) -> Result<Vec<u8>> {
    let page = PageOptions {
        dpi: PIXELS_PER_INCH as f32,
    };
    svg2pdf::to_pdf(&tree(svg, PDF)?, ConversionOptions::default(), page).map_err(|error| {
        Error::Convert {
            format: PDF,
            source: error.to_string().into(),
        }
    })
}

/// The SVG as a PNG of `dpi` dots per inch.
///
/// # Errors
/// When the SVG cannot be read or the picture is too large.
pub fn png(svg: &str, dpi: f64) -> Result<Vec<u8>> {
    let tree = tree(svg, PNG)?;
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
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixmap.as_mut(),
    );
    pixmap.encode_png().map_err(|error| Error::Convert {
        format: PNG,
        source: error.to_string().into(),
    })
}

/// `format` is for the error alone.
fn tree(svg: &str, format: &'static str) -> Result<Tree> {
    // No system fonts: a text set in one of this machine's would look different on the next.
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    let options = Options {
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    Tree::from_str(svg, &options).map_err(|error| Error::Convert {
        format,
        source: error.into(),
    })
}
