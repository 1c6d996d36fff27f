//! The study of rates: what `rate_optimality` shows, its numbers as CSV, and the table of exponents.

use charts::{
    draw::axis::{Axis, range},
    panels::{Panel, PanelLine},
};
use dataset::{
    RateCurve, RateInterval, RatePoint, RateProblem, RateStudy, router_names::CARROT_KNN,
};

use crate::{data::series::Series, output::tables::csv_of};

/// CARROT (KNN) with a single neighbor, as a study names it. It and [`RANDOM`] are there to be worse than the router whose rate is in question.
pub(super) const ONE_NEIGHBOR: &str = "1-nn";
/// A router that chooses at random, as a study names it.
pub(super) const RANDOM: &str = "random";
/// CARROT (KNN) with its number of neighbors by the rule that ships, as a study names it. Older studies are without.
pub(super) const CHOSEN_K: &str = "carrot-knn-chosen-k";
/// How far the line of the bound lies below the estimates, as a factor: on top of the fitted line neither slope could be read.
const GUIDE_FACTOR: f64 = 0.45;
/// Room for words below the data, in parts of the decades that the data span.
const ROOM_BELOW: f64 = 0.35;

const CSV_COLUMNS: [&str; 8] = [
    "dim",
    "router",
    "n",
    "n_neighbors",
    "excess_risk",
    "low",
    "high",
    "predicted",
];

/// One figure.
#[derive(Debug)]
pub(super) struct RateFigure {
    /// The name of the problem, which goes into that of its files.
    pub(super) problem: String,
    pub(super) title: String,
    pub(super) panels: Vec<Panel>,
    /// Of the CSV, without its header.
    rows: Vec<Vec<String>>,
}

/// The lines of all panels by name.
pub(super) const KEY: [Series; 5] = [
    Series::RateFitted,
    Series::RateBound,
    Series::ChosenK,
    Series::OneNeighbor,
    Series::Random,
];

/// A figure for each problem, with a panel for each dimension.
pub(super) fn figures(study: &RateStudy) -> Vec<RateFigure> {
    let mut figures: Vec<RateFigure> = Vec::new();
    for problem in &study.problems {
        let at = figures
            .iter()
            .position(|figure| figure.problem == problem.name);
        let at = at.unwrap_or_else(|| {
            figures.push(RateFigure {
                problem: problem.name.clone(),
                title: format!(
                    "Excess risk, smoothness {} and margin exponent {}",
                    problem.smoothness, problem.margin_exponent
                ),
                panels: Vec::new(),
                rows: Vec::new(),
            });
            figures.len() - 1
        });
        figures[at].panels.push(panel(problem, study.fit_from_n));
        figures[at].rows.extend(rows(problem));
    }
    figures
}

