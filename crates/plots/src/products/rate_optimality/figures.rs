//! The study of rates: what `rate_optimality` shows, its numbers as CSV, and the table of exponents.

use charts::{
    draw::axis::Axis,
    panels::{Panel, PanelLine},
};
use dataset::{RateCurve, RateInterval, RateProblem, RateStudy, router_names::CARROT_KNN};

use crate::{
    data::series::Series,
    output::tables::{Cell, Column, Table, csv_of},
};

/// The router whose rate is in question; the others are there to be worse.
const ROUTER: &str = CARROT_KNN;
/// How far the line of the bound stands below the estimates, as a factor: on top of the fitted line nothing could be told.
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
pub(crate) struct RateFigure {
    /// The name of the problem, which goes into that of its files.
    pub(crate) problem: String,
    pub(crate) title: String,
    pub(crate) panels: Vec<Panel>,
    /// Of the CSV, without its header.
    rows: Vec<Vec<String>>,
}

/// The lines of all panels by name.
pub(crate) const KEY: [Series; 4] = [
    Series::RateFitted,
    Series::RateBound,
    Series::OneNeighbor,
    Series::Random,
];

/// A figure for each problem, with a panel for each dimension.
pub(crate) fn figures(study: &RateStudy) -> Vec<RateFigure> {
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
    let mut lines = Vec::new();
    let (mut dots, mut notes) = (Vec::new(), Vec::new());
    for curve in &problem.curves {
        // A logarithm shows nothing else.
        let shown = || {
            let above_0 = |point: &&dataset::RatePoint| point.excess_risk.estimate > 0.0;
            curve.points.iter().filter(above_0)
        };
        let points: Vec<(f64, f64)> = shown()
            .map(|point| (point.n as f64, point.excess_risk.estimate))
            .collect();
        if curve.router != ROUTER {
            let series = match curve.router.as_str() {
                "random" => Series::Random,
                _ => Series::OneNeighbor,
            };
            lines.push(PanelLine {
                points,
                line: series.named_line(),
            });
            continue;
        }
        for point in shown().filter(|point| point.excess_risk.low > 0.0) {
            let (n, interval) = (point.n as f64, point.excess_risk);
            lines.push(PanelLine {
                points: vec![(n, interval.low), (n, interval.high)],
                line: Series::RateInterval.named_line(),
            });
        }
        if let Some(exponent) = curve.exponent {
            let fitted: Vec<(f64, f64)> = points
                .iter()
                .copied()
                .filter(|point| point.0 >= fit_from_n as f64)
                .collect();
            for (slope, factor, series) in [
                (exponent.estimate, 1.0, Series::RateFitted),
                (problem.bound_exponent, GUIDE_FACTOR, Series::RateBound),
            ] {
                let points = power_law(&fitted, slope, factor);
                lines.push(PanelLine {
                    points,
                    line: series.named_line(),
                });
            }
            notes.push(format!("fitted {}", shown_interval(exponent)));
        }
        notes.push(format!("bound {:.3}", problem.bound_exponent));
        dots.extend(points);
    }
    let values = || lines.iter().flat_map(|line| &line.points).chain(&dots);
    let range = |of: fn(&(f64, f64)) -> f64| {
        let values = values().map(of);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        })
    };
    let axis = |(low, high): (f64, f64), room: f64| {
        if low > high {
            Axis::log((0.1, 1.0))
        } else {
            Axis::log((low * (low / high).powf(room), high))
        }
    };
    Panel {
        title: format!(
            "{} dimension{}",
            problem.dim,
            if problem.dim == 1 { "" } else { "s" }
        ),
        x_title: "Training prompts",
        y_title: "Excess risk",
        x: axis(range(|point| point.0), 0.0),
        y: axis(range(|point| point.1), ROOM_BELOW),
        lines,
        dots,
        notes,
    }
}

