//! Files of weights in half precision too, written by hand.

use std::{fs, path::Path};

use serde_json::{Map, json};
use test_support::Weight;

/// Writes weights as `F32`, `F16` or `BF16`.
pub(crate) fn write(path: &Path, weights: &[Weight], dtype: &str) {
    let mut header = Map::new();
    let mut data = Vec::new();
    for weight in weights {
        let begin = data.len();
        for value in &weight.values {
            match dtype {
                "F32" => data.extend(value.to_le_bytes()),
                "F16" => data.extend(half::f16::from_f32(*value).to_le_bytes()),
                "BF16" => data.extend(half::bf16::from_f32(*value).to_le_bytes()),
                other => panic!("{other}"),
            }
        }
        let entry =
            json!({"dtype": dtype, "shape": weight.shape, "data_offsets": [begin, data.len()]});
        header.insert(weight.name.clone(), entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend(data);
    fs::write(path, bytes).unwrap();
}
