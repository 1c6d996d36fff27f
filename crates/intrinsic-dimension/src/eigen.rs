//! Eigenvalues of symmetric matrices, the largest first.

use linfa_linalg::{
    Order,
    eigh::{EigSort as _, EigValshInto as _, EighInto as _},
    lobpcg::{Lobpcg, lobpcg},
};
use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::{Error, Result, points::Stream, products};

/// Up to this size all eigenvalues are computed where only some are wanted: that takes a tenth of a second, and nothing can fail to converge.
const FEW_ROWS: usize = 400;
/// LOBPCG works in three blocks as wide as the wanted eigenvalues are many, which must leave room in the space (its own check, commented out,
/// is five).
const WIDEST_BLOCK: usize = 5;
/// Largest `||A v - lambda v||`, relative to the largest eigenvalue, with which an eigenvalue is accepted. An eigenvalue lies that close to
/// `lambda` for certain, and in fact as close as the square of it over the distance to the next eigenvalue.
const RESIDUAL: f64 = 1e-6;
/// The residual that the iteration aims at, relative to the norm and then to the largest eigenvalue; the check leaves room for rounding.
const RESIDUAL_AIMED_AT: f64 = 1e-7;
/// Iterations of one run; 50 eigenvalues of kernels of 3,000 and 5,000 points took 19 to 39.
const N_ITERATIONS: usize = 200;
/// Runs, each from the best vectors of the one before.
const N_RUNS: usize = 4;
/// Random streams from here on are the vectors that iterations start from.
const START_VECTORS: u64 = 1 << 32;

/// All eigenvalues of a symmetric matrix in standard order, which is used up.
pub(crate) fn all(matrix: Array2<f64>) -> Result<Vec<f64>> {
    let size = matrix.nrows();
    // The transposed matrix is the same one in columns, along which the solver works: 2 to 3 times faster.
    let values = matrix
        .reversed_axes()
        .eigvalsh_into()
        .map_err(|source| Error::Eigenvalues { size, source })?;
    let mut values = values.to_vec();
    values.sort_unstable_by(|a, b| b.total_cmp(a));
    Ok(values)
}

/// All eigenvectors of a symmetric matrix in standard order, as columns, the one of the largest eigenvalue first; the matrix is used up.
pub(crate) fn vectors(matrix: Array2<f64>) -> Result<Array2<f64>> {
    let size = matrix.nrows();
    // As in `all`.
    let decomposed = matrix.reversed_axes().eigh_into();
    let decomposed = decomposed.map_err(|source| Error::Eigenvalues { size, source })?;
    let (_, vectors) = decomposed.sort_eig_desc();
    Ok(vectors)
}

/// The `n_wanted` largest eigenvalues of a symmetric matrix in standard order; all where it has fewer.
pub(crate) fn largest(
    mut matrix: Array2<f64>,
    n_wanted: usize,
    seed: u64,
    stream: Stream,
) -> Result<Vec<f64>> {
    let size = matrix.nrows();
    if size <= FEW_ROWS || size < WIDEST_BLOCK * n_wanted {
        let mut values = all(matrix)?;
        values.truncate(n_wanted);
        return Ok(values);
    }
    // Scaled, because the solver's tolerance is absolute and a float32.
    let norm = matrix.iter().map(|value| value * value).sum::<f64>().sqrt();
    if norm == 0.0 {
        return Ok(vec![0.0; n_wanted]);
    }
    matrix.mapv_inplace(|value| value / norm);
    let values = by_lobpcg(&matrix, n_wanted, seed, stream)?;
    Ok(values.iter().map(|value| value * norm).collect())
}

