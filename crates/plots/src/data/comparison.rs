//! Who is compared in one frame of an accuracy-cost figure, with the exact curves; the chart and the CSV beside it are both made from this.

use charts::accuracy_cost::{DataPoint, Scene, SceneCurve, SceneModel};
use evaluation::{CurvePoint, Point};

use super::series::Series;

/// Everything in one frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) dataset: String,
    pub(crate) title: String,
    /// In the order of the legend.
    pub(crate) curves: Vec<ComparedCurve>,
    /// Single LLMs whose mean score and cost are known.
    pub(crate) models: Vec<NamedPoint>,
    /// LLMs whose names have priority where there is no room for all.
    pub(crate) named_first: Vec<String>,
    pub(crate) oracle: Option<Point>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ComparedCurve {
    pub(crate) series: Series,
    pub(crate) points: Vec<CurvePoint>,
}

/// One LLM.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamedPoint {
    pub(crate) name: String,
    pub(crate) point: Point,
}

impl Comparison {
    /// Whether there is nothing to see.
    pub(crate) fn is_empty(&self) -> bool {
        self.curves.is_empty() && self.models.is_empty()
    }

    /// What a chart shows of it: no lambdas, and names and lines in place of whose they are.
    pub(crate) fn scene(&self) -> Scene {
        let curve = |curve: &ComparedCurve| SceneCurve {
            line: curve.series.named_line(),
            points: curve
                .points
                .iter()
                .map(|&point| data_point(point.into()))
                .collect(),
            // A router has only the points of its curve; the zero router throws a coin between two LLMs.
            // Only then is the line between two points itself within reach, which bends on a logarithmic axis.
            is_mixture: curve.series == Series::Zero,
        };
        let model = |model: &NamedPoint| SceneModel {
            name: model.name.clone(),
            point: data_point(model.point),
            is_named_first: self.named_first.contains(&model.name),
        };
        Scene {
            title: self.title.clone(),
            curves: self.curves.iter().map(curve).collect(),
            models: self.models.iter().map(model).collect(),
            oracle: self.oracle.map(data_point),
        }
    }
}

fn data_point(point: Point) -> DataPoint {
    DataPoint {
        cost_usd: point.cost_usd,
        accuracy: point.accuracy,
    }
}
