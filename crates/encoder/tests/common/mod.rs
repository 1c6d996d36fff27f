//! What the test programs share: the golden files.

use std::path::{Path, PathBuf};

use ndarray::ArrayView2;

pub(crate) fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(file)
}

/// The largest absolute difference of two matrices of one shape.
pub(crate) fn max_difference(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> f32 {
    assert_eq!(a.dim(), b.dim());
    // f32::max would skip a NaN, and every difference from one is a failure.
    (&a - &b).iter().fold(0., |max, x| {
        if x.abs() > max || x.is_nan() {
            x.abs()
        } else {
            max
        }
    })
}
