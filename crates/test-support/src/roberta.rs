//! A RoBERTa of 2 layers and width 16 whose weights come from a formula, in the layout of `roberta-base`.

use std::{collections::HashMap, fs, path::Path};

use serde_json::json;

use crate::weights::{Weight, write_weights};

const DIM: usize = 16;
const WIDE: usize = 32;
/// `<s>`, `<pad>`, `</s>`, `<unk>`, `<mask>`, and one token for each byte.
const N_TOKENS: usize = 5 + 256;

/// Writes a base model as older folders have it: vocab.json and merges.txt, a head of a language model, no classifier.
///
/// Two rows of the table of positions are never a token's, so a prompt has at most `n_positions - 2` tokens.
///
/// # Panics
/// When the folder cannot be written.
pub fn write_tiny_roberta(folder: &Path, n_positions: usize) {
    fs::create_dir_all(folder).expect("created");
    let config = json!({
        "architectures": ["RobertaForMaskedLM"], "model_type": "roberta", "vocab_size": N_TOKENS, "hidden_size": DIM,
        "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": WIDE, "hidden_act": "gelu",
        "max_position_embeddings": n_positions, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
    });
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("written");
    write("config.json", &config.to_string());
    write("README.md", "---\nlicense: mit\n---\n# A tiny RoBERTa\n");
    write("merges.txt", "#version: 0.2\n");
    let mut tokens: Vec<String> = ["<s>", "<pad>", "</s>", "<unk>"]
        .map(str::to_owned)
        .to_vec();
    tokens.extend(byte_letters().into_iter().map(String::from));
    tokens.push("<mask>".to_owned());
    let vocabulary: HashMap<&String, usize> = tokens.iter().zip(0..).collect();
    write("vocab.json", &json!(vocabulary).to_string());

    let weights = tiny_roberta_weights(n_positions);
    write_weights(&folder.join("model.safetensors"), &weights);
}

/// Writes the same encoder under a head, whose labels are named; `problem_type` is that of transformers.
///
/// # Panics
/// When the folder cannot be written.
pub fn write_tiny_classifier(
    folder: &Path,
    n_positions: usize,
    labels: &[&str],
    problem_type: &str,
) {
    write_tiny_roberta(folder, n_positions);
    let path = folder.join("config.json");
    let config = fs::read(&path).expect("written above");
    let mut config: serde_json::Value = serde_json::from_slice(&config).expect("JSON");
    let ids = labels.iter().enumerate();
    let id_to_label: HashMap<String, &str> =
        ids.map(|(id, label)| (id.to_string(), *label)).collect();
    config["architectures"] = json!(["RobertaForSequenceClassification"]);
    config["id2label"] = json!(id_to_label);
    config["problem_type"] = json!(problem_type);
    fs::write(path, config.to_string()).expect("written");

    let mut weights = tiny_roberta_weights(n_positions);
    weights.retain(|weight| !weight.name.starts_with("lm_head"));
    for (part, n_rows) in [("dense", DIM), ("out_proj", labels.len())] {
        // As a new head is drawn: small numbers, and biases of zero.
        let digit = |i: usize| ((i as f64 * 12.9898).sin() * 43_758.545_3).fract() as f32;
        weights.push(Weight {
            name: format!("classifier.{part}.weight"),
            shape: vec![n_rows, DIM],
            values: (0..n_rows * DIM).map(|i| 0.03 * digit(i)).collect(),
        });
        weights.push(Weight {
            name: format!("classifier.{part}.bias"),
            shape: vec![n_rows],
            values: vec![0.; n_rows],
        });
    }
    write_weights(&folder.join("model.safetensors"), &weights);
}

/// The letters that stand for bytes in byte-level BPE, in order: a printable byte is its own letter, the others follow from 256 on.
fn byte_letters() -> Vec<char> {
    let is_printable = |byte: &u32| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let (printable, others): (Vec<u32>, Vec<u32>) = (0..256).partition(is_printable);
    let codes = printable.into_iter().chain((256..).take(others.len()));
    codes
        .map(|code| char::from_u32(code).expect("below the surrogates"))
        .collect()
}

/// The weights that [`write_tiny_roberta`] writes.
pub fn tiny_roberta_weights(n_positions: usize) -> Vec<Weight> {
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
            hash as f32 * 0.3 + shift
        });
        weights.push(Weight {
            name,
            values: values.collect(),
            shape: shape.to_vec(),
        });
    };
    for (table, n_rows) in [
        ("word", N_TOKENS),
        ("position", n_positions),
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
            ("intermediate.dense", &[WIDE, DIM]),
            ("output.dense", &[DIM, WIDE]),
            ("attention.output.LayerNorm", &[DIM]),
            ("output.LayerNorm", &[DIM]),
        ] {
            with_bias(&format!("{layer}.{part}"), shape);
        }
    }
    add("lm_head.dense.weight".to_owned(), &[DIM, DIM]);
    add("lm_head.bias".to_owned(), &[N_TOKENS]);
    weights
}
