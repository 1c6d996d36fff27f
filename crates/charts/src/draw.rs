//! What figures are drawn with: a canvas in points, and the parts that are put on it.

pub mod axes;
pub mod axis;
pub mod canvas;
pub mod color;
pub mod geometry;
pub mod key;
pub mod legend;
pub mod line_style;
pub mod look;
pub mod marker;
pub mod render;
pub mod shorten;
pub mod style;
pub mod text;
pub mod theme;

pub(crate) mod labels;
