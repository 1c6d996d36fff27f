//! SVG to PDF and PNG, with the shipped font only, so that every machine gives the same picture.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb},
};
use svg2pdf::{ConversionOptions, PageOptions};

use crate::theme;

/// CSS pixels in an inch: usvg's unit.
const PIXELS_PER_INCH: f64 = 96.0;

/// The SVG as a PDF with real text, as large as the SVG says.
///
/// # Errors
/// When the SVG cannot be read or converted.
pub(crate) fn pdf(svg: &str) -> anyhow::Result<Vec<u8>> {
    let page = PageOptions {
        dpi: PIXELS_PER_INCH as f32,
    };
    svg2pdf::to_pdf(&tree(svg)?, ConversionOptions::default(), page)
        .map_err(|error| anyhow!("cannot turn the figure into a PDF: {error}"))
}

/// The SVG as a PNG of `dpi` dots per inch.
///
/// # Errors
/// When the SVG cannot be read or the picture is too large.
pub(crate) fn png(svg: &str, dpi: f64) -> anyhow::Result<Vec<u8>> {
    let tree = tree(svg)?;
    let scale = (dpi / PIXELS_PER_INCH) as f32;
    let size = tree
        .size()
        .to_int_size()
        .scale_by(scale)
        .context("the picture is too large or has no size")?;
    let mut pixmap =
        Pixmap::new(size.width(), size.height()).context("the picture is too large")?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixmap.as_mut(),
    );
    pixmap.encode_png().context("cannot encode the PNG")
}

fn tree(svg: &str) -> anyhow::Result<Tree> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(theme::FONT.to_vec());
    let options = Options {
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    Tree::from_str(svg, &options).context("cannot read the SVG that was drawn")
}
