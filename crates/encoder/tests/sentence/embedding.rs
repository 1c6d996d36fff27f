//! The whole embedder on a random BERT of 7,000 weights, which lies in `golden/tiny-bert`.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

use encoder::{Error, ModelFiles, PromptEmbedder};
use ndarray::{Array2, s};
use serde_json::{Value, json};

use crate::{
    common::{golden, max_difference},
    tiny::{Folder, embed},
    vectors::{golden_matrix, golden_prompts},
};

/// float32 against NumPy's float64 on values of at most 1; it is 3e-7 as a rule.
const PARITY: f32 = 1e-5;
/// Sums in another order, float32.
const SAME: f32 = 1e-6;

fn vectors(folder: &Folder, prompts: &[String]) -> Array2<f32> {
    embed(&folder.load().unwrap(), prompts).values
}

fn check(folder: &Folder, golden: &str) {
    let found = vectors(folder, &golden_prompts());
    let expected = golden_matrix(golden);
    assert!(
        max_difference(found.view(), expected.view()) < PARITY,
        "{found} {expected}"
    );
}

#[test]
fn matches_numpy_with_mean_pooling_and_gelu() {
    check(&Folder::new(), "tiny-bert/mean-gelu.npy");
}

#[test]
fn the_special_tokens_are_there_though_the_tokenizer_lost_them() {
    let folder = Folder::new();
    folder.set("tokenizer.json", "post_processor", Value::Null);
    check(&folder, "tiny-bert/mean-gelu.npy");
}

#[test]
fn matches_numpy_with_cls_pooling_and_gelu_by_tanh() {
    let folder = Folder::new();
    for (file, from) in [
        ("config.json", "config-gelu-new.json"),
        ("1_Pooling/config.json", "pooling-cls_token.json"),
    ] {
        folder.write(file, &fs::read(golden("tiny-bert").join(from)).unwrap());
    }
    check(&folder, "tiny-bert/cls-gelu-new.npy");
}

#[test]
fn a_batch_gives_what_single_prompts_give_in_any_order() {
    // Enough for several batches, and neighbors of different lengths.
    let prompts: Vec<String> = (0..500).map(|i| "ab 1 ".repeat(i * 7 % 13)).collect();
    let embedder = Folder::new().load().unwrap();
    let together = embed(&embedder, &prompts).values;
    for i in [0, 1, 2, 3, 250, 499] {
        // Bit for bit, and on all cores instead of one.
        let alone = embed(&embedder, &prompts[i..=i]).values;
        assert_eq!(alone, together.slice(s![i..=i, ..]), "{i}");
    }
    let backwards: Vec<String> = prompts.iter().rev().cloned().collect();
    let backwards = embed(&embedder, &backwards).values;
    assert_eq!(backwards.slice(s![..;-1, ..]), together);
    assert_eq!(embed(&embedder, &prompts).values, together);
}

#[test]
fn long_prompts_are_cut_off_and_counted() {
    let embedder = Folder::new().load().unwrap();
    // By sentence_bert_config.json, not by the 5 in tokenizer.json or the 24 positions. One word is one token, two are special.
    assert_eq!(embedder.max_tokens(), Some(16));
    let prompts = [13, 14, 15, 400].map(|n_words| "so ".repeat(n_words));
    let embedded = embed(&embedder, &prompts);
    assert_eq!(embedded.is_truncated, [false, false, true, true]);
    let values = embedded.values;
    assert!(max_difference(values.slice(s![1..2, ..]), values.slice(s![3.., ..])) < SAME);
    assert!(max_difference(values.slice(s![1..2, ..]), values.slice(s![0..1, ..])) > SAME);
}

