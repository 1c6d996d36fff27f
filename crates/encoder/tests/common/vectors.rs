//! Golden prompts and their vectors.

use ndarray::Array2;

use crate::common::golden;

pub(crate) fn golden_prompts() -> Vec<String> {
    let bytes = std::fs::read(golden("prompts.json")).expect("the file is there");
    serde_json::from_slice(&bytes).expect("it is a list of texts")
}

/// A NumPy array of float32 with two dimensions.
pub(crate) fn golden_matrix(file: &str) -> Array2<f32> {
    let bytes = std::fs::read(golden(file)).expect("the file is there");
    // Magic, version 1, the length of a Python dictionary, that, and the numbers.
    let n_header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..n_header]);
    assert!(
        header.contains("'<f4'") && header.contains("'fortran_order': False"),
        "{header}"
    );
    let shape = header.split(['(', ')']).nth(1).expect("a shape");
    let sizes: Vec<usize> = shape
        .split(',')
        .filter_map(|size| size.trim().parse().ok())
        .collect();
    let (numbers, _) = bytes[n_header..].as_chunks();
    let values = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes));
    Array2::from_shape_vec((sizes[0], sizes[1]), values.collect()).expect("the sizes are its own")
}
