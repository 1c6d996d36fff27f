//! The excess risk of CARROT (KNN) by quadrature instead of by draws: what a simulation should find at a given n, before its limit is reached.

use std::f64::consts::PI;

use crate::Problem;

/// Places across a neighborhood, and along the first coordinate.
const N_WINDOW: usize = 100;
const N_PLACES: usize = 2000;
/// Rounds of the fixed point for the radius; each halves its error at least.
const N_ROUNDS: usize = 40;
/// Least share of a ball that is taken to lie in the cube: beyond it neighborhoods span the cube, and nothing here holds.
const LEAST_SHARE: f64 = 0.05;

/// The expected excess risk with `n` training rows and `k` neighbors, to leading order.
///
/// ```text
/// excess risk = integral over s of |difference(s)| * P(the wrong one of small and large has the higher estimate at s)
/// estimate    = normal, mean: of the difference over the neighborhood, cut off at the cube's faces across s; variance: a label's / k
/// radius r    : k / n = volume(d) * r^d * (1 - r E|U|)^(d - 1),   U a coordinate of an even point of the unit ball
/// ```
///
/// The last factor is the share of the ball inside the cube, averaged over the cube, as if coordinates were independent. The choice of `dear` is
/// left out. Good to some percent where neighborhoods reach over less than half of the cube.
pub fn predicted_excess_risk(problem: &Problem, n: usize, k: usize) -> f64 {
    let d = problem.dim() as f64;
    let middle = |i: usize, n: usize| -1.0 + (2 * i + 1) as f64 / n as f64;
    // A coordinate of an even point of the unit ball has density proportional to (1 - u^2)^((d - 1) / 2).
    let density: Vec<(f64, f64)> = (0..N_WINDOW)
        .map(|i| middle(i, N_WINDOW))
        .map(|u| (u, (1.0 - u * u).powf((d - 1.0) / 2.0)))
        .collect();
    let total: f64 = density.iter().map(|(_, weight)| weight).sum();
    let mean_abs = density
        .iter()
        .map(|(u, weight)| u.abs() * weight)
        .sum::<f64>()
        / total;
    let of_full_ball =
        |share: f64| (k as f64 / n as f64 / unit_ball(problem.dim()) / share).powf(1.0 / d);
    let radius = (0..N_ROUNDS).fold(of_full_ball(1.0), |radius, _| {
        of_full_ball((1.0 - radius * mean_abs).powf(d - 1.0).max(LEAST_SHARE))
    });
    // The mean of |2x - 1|^g.
    let hardness = 1.0 / (1.0 + problem.smoothness());
    let excess_at = |distance: f64| {
        let (mut sum, mut weights) = (0.0, 0.0);
        for (u, weight) in &density {
            let place = distance + radius * u;
            if place.abs() <= 0.5 {
                sum += weight * problem.difference(place);
                weights += weight;
            }
        }
        let deviation = (problem.noise_variance(distance, hardness) / k as f64).sqrt();
        let difference = problem.difference(distance);
        let towards_right = difference.signum() * sum / weights;
        difference.abs() * normal_tail(towards_right / deviation)
    };
    // Cubes put most places where decisions are close.
    (0..N_PLACES)
        .map(|i| middle(i, N_PLACES))
        .map(|t| excess_at(0.5 * t.powi(3)) * 1.5 * t * t * 2.0 / N_PLACES as f64)
        .sum()
}

/// Volume of the unit ball, by `V_d = 2 pi / d * V_(d-2)`.
fn unit_ball(dim: usize) -> f64 {
    match dim {
        0 => 1.0,
        1 => 2.0,
        _ => 2.0 * PI / dim as f64 * unit_ball(dim - 2),
    }
}

/// The probability that a standard normal exceeds `x`, to 1e-7: Abramowitz and Stegun (1964), 26.2.17.
fn normal_tail(x: f64) -> f64 {
    if x < 0.0 {
        return 1.0 - normal_tail(-x);
    }
    let t = 1.0 / (1.0 + 0.231_641_9 * x);
    let polynomial = [
        1.330_274_429,
        -1.821_255_978,
        1.781_477_937,
        -0.356_563_782,
        0.319_381_530,
    ]
    .into_iter()
    .fold(0.0, |sum, coefficient| sum * t + coefficient)
        * t;
    (-x * x / 2.0).exp() / (2.0 * PI).sqrt() * polynomial
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_and_tails_are_known() {
        for (dim, volume) in [
            (1, 2.0),
            (2, PI),
            (3, 4.0 / 3.0 * PI),
            (8, PI.powi(4) / 24.0),
        ] {
            assert!((unit_ball(dim) - volume).abs() < 1e-12, "{dim}");
        }
        for (x, tail) in [
            (0.0, 0.5),
            (1.0, 0.158_655_254),
            (-1.0, 0.841_344_746),
            (3.0, 0.001_349_898),
            (40.0, 0.0),
        ] {
            assert!((normal_tail(x) - tail).abs() < 1e-7, "{x}");
        }
    }
}
