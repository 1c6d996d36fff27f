//! What an accuracy-cost figure shows, in data units: nothing here knows pages or files.

use crate::draw::line_style::NamedLine;

/// A place in data units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DataPoint {
    /// US dollars per query.
    pub cost_usd: f64,
    /// Mean score, from 0 to 1.
    pub accuracy: f64,
}

/// Everything in one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Above the frame.
    pub title: String,
    /// In the order of the legend.
    pub curves: Vec<SceneCurve>,
    /// Single LLMs.
    pub models: Vec<SceneModel>,
    /// The best that any choice of LLMs could reach.
    pub oracle: Option<DataPoint>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneCurve {
    /// Name and looks; curves of several scenes with the same ones share an entry of the legend.
    pub line: NamedLine,
    /// From the cheapest point to the most expensive.
    pub points: Vec<DataPoint>,
    /// Whether what lies between two points can be reached by choosing between them at random.
    pub is_mixture: bool,
}

/// One LLM.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneModel {
    /// In full; labels shorten it.
    pub name: String,
    /// Its mean cost and score.
    pub point: DataPoint,
    /// Whether its name has priority where there is no room for all.
    pub is_named_first: bool,
}