/// For a matrix whose norm is 1.
fn by_lobpcg(matrix: &Array2<f64>, n_wanted: usize, seed: u64, stream: Stream) -> Result<Vec<f64>> {
    let size = matrix.nrows();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // The streams below are those of the samples.
    rng.set_stream(START_VECTORS + stream as u64);
    let mut start = Array2::from_shape_simple_fn((size, n_wanted), || rng.random_range(-1.0..1.0));
    let mut tolerance = RESIDUAL_AIMED_AT;
    let mut worst = (0, f64::INFINITY);
    for _ in 0..N_RUNS {
        let result = lobpcg(
            |block| products::multiply(matrix.view(), block),
            start,
            |_| (),
            None,
            tolerance as f32,
            N_ITERATIONS,
            Order::Largest,
        );
        // A run that breaks off leaves the best that it found, which may well be good enough: directions without variance break it.
        let (Ok(found) | Err((_, Some(found)))) = result else {
            let source = result.err().map(|(source, _)| source);
            let source = source.expect("a run without a result has an error");
            return Err(Error::Eigenvalues { size, source });
        };
        let Lobpcg {
            eigvals,
            eigvecs,
            rnorm,
        } = found;
        let largest = eigvals[0];
        worst = rnorm
            .iter()
            .map(|residual| residual / largest)
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .expect("at least one eigenvalue is wanted");
        if worst.1 <= RESIDUAL {
            return Ok(eigvals.to_vec());
        }
        tolerance = RESIDUAL_AIMED_AT * largest;
        start = eigvecs;
    }
    Err(Error::NotConverged {
        index: worst.0 + 1,
        n_eigenvalues: n_wanted,
        residual: worst.1,
        tolerance: RESIDUAL,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Q diag(values) Q` for the reflection `Q = I - 2 u u^T / u.u`, whose eigenvalues are `values`.
    fn with_eigenvalues(values: &[f64]) -> Array2<f64> {
        let n = values.len();
        let u = Array2::from_shape_fn((n, 1), |(i, _)| 1.0 + (i % 7) as f64);
        let squares = u.iter().map(|v| v * v).sum::<f64>();
        let q = Array2::eye(n) - u.dot(&u.t()) * (2.0 / squares);
        let scaled = &q * &ndarray::Array1::from(values.to_vec());
        let mut matrix = scaled.dot(&q);
        products::mirror(&mut matrix);
        matrix
    }

    #[test]
    fn eigenvalues_are_found_whatever_the_spectrum() {
        const N: usize = 600;
        type Spectrum = fn(usize) -> f64;
        let spectra: [(&str, Spectrum); 7] = [
            ("falling slowly", |i| 1.0 / (1.0 + i as f64)),
            ("falling fast", |i| 0.5_f64.powi(i as i32)),
            ("one dimension", |i| if i == 0 { 3.0 } else { 0.0 }),
            ("fewer than wanted", |i| {
                if i < 7 { 1e-9 * (i + 1) as f64 } else { 0.0 }
            }),
            ("all equal", |_| 2.0),
            ("huge", |i| 1e60 / (1.0 + i as f64)),
            ("negative ones too", |i| 10.0 - i as f64 / 10.0),
        ];
        for (name, spectrum) in spectra {
            let mut values: Vec<f64> = (0..N).map(spectrum).collect();
            let matrix = with_eigenvalues(&values);
            values.sort_unstable_by(|a, b| b.total_cmp(a));
            let every = all(matrix.clone()).expect(name);
            let some = largest(matrix, 12, 1, Stream::Kernel).expect(name);
            assert_eq!((every.len(), some.len()), (N, 12), "{name}");
            for (found, expected) in every.iter().zip(&values).chain(some.iter().zip(&values)) {
                let error = (found - expected).abs() / values[0];
                assert!(error < 1e-9, "{name}: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn eigenvectors_are_in_the_order_of_their_eigenvalues() {
        let values: Vec<f64> = (0..50).map(|i| 3.0 - f64::from(i)).collect();
        let matrix = with_eigenvalues(&values);
        let vectors = vectors(matrix.clone()).expect("symmetric");
        let scaled = &vectors * &ndarray::Array1::from(values);
        let error = (matrix.dot(&vectors) - scaled).mapv(f64::abs);
        assert!(error.iter().all(|&it| it < 1e-10));
        let products = vectors.t().dot(&vectors) - Array2::<f64>::eye(50);
        assert!(products.iter().all(|it| it.abs() < 1e-12));
    }
}
