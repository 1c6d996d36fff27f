use std::sync::OnceLock;

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, concatenate};

use super::{cholesky::Cholesky, moments::Moments};
use crate::products::{add_product, product};

/// All rows of a training side, for outputs that are known in each of them.
pub(super) struct Side<'a> {
    /// The run that is left out.
    pub(super) left_out: Option<usize>,
    pub(super) moments: Moments,
    /// The system at each alpha, made when it is first asked for.
    pub(super) factored: &'a [OnceLock<Cholesky>],
}

impl Side<'_> {
    /// `X'X + alpha I` of all rows, the alpha being the one at a position.
    fn factored(&self, position: usize, alpha: f64) -> &Cholesky {
        // Nothing in `factor` waits for another thread, so that no thread can come back here while it holds the lock.
        self.factored[position].get_or_init(|| self.moments.factor(alpha))
    }
}

/// The known rows of a training side.
pub(super) struct Known<'a> {
    pub(super) n_rows: usize,
    /// Mean of their features, length `m`.
    pub(super) mean: ArrayView1<'a, f64>,
}

/// How the coefficients of one pattern on one training side are found. All ways give the same coefficients but for rounding; the counts of known and
/// unknown rows say which is the cheapest.
pub(super) enum System<'a> {
    /// All rows are known: the factored system is there.
    Complete(&'a Side<'a>),
    /// Few rows are unknown: they are taken off the system of all rows, whose factor L is there.
    ///
    /// ```text
    /// A = L L' - U'U          rows of U: unknown rows less the mean of all, and sqrt(n_known) (mean of known rows - mean of all)
    /// Z = L^-1 U'
    /// A^-1 = L'^-1 (I + Z (I - Z'Z)^-1 Z') L^-1         (Woodbury)
    /// ```
    Downdated {
        side: &'a Side<'a>,
        /// U, shape `(n_unknown + 1, m)`.
        taken_off: Array2<f64>,
    },
    /// Fewer rows are known than there are features: `w = X' (X X' + alpha I)^-1 y`.
    Dual {
        /// X, the known rows less their mean.
        features: Array2<f64>,
        /// X X', of which the lower triangle counts.
        gram: Array2<f64>,
        /// y, less its mean, shape `(n_known, n_outputs)`.
        targets: Array2<f64>,
    },
    /// The known rows have moments of their own.
    Direct(Moments),
}

impl<'a> System<'a> {
    /// Whether so few rows are unknown that taking them off costs less than a factor of `m` columns.
    pub(super) fn is_downdate_cheap(n_unknown: usize, m: usize) -> bool {
        8 * (n_unknown + 1) <= m
    }

    pub(super) fn downdated(
        side: &'a Side<'a>,
        known: &Known<'_>,
        unknown: ArrayView2<'_, f64>,
    ) -> Self {
        let mean = side.moments.mean();
        let shift = (&known.mean - &mean) * (known.n_rows as f64).sqrt();
        let unknown = &unknown - &mean;
        Self::Downdated {
            side,
            taken_off: concatenate![Axis(0), unknown, shift.insert_axis(Axis(0))],
        }
    }

    pub(super) fn dual(
        known: &Known<'_>,
        features: ArrayView2<'_, f64>,
        targets: ArrayView2<'_, f64>,
    ) -> Self {
        let features = &features - &known.mean;
        let mean = targets.sum_axis(Axis(0)) / known.n_rows as f64;
        Self::Dual {
            gram: product(features.view(), features.t()),
            features,
            targets: &targets - &mean,
        }
    }

    /// Coefficients, of shape `(m, n_outputs)`, at the alpha of a position; `cross` is X'y with both less their means.
    pub(super) fn solve(&self, position: usize, alpha: f64, cross: &Array2<f64>) -> Array2<f64> {
        let mut coefficients = cross.clone();
        match self {
            Self::Complete(side) => side.factored(position, alpha).solve(&mut coefficients),
            Self::Direct(moments) => moments.factor(alpha).solve(&mut coefficients),
            Self::Downdated { side, taken_off } => {
                let factored = side.factored(position, alpha);
                let mut z = taken_off.clone();
                factored.solve_rows(z.view_mut());
                let mut rest = Array2::eye(z.nrows());
                add_product(rest.view_mut(), -1.0, z.view(), z.t());
                factored.solve_lower(&mut coefficients);
                let mut correction = product(z.view(), coefficients.view());
                positive_definite(rest).solve(&mut correction);
                add_product(coefficients.view_mut(), 1.0, z.t(), correction.view());
                factored.solve_transposed(&mut coefficients);
            }
            Self::Dual {
                features,
                gram,
                targets,
            } => {
                let mut penalized = gram.clone();
                penalized.diag_mut().mapv_inplace(|x| x + alpha);
                let mut duals = targets.clone();
                positive_definite(penalized).solve(&mut duals);
                coefficients = product(features.t(), duals.view());
            }
        }
        coefficients
    }
}

/// Factors a matrix whose least eigenvalue is far above rounding, because alpha is.
pub(super) fn positive_definite(matrix: Array2<f64>) -> Cholesky {
    Cholesky::factor(matrix).expect("an alpha above all rounding makes it positive definite")
}

#[cfg(test)]
mod tests {
    use ndarray::s;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Rounding of sums over a hundred rows.
    const TOLERANCE: f64 = 1e-10;

    #[test]
    fn all_ways_give_the_same_coefficients() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut random =
            |shape| Array2::<f64>::from_shape_simple_fn(shape, || rng.random_range(-1.0..1.0));
        for (n_rows, n_unknown, m) in [(100, 3, 40), (30, 10, 70), (12, 1, 5), (9, 8, 4)] {
            // A mean far off 0, so that a wrong mean shows.
            let features = random((n_rows, m)) + 0.5;
            let targets = random((n_rows - n_unknown, 2));
            let unknown = features.slice(s![..n_unknown, ..]);
            let known = features.slice(s![n_unknown.., ..]);
            let mean = known.mean_axis(Axis(0)).expect("rows");
            let centred = &targets - &targets.mean_axis(Axis(0)).expect("rows");
            let cross = (&known - &mean).t().dot(&centred);
            let of_known = Known {
                n_rows: n_rows - n_unknown,
                mean: mean.view(),
            };
            for alpha in [3.0, 0.01] {
                let factored = [OnceLock::new()];
                let side = Side {
                    left_out: None,
                    moments: Moments::of(features.view()),
                    factored: &factored,
                };
                let direct = System::Direct(Moments::of(known)).solve(0, alpha, &cross);
                let downdated = System::downdated(&side, &of_known, unknown);
                let dual = System::dual(&of_known, known, targets.view());
                for other in [downdated, dual] {
                    let other = other.solve(0, alpha, &cross);
                    for (a, b) in other.iter().zip(&direct) {
                        assert!((a - b).abs() < TOLERANCE, "{a}, not {b}");
                    }
                }
            }
        }
    }
}
