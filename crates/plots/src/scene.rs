//! What an accuracy-cost figure shows, in data units: nothing here knows pages or files.

use evaluation::{CurvePoint, Point};

use crate::theme::Series;

/// Everything in one frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scene {
    pub(crate) dataset: String,
    pub(crate) title: String,
    /// In the order of the legend.
    pub(crate) curves: Vec<SceneCurve>,
    /// Single LLMs whose mean score and cost are known.
    pub(crate) models: Vec<SceneModel>,
    /// LLMs whose names come first where there is no room for all.
    pub(crate) named_first: Vec<String>,
    pub(crate) oracle: Option<Point>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SceneCurve {
    pub(crate) series: Series,
    pub(crate) points: Vec<CurvePoint>,
}

/// One LLM.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SceneModel {
    pub(crate) name: String,
    pub(crate) point: Point,
}

impl Scene {
    /// Whether there is nothing to see.
    pub(crate) fn is_empty(&self) -> bool {
        self.curves.is_empty() && self.models.is_empty()
    }

    pub(crate) fn is_named_first(&self, model_idx: usize) -> bool {
        self.named_first.contains(&self.models[model_idx].name)
    }
}

impl SceneCurve {
    /// Whether what lies between two points can be had, by tossing a coin.
    pub(crate) fn is_mixture(&self) -> bool {
        self.series == Series::Zero
    }
}