/// `const * n^-exponent` over the range of some points, as high as they are in the middle times a factor.
fn power_law(points: &[(f64, f64)], exponent: f64, factor: f64) -> Vec<(f64, f64)> {
    let mean = |of: fn(f64, f64) -> f64| {
        points.iter().map(|&(n, value)| of(n, value)).sum::<f64>() / points.len() as f64
    };
    let (log_n, log_value) = (mean(|n, _| n.ln()), mean(|_, value| value.ln()));
    let at = |n: f64| (n, factor * (log_value - exponent * (n.ln() - log_n)).exp());
    let ends = points.first().zip(points.last());
    ends.map_or_else(Vec::new, |(first, last)| vec![at(first.0), at(last.0)])
}

impl RateFigure {
    /// The numbers that the figure was drawn from.
    pub(crate) fn csv(&self) -> String {
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

/// The table `rate_optimality`: fitted exponents beside the bound's.
pub(crate) fn table(study: &RateStudy) -> Table {
    let column = |csv, markdown| Column { csv, markdown };
    Table {
        columns: vec![
            column("problem", "Problem"),
            column("dim", "d"),
            column("smoothness", "g"),
            column("margin_exponent", "a"),
            column("neighbors", "c"),
            column("bound_exponent", "Bound"),
            column("exponent", "Fitted"),
            column("exponent_low", "Low"),
            column("exponent_high", "High"),
            column("bound_within", "Bound within"),
            column("predicted_exponent", "Predicted"),
            column("one_neighbor_exponent", "1 neighbor"),
            column("one_neighbor_low", ""),
            column("one_neighbor_high", ""),
            column("random_exponent", "Random"),
            column("random_low", ""),
            column("random_high", ""),
            column("n_repetitions", ""),
        ],
        rows: study.problems.iter().map(row).collect(),
        notes: vec![format!(
            "Excess risk goes like n^-r; shown is r, fitted on n from {} on, with bootstrap intervals of level {} over repetitions. \
                 Bound: g (1 + a) / (2 g + d), with k = ceil(c n^(2 g / (2 g + d))) neighbors. Predicted: r at the same n by quadrature, \
                 without any draw; where it differs from the bound, n is too small for the limit.",
            study.fit_from_n, study.level
        )],
    }
}

fn row(problem: &RateProblem) -> Vec<Cell> {
    let curve = |router: &str| problem.curves.iter().find(|curve| curve.router == router);
    let exponent = |router: &str| curve(router).and_then(|curve| curve.exponent);
    let cells = |interval: Option<RateInterval>| {
        let part = |of: fn(RateInterval) -> f64| Cell::number(interval.map(of));
        [
            part(|interval| interval.estimate),
            part(|interval| interval.low),
            part(|interval| interval.high),
        ]
    };
    let measured = exponent(ROUTER);
    let mut row = vec![
        Cell::Text(problem.name.clone()),
        Cell::Count(problem.dim),
        plain(problem.smoothness),
        plain(problem.margin_exponent),
        plain(problem.neighbors),
        Cell::Number(problem.bound_exponent),
    ];
    row.extend(cells(measured));
    row.push(measured.map_or(Cell::Missing, |measured| {
        let within = measured.holds(problem.bound_exponent);
        Cell::Text(if within { "yes" } else { "no" }.to_owned())
    }));
    let predicted = |curve: &RateCurve| curve.predicted_exponent;
    row.push(Cell::number(curve(ROUTER).and_then(predicted)));
    row.extend(cells(exponent("1-nn")));
    row.extend(cells(exponent("random")));
    row.push(Cell::Count(problem.n_repetitions));
    row
}

/// A setting, with the decimals that it was given.
fn plain(value: f64) -> Cell {
    Cell::Written(value.to_string())
}

fn shown_interval(interval: RateInterval) -> String {
    let RateInterval {
        estimate,
        low,
        high,
    } = interval;
    format!("{estimate:.3} [{low:.3}, {high:.3}]")
}
