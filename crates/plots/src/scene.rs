//! What an accuracy-cost figure shows, in data units: nothing here knows pages or files.

use evaluation::{CurvePoint, Point};

use crate::theme::LineStyle;

/// Everything in one figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scene {
    pub(crate) title: String,
    /// In the order of the legend.
    pub(crate) curves: Vec<SceneCurve>,
    /// Single LLMs whose mean score and cost are known.
    pub(crate) models: Vec<SceneModel>,
    pub(crate) oracle: Option<Point>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SceneCurve {
    /// Name in the legend.
    pub(crate) name: String,
    /// Name in the CSV.
    pub(crate) key: String,
    pub(crate) style: LineStyle,
    pub(crate) points: Vec<CurvePoint>,
    /// Whether what lies between two points can be had, by tossing a coin.
    pub(crate) is_mixture: bool,
}

/// One LLM.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SceneModel {
    pub(crate) name: String,
    pub(crate) point: Point,
}
