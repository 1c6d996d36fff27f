//! Curves and numbers of one data set: everything that figures and tables show, computed once.

use anyhow::Context as _;
use dataset::{Predictions, router_names::CARROT_KNN};
use evaluation::{
    Curve, Point, Truth,
    baseline::{best_single, oracle, random, single_models},
    metric::{CostRange, PredictionAccuracy, aiq, audc, prediction_accuracy, qnc},
};

use super::{
    comparison::{ComparedCurve, Comparison, NamedPoint},
    contenders::{Role, contenders},
    evidence::Evidence,
    inputs::Inputs,
    series::Series,
};

/// What is known of one data set.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) dataset: String,
    /// In the order of legends and tables: routers, then the optimum, then the zero router.
    pub(crate) methods: Vec<Method>,
    /// LLMs by name, in the data set's order, without those whose scores or costs are all unknown.
    pub(crate) models: Vec<NamedPoint>,
    pub(crate) best_single: Option<NamedPoint>,
    pub(crate) oracle: Option<Point>,
    pub(crate) random: Option<Point>,
    /// What the numbers rest on, where something is missing of the test part.
    pub(crate) evidence: Option<Evidence>,
    /// How well the paper's KNN predicts, where it was run.
    pub(crate) knn_accuracy: Option<PredictionAccuracy>,
    /// The embedder that this KNN was fitted on, where it is recorded.
    pub(crate) knn_embedder: Option<String>,
}

/// Something with a curve.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) series: Series,
    pub(crate) role: Role,
    pub(crate) curve: Curve,
    pub(crate) metrics: Metrics,
}

/// A curve in numbers; see the functions of `evaluation` of the same names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metrics {
    /// The most accurate point, the cheapest of several.
    pub(crate) peak: Option<Point>,
    pub(crate) aiq: Option<f64>,
    pub(crate) audc: Option<f64>,
    /// Least cost of the best single LLM's accuracy over that LLM's cost; `None` where it is never reached.
    pub(crate) qnc: Option<f64>,
    /// Least cost of the best single LLM's accuracy, in US dollars.
    pub(crate) cost_at_best_single_usd: Option<f64>,
    /// Highest accuracy at no more than the best single LLM's cost.
    pub(crate) accuracy_at_best_single_cost: Option<f64>,
}

impl Results {
    /// Computes all curves and numbers.
    ///
    /// # Errors
    /// When predictions leave nothing to choose.
    pub(crate) fn new(inputs: &Inputs) -> anyhow::Result<Self> {
        let truth = Truth::of(inputs.test())?;
        let models: Vec<NamedPoint> = (inputs.test().models.iter().zip(single_models(&truth)))
            .filter_map(|(name, point)| {
                Some(NamedPoint {
                    name: name.clone(),
                    point: point?,
                })
            })
            .collect();
        let best_single = best_single(&truth).map(|(i, point)| NamedPoint {
            name: inputs.test().models[i].clone(),
            point,
        });

        let contenders = contenders(inputs)?;
        let evidence = Evidence::of(&truth, inputs.test(), &inputs.name, &contenders)?;
        let mut curves = Vec::new();
        for contender in contenders {
            let curve = contender.router.curve(&truth).with_context(|| {
                format!(
                    "cannot evaluate `{}` on `{}`",
                    contender.series.key(),
                    inputs.name
                )
            })?;
            // The zero router has no points where no LLM has both a known score and a known cost.
            if !curve.points.is_empty() {
                curves.push((contender, curve));
            }
        }

        let all = curves.iter().flat_map(|(_, curve)| curve.to_points());
        // Areas are means over a range of costs. It spans all curves and LLMs of the data set, so that areas of two routers compare the
        // same interval.
        let range = CostRange::over(all.chain(models.iter().map(|model| model.point)));
        let target = best_single.as_ref().map(|model| model.point);
        let methods = curves
            .into_iter()
            .map(|(contender, curve)| Method {
                metrics: Metrics::new(&curve, range, target),
                series: contender.series,
                role: contender.role,
                curve,
            })
            .collect();
        // Only the paper's KNN: prediction accuracies were published for no other router.
        let knn_accuracy = inputs
            .routers
            .iter()
            .find_map(|input| match &input.predictions {
                Predictions::PerModel(predicted) if input.router == CARROT_KNN => Some(predicted),
                _ => None,
            });
        let knn_embedder = inputs
            .routers
            .iter()
            .find(|input| input.router == CARROT_KNN)
            .and_then(|input| input.embedder.clone());
        Ok(Self {
            dataset: inputs.name.clone(),
            knn_embedder,
            methods,
            models,
            best_single,
            oracle: oracle(&truth),
            random: random(&truth),
            evidence,
            knn_accuracy: knn_accuracy
                .map(|predicted| {
                    prediction_accuracy(inputs.test(), predicted, inputs.info().cost_kind)
                })
                .transpose()
                .with_context(|| format!("cannot judge `{CARROT_KNN}` on `{}`", inputs.name))?,
        })
    }

    /// The chosen methods and all LLMs, without the oracle.
    pub(crate) fn comparison(
        &self,
        title: String,
        is_shown: impl Fn(&Method) -> bool,
    ) -> Comparison {
        let shown = self.methods.iter().filter(|method| is_shown(method));
        // In the title, where whoever copies the figure takes it along; a scene without a title has its page's.
        let title = match &self.evidence {
            Some(evidence) if !title.is_empty() => format!("{title} ({})", evidence.words()),
            _ => title,
        };
        Comparison {
            dataset: self.dataset.clone(),
            title,
            curves: shown
                .map(|method| ComparedCurve {
                    series: method.series.clone(),
                    points: method.curve.known_points().collect(),
                })
                .collect(),
            models: self.models.clone(),
            named_first: Vec::new(),
            // The oracle is far above all curves and would press them together, so a figure adds it
            // only where it wants it.
            oracle: None,
        }
    }
}

impl Metrics {
    fn new(curve: &Curve, range: Option<CostRange>, best_single: Option<Point>) -> Self {
        let points = curve.to_points();
        let qnc = best_single.and_then(|target| qnc(&points, target));
        let cost_at_best_single = best_single
            .zip(qnc)
            .map(|(target, qnc)| qnc * target.cost_usd);
        Self {
            peak: curve.best_within(f64::INFINITY).map(Point::from),
            aiq: range.and_then(|range| aiq(&points, range)),
            audc: range.and_then(|range| audc(&points, range)),
            qnc,
            // Where the best LLM is free, the ratio is infinite and says nothing about dollars.
            cost_at_best_single_usd: cost_at_best_single.filter(|cost| cost.is_finite()),
            accuracy_at_best_single_cost: best_single
                .and_then(|target| curve.best_within(target.cost_usd))
                .map(|point| point.accuracy),
        }
    }
}
