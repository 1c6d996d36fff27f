use std::fmt::Write as _;

use dataset::{RateInterval, RateStudy, router_names::CARROT_KNN};
use rate_study::{CHOSEN_K, ONE_NEIGHBOR, RANDOM};

/// The fitted exponents beside the bound's, as a table for a terminal.
pub(crate) fn of(study: &RateStudy) -> String {
    let mut text = format!(
        "{:<10} {:>2} {:>5} {:>5} {:>7}  {:<24} {:>9}  {:<6}  {:<22} {:<22} {:<22}\n",
        "problem",
        "d",
        "g",
        "a",
        "bound",
        CARROT_KNN,
        "predicted",
        "within",
        ONE_NEIGHBOR,
        RANDOM,
        CHOSEN_K
    );
    for problem in &study.problems {
        let exponent = |router: &str| {
            let curve = problem.curves.iter().find(|curve| curve.router == router);
            curve.and_then(|curve| curve.exponent)
        };
        let shown = |interval: Option<RateInterval>| {
            interval.map_or("none".to_owned(), |interval| {
                format!(
                    "{:.3} [{:.3}, {:.3}]",
                    interval.estimate, interval.low, interval.high
                )
            })
        };
        let knn = exponent(CARROT_KNN);
        let within = match knn.map(|knn| knn.holds(problem.bound_exponent)) {
            Some(true) => "yes",
            Some(false) => "no",
            None => "none",
        };
        let predicted = problem
            .curves
            .iter()
            .find_map(|curve| curve.predicted_exponent);
        let predicted = predicted.map_or("none".to_owned(), |value| format!("{value:.3}"));
        // Writing to a string cannot fail.
        _ = writeln!(
            text,
            "{:<10} {:>2} {:>5} {:>5} {:>7.3}  {:<24} {predicted:>9}  {within:<6}  {:<22} {:<22} {:<22}",
            problem.name,
            problem.dim,
            problem.smoothness,
            problem.margin_exponent,
            problem.bound_exponent,
            shown(knn),
            shown(exponent(ONE_NEIGHBOR)),
            shown(exponent(RANDOM)),
            shown(exponent(CHOSEN_K)),
        );
    }
    text
}
