//! The interactive chart in numbers: exact curves, thinned out to what can be seen, and at each point how many prompts each LLM gets.

use charts::{
    accuracy_cost,
    draw::{
        geometry::{Point, simplify},
        line_style::LineStyle,
        look::Look,
        shorten,
    },
};
use evaluation::{
    Point as DataPoint, Router, Truth,
    baseline::ZeroRouter,
    curve::{ShareCurve, pair_share_curve, share_curve},
};
use serde::{Serialize, Serializer};

use crate::{
    data::{
        comparison::NamedPoint,
        contenders::{Contender, Role, contenders},
        inputs::Inputs,
        results::Results,
    },
    output::tables::csv_of,
    settings::Settings,
};

/// Size in pixels of the largest chart that a screen shows: a point that makes no difference at this size makes none at any. An exact curve
/// may have tens of thousands of points, and the page must stay small enough to open.
const FRAME: (f64, f64) = (1200.0, 600.0);
/// How far a curve may be from the exact one, in pixels of that frame.
const TOLERANCE: f64 = 0.4;
/// Distance in pixels of the points kept on straight pieces. The line does not need them, but the reader can only point at points.
const GAP: f64 = 14.0;

/// Everything that the chart of one data set shows. Its field names are the page's script's.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Chart {
    /// The data set's LLMs, in its order.
    models: Vec<String>,
    /// Whether the cost axis is logarithmic at first.
    is_log: bool,
    /// In the order of the legend.
    curves: Vec<ChartCurve>,
    /// Name, cost, accuracy and label of each LLM with any known score and cost.
    llms: Vec<(String, f64, f64, String)>,
    /// The same of the oracle and of chance, and how each chooses.
    references: Vec<(&'static str, f64, f64, &'static str)>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ChartCurve {
    key: String,
    name: String,
    /// `#rrggbb`.
    color: String,
    dash: Vec<f64>,
    width: f64,
    /// Whether every point between two corners can be reached too, by choosing one of the two at random for each prompt.
    is_mixture: bool,
    /// Whether it is shown at first.
    is_shown: bool,
    control: Control,
    n_prompts: usize,
    points: Vec<ChartPoint>,
}

/// The parameter that moves along a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Control {
    Lambda,
    Threshold,
    None,
}

#[derive(Debug, Clone, PartialEq)]
struct ChartPoint {
    /// Lambda or threshold; NaN where there is none, infinite where no probability reaches it.
    control: f64,
    cost_usd: f64,
    accuracy: f64,
    /// LLMs that get prompts, by position, and how many.
    n_prompts: Vec<(usize, u64)>,
}

/// The full curve of a contender.
enum Trace {
    Curve(ShareCurve),
    /// The corners of a mixture.
    Hull(ZeroRouter),
}

/// Ranges over everything in the chart.
struct View {
    cost_usd: (f64, f64),
    accuracy: (f64, f64),
}

impl Chart {
    /// Evaluates all contenders.
    ///
    /// # Errors
    /// When predictions leave nothing to choose.
    pub(crate) fn new(
        inputs: &Inputs,
        results: &Results,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let truth = Truth::of(inputs.test())?;
        let mut traces = Vec::new();
        for contender in contenders(inputs)? {
            let trace = Trace::new(&contender, &truth)?;
            if !trace.points().is_empty() {
                traces.push((contender, trace));
            }
        }
        let points = (traces.iter().flat_map(|(_, trace)| trace.points()))
            .chain(results.models.iter().map(|model| model.point));
        let view = View::of(points);
        let n_scored = truth.n_scored_prompts();
        let scene = results.comparison(String::new(), |_| true).scene();
        let names: Vec<&str> = results.models.iter().map(|model| &*model.name).collect();
        let labels = shorten::model_labels(&names);
        let (rules, max_ticks) = (settings.scale_rules(), settings.max_ticks);
        Ok(Self {
            models: inputs.test().models.clone(),
            is_log: accuracy_cost::cost_axis(&[scene], &[], &rules, max_ticks)
                .axis
                .is_log(),
            curves: traces
                .iter()
                .map(|(contender, trace)| ChartCurve::new(contender, trace, &view, n_scored))
                .collect::<anyhow::Result<_>>()?,
            llms: (results.models.iter().zip(labels))
                .map(|(model, label)| {
                    let NamedPoint { name, point } = model.clone();
                    (name, point.cost_usd, point.accuracy, label)
                })
                .collect(),
            references: references(results),
        })
    }

