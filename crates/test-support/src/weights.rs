use std::{fs, path::Path};

use safetensors::{
    SafeTensors,
    tensor::{Dtype, TensorView},
};

/// One tensor of float32.
#[derive(Debug, Clone)]
pub struct Weight {
    /// As in its model's files.
    pub name: String,
    /// Output dimensions first, as PyTorch has them.
    pub shape: Vec<usize>,
    /// Row by row.
    pub values: Vec<f32>,
}

/// The weights in a safetensors file, sorted by name.
///
/// # Panics
/// When it holds others than float32.
pub fn read_weights(path: &Path) -> Vec<Weight> {
    let bytes = fs::read(path).expect("read");
    let tensors = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    let mut weights: Vec<Weight> = Vec::new();
    for (name, tensor) in tensors.tensors() {
        assert_eq!(tensor.dtype(), Dtype::F32, "{name}");
        let (numbers, _) = tensor.data().as_chunks();
        weights.push(Weight {
            name,
            shape: tensor.shape().to_vec(),
            values: numbers
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect(),
        });
    }
    weights.sort_by(|a, b| a.name.cmp(&b.name));
    weights
}

/// Writes weights into a safetensors file.
///
/// # Panics
/// When it cannot be written.
pub fn write_weights(path: &Path, weights: &[Weight]) {
    let bytes: Vec<Vec<u8>> = weights
        .iter()
        .map(|weight| weight.values.iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let views = weights.iter().zip(&bytes).map(|(weight, bytes)| {
        let view = TensorView::new(Dtype::F32, weight.shape.clone(), bytes);
        (weight.name.as_str(), view.expect("it fills the shape"))
    });
    safetensors::serialize_to_file(views, &None, path).expect("written");
}
