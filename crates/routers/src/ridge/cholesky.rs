use linfa_linalg::{
    cholesky::CholeskyInplace,
    triangular::{SolveTriangular, UPLO},
};
use ndarray::{Array2, ArrayViewMut2, Axis, s};

use crate::products::{add_product, product};

/// Columns that are factored at a time. Blocks on the diagonal are linfa-linalg's work, all else is matrix products. At 800 x 800 linfa-linalg alone
/// took 73 ms where `faer` took 11 to 21; but `faer` brings 18 more crates to build, a second set of product kernels among them.
const BLOCK: usize = 64;

/// `A = L L'` of a symmetric positive definite matrix.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    /// L; what lies above its diagonal means nothing.
    lower: Array2<f64>,
    /// The inverse of each block on the diagonal.
    inverses: Vec<Array2<f64>>,
}

impl Cholesky {
    /// Factors a square matrix of which the lower triangle is read. `None` when it is not positive definite.
    pub(crate) fn factor(mut lower: Array2<f64>) -> Option<Self> {
        let n = lower.nrows();
        let mut inverses = Vec::with_capacity(n.div_ceil(BLOCK));
        for start in (0..n).step_by(BLOCK) {
            let width = BLOCK.min(n - start);
            let (done, mut rest) = lower.view_mut().split_at(Axis(1), start);
            let mut column = rest.slice_mut(s![start.., ..width]);
            let (done_here, done_below) = (
                done.slice(s![start..start + width, ..]),
                done.slice(s![start.., ..]),
            );
            add_product(column.view_mut(), -1.0, done_below, done_here.t());
            let (mut diagonal, mut below) = column.split_at(Axis(0), width);
            diagonal.cholesky_inplace().ok()?;
            let inverse = diagonal
                .solve_triangular(&Array2::eye(width), UPLO::Lower)
                .ok()?;
            let solved = product(below.view(), inverse.t());
            below.assign(&solved);
            inverses.push(inverse);
        }
        Some(Self { lower, inverses })
    }

    /// `A x = b` in place; a column of `b` is one right-hand side.
    pub(crate) fn solve(&self, b: &mut Array2<f64>) {
        self.solve_lower(b);
        self.solve_transposed(b);
    }

    /// `L x = b` in place.
    pub(super) fn solve_lower(&self, b: &mut Array2<f64>) {
        for (start, end, inverse) in self.blocks() {
            let (done, mut rest) = b.view_mut().split_at(Axis(0), start);
            let mut here = rest.slice_mut(s![..end - start, ..]);
            let left = self.lower.slice(s![start..end, ..start]);
            add_product(here.view_mut(), -1.0, left, done.view());
            let solved = product(inverse.view(), here.view());
            here.assign(&solved);
        }
    }

    /// `L' x = b` in place.
    pub(crate) fn solve_transposed(&self, b: &mut Array2<f64>) {
        for (start, end, inverse) in self.blocks().rev() {
            let (mut rest, done) = b.view_mut().split_at(Axis(0), end);
            let mut here = rest.slice_mut(s![start.., ..]);
            let below = self.lower.slice(s![end.., start..end]);
            add_product(here.view_mut(), -1.0, below.t(), done.view());
            let solved = product(inverse.t(), here.view());
            here.assign(&solved);
        }
    }

    /// `x L' = b` in place: each row of `b` becomes `L^-1` times that row.
    pub(crate) fn solve_rows(&self, mut b: ArrayViewMut2<'_, f64>) {
        for (start, end, inverse) in self.blocks() {
            let (done, mut rest) = b.view_mut().split_at(Axis(1), start);
            let mut here = rest.slice_mut(s![.., ..end - start]);
            let left = self.lower.slice(s![start..end, ..start]);
            add_product(here.view_mut(), -1.0, done.view(), left.t());
            let solved = product(here.view(), inverse.t());
            here.assign(&solved);
        }
    }

    /// Start, end and inverse of each block on the diagonal.
    fn blocks(&self) -> impl DoubleEndedIterator<Item = (usize, usize, &Array2<f64>)> {
        self.inverses
            .iter()
            .enumerate()
            .map(|(i, inverse)| (i * BLOCK, i * BLOCK + inverse.nrows(), inverse))
    }
}

#[cfg(test)]
mod tests {
    use linfa_linalg::cholesky::Cholesky as _;
    use ndarray::array;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Rounding of sums of up to 150 products of numbers around 1, well conditioned.
    const TOLERANCE: f64 = 1e-11;

    fn random(shape: (usize, usize)) -> Array2<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        Array2::from_shape_simple_fn(shape, || rng.random_range(-1.0..1.0))
    }

    fn assert_near(a: &Array2<f64>, b: &Array2<f64>) {
        let largest = (a - b)
            .iter()
            .fold(0.0, |largest: f64, x| largest.max(x.abs()));
        assert!(largest < TOLERANCE, "{largest}");
    }

    #[test]
    fn factors_and_solves_in_blocks_as_linfa_does_at_once() {
        for n in [1, 2, 63, 64, 65, 150] {
            let a = random((n, n));
            let matrix = a.dot(&a.t()) / n as f64 + Array2::<f64>::eye(n);
            let factored = Cholesky::factor(matrix.clone()).expect("positive definite");
            let lower = matrix.cholesky().expect("positive definite");
            let ours =
                Array2::from_shape_fn(
                    (n, n),
                    |(i, j)| {
                        if j > i { 0.0 } else { factored.lower[[i, j]] }
                    },
                );
            assert_near(&ours, &lower);

            let x = random((n, 3));
            let mut solved = matrix.dot(&x);
            factored.solve(&mut solved);
            assert_near(&solved, &x);
            let mut solved = lower.t().dot(&x);
            factored.solve_transposed(&mut solved);
            assert_near(&solved, &x);
            let mut solved = x.t().dot(&lower.t());
            factored.solve_rows(solved.view_mut());
            assert_near(&solved, &x.t().to_owned());
        }
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        assert!(Cholesky::factor(array![[1.0, 2.0], [2.0, 1.0]]).is_none());
        assert!(Cholesky::factor(Array2::zeros((70, 70))).is_none());
    }
}