    /// One row per point of each curve: where it lies, and each LLM's share of the prompts.
    pub(crate) fn csv(&self) -> String {
        let mut header = ["router", "lambda", "cost_usd", "accuracy"]
            .map(str::to_owned)
            .to_vec();
        // The prefix keeps an LLM that is called `accuracy` from passing for a column of ours.
        header.extend(self.models.iter().map(|model| format!("share:{model}")));
        let points = self.curves.iter().flat_map(|curve| {
            let points = curve.points.iter();
            points.map(|point| curve.csv_record(point, self.models.len()))
        });
        csv_of([header].into_iter().chain(points))
    }
}

/// The points above and below all useful routers, with how each of them chooses.
fn references(results: &Results) -> Vec<(&'static str, f64, f64, &'static str)> {
    let oracle = (
        "Oracle",
        results.oracle,
        "picks, for each prompt, the cheapest of the LLMs with the best score",
    );
    let random = (
        "Random LLM",
        results.random,
        "picks an LLM for each prompt uniformly at random",
    );
    [oracle, random]
        .into_iter()
        .filter_map(|(name, point, says)| {
            point.map(|point| (name, point.cost_usd, point.accuracy, says))
        })
        .collect()
}

impl Trace {
    fn new(contender: &Contender<'_>, truth: &Truth<'_>) -> evaluation::Result<Self> {
        Ok(match contender.router {
            Router::PerModel { predicted, .. } => Self::Curve(share_curve(truth, predicted)?),
            Router::Pair {
                pair,
                small_win_probability,
            } => Self::Curve(pair_share_curve(truth, pair, small_win_probability)?),
            Router::Zero => Self::Hull(ZeroRouter::hull(truth)),
        })
    }

    fn points(&self) -> Vec<DataPoint> {
        match self {
            Self::Curve(curve) => curve.curve.to_points(),
            Self::Hull(hull) => hull.points(),
        }
    }
}

impl View {
    fn of(points: impl Iterator<Item = DataPoint>) -> Self {
        let nothing = (f64::INFINITY, f64::NEG_INFINITY);
        let grown = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
        points.fold(
            Self {
                cost_usd: nothing,
                accuracy: nothing,
            },
            |view, point| Self {
                cost_usd: grown(view.cost_usd, point.cost_usd),
                accuracy: grown(view.accuracy, point.accuracy),
            },
        )
    }

    /// The points of a curve that do not lie on the line between their neighbors, on either scale of the cost axis: the reader may switch
    /// between the two, and what is straight on one is bent on the other.
    fn seen(&self, points: &[DataPoint]) -> Vec<usize> {
        let share = |value: f64, (low, high): (f64, f64)| {
            if high > low {
                (value - low) / (high - low)
            } else {
                0.0
            }
        };
        let height = |point: &DataPoint| FRAME.1 * share(point.accuracy, self.accuracy);
        let (cheapest, dearest) = self.cost_usd;
        let linear = points.iter().map(|point| {
            let x = share(point.cost_usd, self.cost_usd);
            Point::new(FRAME.0 * x, height(point))
        });
        let mut seen = thinned(&linear.collect::<Vec<_>>());
        // A range that includes 0 has no logarithmic axis, and the script offers none for it.
        if cheapest > 0.0 {
            let log = points.iter().map(|point| {
                let x = share(point.cost_usd.ln(), (cheapest.ln(), dearest.ln()));
                Point::new(FRAME.0 * x, height(point))
            });
            seen.extend(thinned(&log.collect::<Vec<_>>()));
        }
        seen.sort_unstable();
        seen.dedup();
        seen
    }
}

/// The points that a line needs to keep its shape, and on its straight pieces some more to point at.
fn thinned(line: &[Point]) -> Vec<usize> {
    let distance = |a: usize, b: usize| (line[a].x - line[b].x).hypot(line[a].y - line[b].y);
    let needed = simplify(line, TOLERANCE);
    let mut kept = needed.clone();
    for piece in needed.windows(2) {
        let mut last = piece[0];
        for i in piece[0] + 1..piece[1] {
            if distance(last, i) >= GAP && distance(i, piece[1]) >= GAP {
                kept.push(i);
                last = i;
            }
        }
    }
    kept
}

