//! Curves and numbers of one data set: everything that figures and tables show, computed once.

use anyhow::Context as _;
use evaluation::{
    CostRange, Curve, CurvePoint, Point, Predicted, PredictionAccuracy, Truth, aiq, audc,
    best_single, exact_curve, oracle, pair_curve, prediction_accuracy, qnc, random, single_models,
    zero_router,
};

use crate::{
    inputs::{Inputs, RouterPredictions},
    scene::{Scene, SceneCurve, SceneModel},
    theme,
};

/// The name of the true expectations' curve in CSV files.
const BAYES_KEY: &str = "bayes-optimal";
/// The name of the zero router in CSV files.
const MIXTURE_KEY: &str = "zero-router";
/// The router that the table of KNN accuracies is about.
const KNN: &str = "carrot-knn";

/// What is known of one data set.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) dataset: String,
    /// In the order of legends and tables: routers, then the optimum, then the zero router.
    pub(crate) methods: Vec<Method>,
    /// LLMs by name, in the data set's order; without those of which nothing is known.
    pub(crate) models: Vec<SceneModel>,
    pub(crate) best_single: Option<SceneModel>,
    pub(crate) oracle: Option<Point>,
    pub(crate) random: Option<Point>,
    /// How well the paper's KNN predicts, where it was run.
    pub(crate) knn_accuracy: Option<PredictionAccuracy>,
}

/// Something with a curve.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) style: theme::LineStyle,
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
        let truth = Truth::of(&inputs.test)?;
        let models: Vec<SceneModel> = (inputs.test.models.iter().zip(single_models(&truth)))
            .filter_map(|(name, point)| {
                Some(SceneModel {
                    name: name.clone(),
                    point: point?,
                })
            })
            .collect();
        let best_single = best_single(&truth).map(|(i, point)| SceneModel {
            name: inputs.test.models[i].clone(),
            point,
        });

        let mut curves = Vec::new();
        for input in &inputs.routers {
            let curve = curve(&truth, &input.predicted).with_context(|| {
                format!("cannot evaluate `{}` on `{}`", input.router, inputs.name)
            })?;
            let name = theme::display_name(&input.router).to_owned();
            curves.push((
                input.router.clone(),
                name,
                theme::line_style(&input.router),
                curve,
            ));
        }
        curves.sort_by(|a, b| theme::rank(&a.0).cmp(&theme::rank(&b.0)));
        if let Some(expectations) = &inputs.expectations {
            let curve = exact_curve(&truth, Predicted::of(expectations)?).with_context(|| {
                format!("cannot evaluate the true expectations of `{}`", inputs.name)
            })?;
            curves.push((
                BAYES_KEY.to_owned(),
                theme::BAYES_NAME.to_owned(),
                theme::BAYES,
                curve,
            ));
        }
        // A hull of points has no lambda.
        let mixture = zero_router(&truth).into_iter().map(|point| CurvePoint {
            lambda: f64::NAN,
            cost_usd: point.cost_usd,
            accuracy: point.accuracy,
        });
        let mixture = Curve {
            points: mixture.collect(),
            n_prompts: truth.n_scored_prompts(),
        };
        if !mixture.points.is_empty() {
            curves.push((
                MIXTURE_KEY.to_owned(),
                theme::MIXTURE_NAME.to_owned(),
                theme::MIXTURE,
                mixture,
            ));
        }

        let all = curves.iter().flat_map(|(.., curve)| curve.to_points());
        let range = CostRange::over(all.chain(models.iter().map(|model| model.point)));
        let target = best_single.as_ref().map(|model| model.point);
        let methods = curves
            .into_iter()
            .map(|(key, name, style, curve)| {
                let metrics = Metrics::new(&curve, range, target);
                Method {
                    key,
                    name,
                    style,
                    curve,
                    metrics,
                }
            })
            .collect();
        let knn_accuracy = inputs
            .routers
            .iter()
            .find_map(|input| match &input.predicted {
                RouterPredictions::PerModel(predicted) if input.router == KNN => Some(predicted),
                _ => None,
            });
        Ok(Self {
            dataset: inputs.name.clone(),
            methods,
            models,
            best_single,
            oracle: oracle(&truth),
            random: random(&truth),
            knn_accuracy: knn_accuracy
                .map(|predicted| prediction_accuracy(&inputs.test, predicted, inputs.cost_kind))
                .transpose()
                .with_context(|| format!("cannot judge `{KNN}` on `{}`", inputs.name))?,
        })
    }

    /// What the figure shows; `with_mixture` says whether the zero router is among it.
    pub(crate) fn scene(&self, with_mixture: bool) -> Scene {
        let shown = self
            .methods
            .iter()
            .filter(|method| with_mixture || method.key != MIXTURE_KEY);
        Scene {
            title: self.dataset.clone(),
            curves: shown
                .map(|method| SceneCurve {
                    name: method.name.clone(),
                    key: method.key.clone(),
                    style: method.style,
                    points: method.curve.points.clone(),
                    is_mixture: method.key == MIXTURE_KEY,
                })
                .collect(),
            models: self.models.clone(),
            oracle: self.oracle,
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
            // Infinitely more than nothing is no cost.
            cost_at_best_single_usd: cost_at_best_single.filter(|cost| cost.is_finite()),
            accuracy_at_best_single_cost: best_single
                .and_then(|target| curve.best_within(target.cost_usd))
                .map(|point| point.accuracy),
        }
    }
}

fn curve(truth: &Truth<'_>, predicted: &RouterPredictions) -> evaluation::Result<Curve> {
    match predicted {
        RouterPredictions::PerModel(per_model) => exact_curve(truth, Predicted::of(per_model)?),
        RouterPredictions::Pair {
            small,
            large,
            small_win_probability,
        } => pair_curve(truth, *small, *large, small_win_probability),
    }
}
