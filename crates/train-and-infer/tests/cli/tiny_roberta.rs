//! A RoBERTa of 2 layers and width 16 whose weights come from a formula, in the layout of `roberta-base`.

use std::{collections::HashMap, fs, path::Path};

use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

const DIM: usize = 16;
const WIDE: usize = 32;
const N_POSITIONS: usize = 80;
/// `<s>`, `<pad>`, `</s>`, `<unk>`, `<mask>`, and one token for each byte.
const N_TOKENS: usize = 5 + 256;

/// Writes a base model as older folders have it: vocab.json and merges.txt, and no classifier.
pub(crate) fn write(folder: &Path) {
    fs::create_dir_all(folder).expect("made");
    let config = json!({
        "architectures": ["RobertaForMaskedLM"], "model_type": "roberta", "vocab_size": N_TOKENS, "hidden_size": DIM,
        "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": WIDE, "hidden_act": "gelu",
        "max_position_embeddings": N_POSITIONS, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
    });
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("written");
    write("config.json", &config.to_string());
    write("README.md", "---\nlicense: mit\n---\n# A tiny RoBERTa\n");
    write("merges.txt", "#version: 0.2\n");
    let mut tokens: Vec<String> = ["<s>", "<pad>", "</s>", "<unk>"]
        .map(str::to_owned)
        .to_vec();
    tokens.extend(byte_letters().map(String::from));
    tokens.push("<mask>".to_owned());
    let vocabulary: HashMap<&String, usize> = tokens.iter().zip(0..).collect();
    write("vocab.json", &json!(vocabulary).to_string());

    let weights = weights();
    let views = weights.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("it fills the shape");
        (name.as_str(), view)
    });
    safetensors::serialize_to_file(views, &None, &folder.join("model.safetensors"))
        .expect("written");
}

/// The letters that stand for bytes in byte-level BPE: a printable byte is its own letter, the others follow from 256 on.
fn byte_letters() -> impl Iterator<Item = char> {
    let is_printable = |byte: u32| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let mut n_others = 0;
    (0..256).map(move |byte| {
        let code = if is_printable(byte) {
            byte
        } else {
            n_others += 1;
            255 + n_others
        };
        char::from_u32(code).expect("below the surrogates")
    })
}

type Weight = (String, Vec<usize>, Vec<u8>);

fn weights() -> Vec<Weight> {
    let mut weights: Vec<Weight> = Vec::new();
    let mut add = |name: String, shape: &[usize]| {
        let seed = 78.233 * weights.len() as f64;
        let shift = if name.ends_with("LayerNorm.weight") {
            1.0
        } else {
            0.0
        };
        // The usual hash of shaders: digits of a sine far behind the point, in (-1, 1).
        let values = (0..shape.iter().product()).map(|i: usize| {
            let hash = ((i as f64 * 12.9898 + seed).sin() * 43_758.545_3).fract();
            (hash * 0.3 + shift) as f32
        });
        let bytes = values.flat_map(f32::to_le_bytes).collect();
        weights.push((name, shape.to_vec(), bytes));
    };
    for (table, n_rows) in [
        ("word", N_TOKENS),
        ("position", N_POSITIONS),
        ("token_type", 1),
    ] {
        add(
            format!("roberta.embeddings.{table}_embeddings.weight"),
            &[n_rows, DIM],
        );
    }
    let mut with_bias = |name: &str, shape: &[usize]| {
        add(format!("{name}.weight"), shape);
        add(format!("{name}.bias"), &shape[..1]);
    };
    with_bias("roberta.embeddings.LayerNorm", &[DIM]);
    for layer in ["roberta.encoder.layer.0", "roberta.encoder.layer.1"] {
        for (part, shape) in [
            ("attention.self.query", &[DIM, DIM][..]),
            ("attention.self.key", &[DIM, DIM]),
            ("attention.self.value", &[DIM, DIM]),
            ("attention.output.dense", &[DIM, DIM]),
            ("attention.output.LayerNorm", &[DIM]),
            ("intermediate.dense", &[WIDE, DIM]),
            ("output.dense", &[DIM, WIDE]),
            ("output.LayerNorm", &[DIM]),
        ] {
            with_bias(&format!("{layer}.{part}"), shape);
        }
    }
    weights
}