impl ChartCurve {
    /// `n_scored` is the number of prompts with any known score and cost.
    fn new(
        contender: &Contender<'_>,
        trace: &Trace,
        view: &View,
        n_scored: usize,
    ) -> anyhow::Result<Self> {
        let (n_prompts, points) = match trace {
            Trace::Curve(curve) => {
                let all = &curve.curve.points;
                let known: Vec<usize> = (0..all.len()).filter(|&i| all[i].is_known()).collect();
                let seen = view.seen(&trace.points()).into_iter();
                let seen: Vec<usize> = seen.map(|i| known[i]).collect();
                (curve.curve.n_prompts, points_of(curve, &seen)?)
            }
            Trace::Hull(hull) => {
                // At a corner all prompts go to a single LLM, and no parameter leads there.
                let corner = |corner: &evaluation::baseline::Corner| ChartPoint {
                    control: f64::NAN,
                    cost_usd: corner.point.cost_usd,
                    accuracy: corner.point.accuracy,
                    n_prompts: vec![(corner.model_idx, n_scored as u64)],
                };
                (n_scored, hull.corners().iter().map(corner).collect())
            }
        };
        let LineStyle {
            color, dash, width, ..
        } = contender.series.line(Look::Color);
        Ok(Self {
            key: contender.series.key(),
            name: contender.series.name(),
            color: format!("#{:02x}{:02x}{:02x}", color.0, color.1, color.2),
            dash: dash.to_vec(),
            width,
            is_mixture: contender.role == Role::Zero,
            // Rules would double the number of lines, most of them close to another one. The legend
            // switches them on.
            is_shown: contender.role != Role::RouterBenchRule,
            control: match contender.router {
                Router::PerModel { .. } => Control::Lambda,
                Router::Pair { .. } => Control::Threshold,
                Router::Zero => Control::None,
            },
            n_prompts,
            points,
        })
    }
}

impl ChartCurve {
    fn csv_record(&self, point: &ChartPoint, n_models: usize) -> Vec<String> {
        let control = if point.control.is_nan() {
            String::new()
        } else {
            point.control.to_string()
        };
        let mut shares = vec![0.0; n_models];
        for &(model_idx, n) in &point.n_prompts {
            shares[model_idx] = n as f64 / self.n_prompts as f64;
        }
        let place = [
            self.key.clone(),
            control,
            point.cost_usd.to_string(),
            point.accuracy.to_string(),
        ];
        let shares = shares.iter().map(f64::to_string);
        place.into_iter().chain(shares).collect()
    }
}

fn points_of(curve: &ShareCurve, seen: &[usize]) -> evaluation::Result<Vec<ChartPoint>> {
    let shares = curve.shares_at_points(seen)?;
    let n_prompts = curve.curve.n_prompts as f64;
    let point = |(row, &point_idx): (usize, &usize)| {
        let point = curve.curve.points[point_idx];
        ChartPoint {
            control: point.setting,
            cost_usd: point.cost_usd,
            accuracy: point.accuracy,
            // Shares are whole prompts over their number.
            n_prompts: (shares.row(row).iter().enumerate())
                .map(|(model_idx, share)| (model_idx, (share * n_prompts).round() as u64))
                .filter(|&(_, n)| n > 0)
                .collect(),
        }
    };
    Ok(seen.iter().enumerate().map(point).collect())
}

/// As the script reads it: control, cost, accuracy, LLMs with their numbers of prompts. What is not finite is null.
impl Serialize for ChartPoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.control, self.cost_usd, self.accuracy, &self.n_prompts).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_keeps_points_to_point_at() {
        let line: Vec<Point> = (0..=100).map(|i| Point::new(f64::from(i), 0.0)).collect();
        assert_eq!(thinned(&line), [0, 100, 14, 28, 42, 56, 70, 84]);
        assert_eq!(thinned(&line[..1]), [0]);
        assert!(thinned(&[]).is_empty());
    }
}