#[test]
fn the_longest_prompt_is_bounded_by_what_the_files_say() {
    for (max_seq_length, model_max_length, expected) in [
        (json!(512), json!(7), 24),
        (Value::Null, json!(7), 7),
        (Value::Null, Value::Null, 24),
        (Value::Null, json!(1e30), 24),
        (json!(3), Value::Null, 3),
    ] {
        let folder = Folder::new();
        folder.set(
            "sentence_bert_config.json",
            "max_seq_length",
            max_seq_length,
        );
        folder.set(
            "tokenizer_config.json",
            "model_max_length",
            model_max_length,
        );
        assert_eq!(folder.load().unwrap().max_tokens(), Some(expected));
    }
}

#[test]
fn vectors_have_length_one_and_progress_counts_prompts() {
    let embedder = Folder::new().load().unwrap();
    let n_done = AtomicU64::new(0);
    let count = |n| {
        n_done.fetch_add(n, Ordering::Relaxed);
    };
    let values = embedder.embed(&golden_prompts(), &count).unwrap().values;
    assert_eq!(n_done.into_inner(), 8);
    assert_eq!(values.dim(), (8, embedder.dim()));
    for row in values.rows() {
        assert!((row.dot(&row) - 1.).abs() < SAME);
    }
}

#[test]
fn no_prompts_give_no_rows() {
    assert_eq!(vectors(&Folder::new(), &[]).dim(), (0, 16));
}

#[test]
fn sizes_that_contradict_each_other_are_told() {
    for (key, value, part) in [
        ("hidden_act", json!("silu"), "`hidden_act` in"),
        (
            "position_embedding_type",
            json!("relative_key"),
            "`position_embedding_type` in",
        ),
        ("num_attention_heads", json!(5), "must divide it, is 5"),
        ("num_attention_heads", json!(0), "must divide it, is 0"),
        (
            "num_hidden_layers",
            json!(3),
            "has no weight `encoder.layer.2.",
        ),
        (
            "max_position_embeddings",
            json!(25),
            "has shape [24, 16], expected [25, 16]",
        ),
        (
            "vocab_size",
            json!(87),
            "the number of tokens is 88, `vocab_size` in config.json is 87",
        ),
        ("pad_token_id", json!(400), "`pad_token_id` is 400"),
        ("hidden_size", json!("16"), "as JSON"),
    ] {
        let folder = Folder::new();
        folder.set("config.json", key, value);
        let error = folder.error();
        assert!(error.contains(part), "{error}, expected {part}");
    }
    let folder = Folder::new();
    let tokenizer = String::from_utf8(folder.read("tokenizer.json")).unwrap();
    folder.write(
        "tokenizer.json",
        tokenizer.replace("WordPiece", "Word").as_bytes(),
    );
    let error = folder.error();
    assert!(error.contains("cannot read a tokenizer from"), "{error}");
}

#[test]
fn broken_weights_are_refused() {
    let folder = Folder::new();
    folder.write("model.safetensors", b"no weights");
    let error = folder.load().map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::Weights { .. }), "{error}");
}

#[test]
fn the_hash_goes_by_contents_that_matter() {
    let hash = |folder: &Folder| {
        let files = ModelFiles::in_folder(folder.path()).unwrap();
        files.sha256().unwrap()
    };
    let folder = Folder::new();
    let expected = hash(&folder);
    assert_eq!(hash(&Folder::new()), expected);
    folder.write("README.md", b"# A model\n");
    folder.write("vocab.txt", b"not used beside tokenizer.json\n");
    assert_eq!(hash(&folder), expected);
    for (file, key, value) in [
        ("config.json", "layer_norm_eps", json!(1e-6)),
        ("sentence_bert_config.json", "max_seq_length", json!(8)),
        ("1_Pooling/config.json", "pooling_mode", json!("cls")),
        ("tokenizer_config.json", "model_max_length", json!(8)),
        (
            "config_sentence_transformers.json",
            "truncate_dim",
            json!(8),
        ),
    ] {
        let folder = Folder::new();
        folder.set(file, key, value);
        assert_ne!(hash(&folder), expected, "{file}");
    }
}
