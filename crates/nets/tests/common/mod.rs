//! What the test programs share: the golden files.

use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayView2};

pub(crate) fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(file)
}

pub(crate) fn golden_prompts() -> Vec<String> {
    let bytes = std::fs::read(golden("prompts.json")).expect("the file is there");
    serde_json::from_slice(&bytes).expect("it is a list of texts")
}

pub(crate) fn golden_matrix(file: &str) -> Array2<f32> {
    let tensor = tch::Tensor::read_npy(golden(file)).expect("the file is a NumPy array");
    let (n_rows, dim) = tensor.size2().expect("it has two dimensions");
    let values = Vec::try_from(tensor.view(-1)).expect("it is float32");
    Array2::from_shape_vec((n_rows as usize, dim as usize), values).expect("the sizes are its own")
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
