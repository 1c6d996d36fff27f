//! Matrix products in float64 whose bits do not depend on the number of threads: each tile of a result is one product on one thread.

use gemm::Parallelism;
use ndarray::{Array2, ArrayView2, s};
use rayon::prelude::*;

/// Rows of the result that one thread computes at a time.
const TILE: usize = 128;
const STANDARD_ORDER: &str = "this crate's matrices are in standard order";

/// Adds `x x^T` to the upper triangle of a matrix; what is below the diagonal is undefined until [`mirror`] is called.
///
/// `x` has shape `(n, k)`, in any layout; `sum` has shape `(n, n)`.
pub(crate) fn add_gram(sum: &mut Array2<f64>, x: ArrayView2<'_, f64>) {
    let n = x.nrows();
    assert_eq!(sum.dim(), (n, n), "a Gram matrix is square");
    if n == 0 {
        return;
    }
    for_each_tile(sum, |start, rows| {
        let left = x.slice(s![start..n.min(start + TILE), ..]);
        let right = x.slice(s![start.., ..]);
        multiply_tile(&mut rows[start..], n, left, right.t(), 1.0);
    });
}

/// Works on some rows of a matrix in standard order at a time: the first row's number, and their values.
fn for_each_tile(matrix: &mut Array2<f64>, work: impl Fn(usize, &mut [f64]) + Sync) {
    let n_columns = matrix.ncols();
    let rows = matrix.as_slice_mut().expect(STANDARD_ORDER);
    rows.par_chunks_mut(TILE * n_columns)
        .enumerate()
        .for_each(|(tile, rows)| work(tile * TILE, rows));
}

/// Copies the upper triangle of a square matrix to the lower one.
pub(crate) fn mirror(matrix: &mut Array2<f64>) {
    // In blocks that stay in the cache: a column's values lie a whole row apart.
    const BLOCK: usize = 64;
    let n = matrix.nrows();
    for i0 in (0..n).step_by(BLOCK) {
        for j0 in (i0..n).step_by(BLOCK) {
            for i in i0..n.min(i0 + BLOCK) {
                for j in j0.max(i + 1)..n.min(j0 + BLOCK) {
                    matrix[(j, i)] = matrix[(i, j)];
                }
            }
        }
    }
}

/// `a b`, for `a` of shape `(m, k)` and `b` of shape `(k, n)`.
pub(crate) fn multiply(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Array2<f64> {
    let (m, n) = (a.nrows(), b.ncols());
    let mut product = Array2::zeros((m, n));
    if m == 0 || n == 0 {
        return product;
    }
    for_each_tile(&mut product, |start, rows| {
        let left = a.slice(s![start..m.min(start + TILE), ..]);
        multiply_tile(rows, n, left, b, 0.0);
    });
    product
}

/// The rows of a matrix in standard order, for all threads to share.
pub(crate) fn rows(matrix: &Array2<f64>) -> impl IndexedParallelIterator<Item = &[f64]> {
    let values = matrix.as_slice().expect(STANDARD_ORDER);
    values.par_chunks_exact(matrix.ncols().max(1))
}

/// The rows of a matrix in standard order, for all threads to share.
pub(crate) fn rows_mut(
    matrix: &mut Array2<f64>,
) -> impl IndexedParallelIterator<Item = &mut [f64]> {
    let n_columns = matrix.ncols().max(1);
    let values = matrix.as_slice_mut().expect(STANDARD_ORDER);
    values.par_chunks_exact_mut(n_columns)
}

/// `out = keep * out + a b`, where row `i` of the result starts at `out[i * row_stride]`.
fn multiply_tile(
    out: &mut [f64],
    row_stride: usize,
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
    keep: f64,
) {
    let ((m, k), n) = (a.dim(), b.ncols());
    assert_eq!(k, b.nrows(), "inner dimensions of a product are equal");
    assert!(
        n <= row_stride && out.len() >= (m - 1) * row_stride + n,
        "the tile lies within its rows"
    );
    // SAFETY: the strides are those of the views, and the assertions above keep every write within `out`.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            row_stride as isize,
            keep != 0.0,
            a.as_ptr(),
            a.strides()[1],
            a.strides()[0],
            b.as_ptr(),
            b.strides()[1],
            b.strides()[0],
            keep,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of a few bits, so that every sum is exact and equality can be asked for.
    fn matrix(n_rows: usize, n_columns: usize, factor: usize) -> Array2<f64> {
        Array2::from_shape_fn((n_rows, n_columns), |(i, j)| {
            ((i * factor + 3 * j) % 17) as f64 - 8.0
        })
    }

    #[test]
    fn products_are_those_of_ndarray() {
        for (m, k, n) in [
            (1, 1, 1),
            (5, 3, 2),
            (128, 7, 9),
            (129, 130, 131),
            (300, 1, 40),
        ] {
            let (a, b) = (matrix(m, k, 5), matrix(k, n, 7));
            assert_eq!(multiply(a.view(), b.view()), a.dot(&b), "{m} {k} {n}");

            let mut gram = Array2::zeros((m, m));
            add_gram(&mut gram, a.view());
            add_gram(&mut gram, a.slice(s![.., ..1]));
            mirror(&mut gram);
            let first = a.slice(s![.., ..1]);
            assert_eq!(gram, a.dot(&a.t()) + first.dot(&first.t()), "{m} {k}");

            let mut transposed = Array2::zeros((k, k));
            add_gram(&mut transposed, a.t());
            mirror(&mut transposed);
            assert_eq!(transposed, a.t().dot(&a), "{m} {k}");
        }
    }
}
