//! Matrix products, on one thread.

use gemm::Parallelism;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, LinalgScalar};

/// `lhs . rhs`.
pub(crate) fn product<T: LinalgScalar>(
    lhs: ArrayView2<'_, T>,
    rhs: ArrayView2<'_, T>,
) -> Array2<T> {
    let mut result = Array2::zeros((lhs.nrows(), rhs.ncols()));
    add_product(result.view_mut(), T::one(), lhs, rhs);
    result
}

/// `result += factor * lhs . rhs`.
///
/// # Panics
/// When the shapes do not fit.
pub(crate) fn add_product<T: LinalgScalar>(
    mut result: ArrayViewMut2<'_, T>,
    factor: T,
    lhs: ArrayView2<'_, T>,
    rhs: ArrayView2<'_, T>,
) {
    let (m, n, k) = (lhs.nrows(), rhs.ncols(), lhs.ncols());
    assert_eq!(rhs.nrows(), k, "as many rows as the other has columns");
    assert_eq!(result.dim(), (m, n), "the shape of the product");
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    let strides = |strides: &[isize]| (strides[1], strides[0]);
    let (result_cs, result_rs) = strides(result.strides());
    let (lhs_cs, lhs_rs) = strides(lhs.strides());
    let (rhs_cs, rhs_rs) = strides(rhs.strides());
    // SAFETY: pointers and strides are those of views of just these shapes, as asserted. `result` is borrowed mutably, so it overlaps neither.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            result.as_mut_ptr(),
            result_cs,
            result_rs,
            true,
            lhs.as_ptr(),
            lhs_cs,
            lhs_rs,
            rhs.as_ptr(),
            rhs_cs,
            rhs_rs,
            T::one(),
            factor,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{array, s};

    use super::*;

    #[test]
    fn parts_and_turned_matrices_are_multiplied_as_they_look() {
        let a = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        let b = array![[1.0, 0.0], [0.0, 1.0], [2.0, -1.0]];
        assert_eq!(product(a.view(), b.view()), a.dot(&b));
        assert_eq!(product(a.t(), b.t()), a.t().dot(&b.t()));
        let (part, row) = (a.slice(s![.., 1..]), b.slice(s![1..;-1, ..]));
        assert_eq!(product(part, row), part.dot(&row));
        let mut sum = array![[1.0, 1.0], [1.0, 1.0]];
        add_product(sum.view_mut(), -2.0, a.view(), b.view());
        assert_eq!(sum, 1.0 - 2.0 * a.dot(&b));
    }

    #[test]
    fn an_empty_product_is_zero() {
        let (lhs, rhs) = (Array2::<f64>::zeros((2, 0)), Array2::zeros((0, 3)));
        assert_eq!(
            product(lhs.view(), rhs.view()),
            Array2::<f64>::zeros((2, 3))
        );
    }
}
