//! The table of exponents.

use dataset::{RateCurve, RateInterval, RateProblem, RateStudy, router_names::CARROT_KNN};

use super::figures::{CHOSEN_K, ONE_NEIGHBOR, RANDOM};
use crate::output::tables::{Cell, Column, Table};

/// The table `rate_optimality`: fitted exponents beside the bound's.
pub(super) fn table(study: &RateStudy) -> Table {
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
            column("chosen_k_exponent", "Shipped rule"),
            column("chosen_k_low", ""),
            column("chosen_k_high", ""),
            column("n_repetitions", ""),
        ],
        rows: study.problems.iter().map(row).collect(),
        notes: vec![format!(
            "Excess risk goes like n^-r; shown is r, fitted on n from {} on, with bootstrap intervals of level {} over repetitions. \
                 Bound: g (1 + a) / (2 g + d), with k = ceil(c n^(2 g / (2 g + d))) neighbors. Predicted: r at the same n by quadrature, \
                 without any draw; where it differs from the bound, n is too small for the limit. \
                 Shipped rule: k of the least squared error for each score and cost, among candidates that grow with n.",
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
    let measured = exponent(CARROT_KNN);
    let mut row = vec![
        Cell::Text(problem.name.clone()),
        Cell::Count(problem.dim),
        plain(problem.smoothness),
        plain(problem.margin_exponent),
        plain(problem.neighbors),
        Cell::Number(problem.bound_exponent),
    ];
    row.extend(cells(measured));
    // The claim of the theory in one word, so that nobody has to compare three columns.
    row.push(measured.map_or(Cell::Missing, |measured| {
        let within = measured.holds(problem.bound_exponent);
        Cell::Text(if within { "yes" } else { "no" }.to_owned())
    }));
    let predicted = |curve: &RateCurve| curve.predicted_exponent;
    row.push(Cell::number(curve(CARROT_KNN).and_then(predicted)));
    row.extend(cells(exponent(ONE_NEIGHBOR)));
    row.extend(cells(exponent(RANDOM)));
    row.extend(cells(exponent(CHOSEN_K)));
    row.push(Cell::Count(problem.n_repetitions));
    row
}

/// A setting, with the decimals that it was given.
fn plain(value: f64) -> Cell {
    // Not a `Number`: 0.5 is what was asked for, and `0.5000` would look like a measurement.
    Cell::Written(value.to_string())
}
