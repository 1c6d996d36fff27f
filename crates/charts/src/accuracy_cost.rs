//! The accuracy-cost figure: from scenes in data units to a page.

mod curves;
mod drawing;
mod legends;
mod marks;
mod names;
mod options;
mod page;
mod scale_rules;
mod scales;
mod scene;

use self::page::Page;
pub use self::{
    options::Options,
    scale_rules::{CostUnit, ScaleRules, XScale},
    scales::{CostAxis, cost_axis},
    scene::{DataPoint, Scene, SceneCurve, SceneModel},
};
use crate::{draw::canvas::Canvas, error::Result};

/// A finished figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The picture.
    pub svg: String,
    /// For each curve of each scene, which of its points were drawn: the others lie on the line between these, as far as one can see.
    pub drawn_points: Vec<Vec<Vec<usize>>>,
}

/// Draws scenes side by side, with common axes and one legend. The same scenes and options give the same bytes.
///
/// # Errors
/// When the font or the backend fails.
///
/// # Panics
/// Without any scene.
pub fn draw(scenes: &[Scene], options: &Options) -> Result<Figure> {
    let page = Page::new(scenes, options)?;
    let (width, height) = page.size();
    let svg = Canvas::svg(options.look, width, height, |canvas| {
        page.draw(canvas, scenes, &options.style)
    })?;
    Ok(Figure {
        svg,
        drawn_points: page.drawn_points(),
    })
}