fn panel(problem: &RateProblem, fit_from_n: usize) -> Panel {
    let (mut lines, mut dots, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for curve in &problem.curves {
        let points: Vec<(f64, f64)> = shown(curve)
            .map(|point| (point.n as f64, point.excess_risk.estimate))
            .collect();
        match curve.router.as_str() {
            CARROT_KNN => {
                lines.extend(intervals(curve));
                if let Some(exponent) = curve.exponent {
                    lines.extend(slopes(&points, exponent, problem, fit_from_n));
                    notes.push(format!("fitted {}", shown_interval(exponent)));
                }
                notes.push(format!("bound {:.3}", problem.bound_exponent));
                dots.extend(points);
            }
            RANDOM => lines.push(line(points, Series::Random)),
            CHOSEN_K => lines.push(line(points, Series::ChosenK)),
            _ => lines.push(line(points, Series::OneNeighbor)),
        }
    }
    let values = || lines.iter().flat_map(|line| &line.points).chain(&dots);
    Panel {
        title: format!(
            "{} dimension{}",
            problem.dim,
            if problem.dim == 1 { "" } else { "s" }
        ),
        x_title: "Training prompts",
        y_title: "Excess risk",
        x: log_axis(values().map(|point| point.0), 0.0),
        y: log_axis(values().map(|point| point.1), ROOM_BELOW),
        lines,
        dots,
        notes,
    }
}

/// The points that a logarithmic axis has a place for.
fn shown(curve: &RateCurve) -> impl Iterator<Item = &RatePoint> {
    let points = curve.points.iter();
    points.filter(|point| point.excess_risk.estimate > 0.0)
}

/// An upright line for the interval of each estimate. One that reaches 0 has no lower end on a logarithmic axis.
fn intervals(curve: &RateCurve) -> impl Iterator<Item = PanelLine> {
    let shown = shown(curve).filter(|point| point.excess_risk.low > 0.0);
    shown.map(|point| {
        let (n, interval) = (point.n as f64, point.excess_risk);
        line(
            vec![(n, interval.low), (n, interval.high)],
            Series::RateInterval,
        )
    })
}

/// The power law through the estimates that were fitted, and below it the slope of the bound.
fn slopes(
    points: &[(f64, f64)],
    exponent: RateInterval,
    problem: &RateProblem,
    fit_from_n: usize,
) -> [PanelLine; 2] {
    let is_fitted = |point: &&(f64, f64)| point.0 >= fit_from_n as f64;
    let fitted: Vec<(f64, f64)> = points.iter().filter(is_fitted).copied().collect();
    [
        (exponent.estimate, 1.0, Series::RateFitted),
        (problem.bound_exponent, GUIDE_FACTOR, Series::RateBound),
    ]
    .map(|(slope, factor, series)| line(power_law(&fitted, slope, factor), series))
}

fn line(points: Vec<(f64, f64)>, series: Series) -> PanelLine {
    PanelLine {
        points,
        line: series.named_line(),
    }
}

/// An axis over some values, with room below them in parts of the decades that they span.
fn log_axis(values: impl Iterator<Item = f64>, room_below: f64) -> Axis {
    match range(values) {
        Some((low, high)) => Axis::log((low * (low / high).powf(room_below), high)),
        // No estimate may be above 0. The frame is then empty, and the notes in it still say what was
        // fitted.
        None => Axis::log((0.1, 1.0)),
    }
}

/// `const * n^-exponent` over the range of some points, as high as they are in the middle times a factor.
fn power_law(points: &[(f64, f64)], exponent: f64, factor: f64) -> Vec<(f64, f64)> {
    let mean = |of: fn(f64, f64) -> f64| {
        points.iter().map(|&(n, value)| of(n, value)).sum::<f64>() / points.len() as f64
    };
    // In logarithms a power law is a straight line. Through the center of the points, as a least-squares line goes, it shows the fitted
    // slope in its right height.
    let (log_n, log_value) = (mean(|n, _| n.ln()), mean(|_, value| value.ln()));
    let at = |n: f64| (n, factor * (log_value - exponent * (n.ln() - log_n)).exp());
    let ends = points.first().zip(points.last());
    ends.map_or_else(Vec::new, |(first, last)| vec![at(first.0), at(last.0)])
}

impl RateFigure {
    /// The numbers that the figure was drawn from.
    pub(super) fn csv(&self) -> String {
        let header = CSV_COLUMNS.map(str::to_owned).to_vec();
        csv_of([header].into_iter().chain(self.rows.iter().cloned()))
    }
}

fn rows(problem: &RateProblem) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for curve in &problem.curves {
        for point in &curve.points {
            let RateInterval {
                estimate,
                low,
                high,
            } = point.excess_risk;
            let n_neighbors = point.n_neighbors.map(|k| k.to_string());
            let predicted = point.predicted_excess_risk.map(|risk| risk.to_string());
            rows.push(vec![
                problem.dim.to_string(),
                curve.router.clone(),
                point.n.to_string(),
                n_neighbors.unwrap_or_default(),
                estimate.to_string(),
                low.to_string(),
                high.to_string(),
                predicted.unwrap_or_default(),
            ]);
        }
    }
    rows
}

fn shown_interval(interval: RateInterval) -> String {
    let RateInterval {
        estimate,
        low,
        high,
    } = interval;
    format!("{estimate:.3} [{low:.3}, {high:.3}]")
}
