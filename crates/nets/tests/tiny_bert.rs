//! The whole embedder on a random BERT of 7,000 weights, which lies in `golden/tiny-bert`.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use common::{golden, golden_matrix, golden_prompts, max_difference};
use ndarray::{Array2, s};
use nets::{DeviceChoice, Error, ModelFiles, Need, SentenceEmbedder};

/// float32 against NumPy's float64 on values of at most 1; it is 3e-7 as a rule.
const PARITY: f32 = 1e-5;
/// Sums in another order, float32.
const SAME: f32 = 1e-6;

fn tiny_files() -> ModelFiles {
    ModelFiles::in_folder(&golden("tiny-bert")).unwrap()
}

fn load(files: &ModelFiles) -> Result<SentenceEmbedder, Error> {
    SentenceEmbedder::load(files, DeviceChoice::Cpu)
}

fn embed(files: &ModelFiles, prompts: &[String]) -> Array2<f32> {
    load(files).unwrap().embed(prompts, &|_| ()).unwrap().values
}

fn check(files: &ModelFiles, golden: &str) {
    let found = embed(files, &golden_prompts());
    let expected = golden_matrix(golden);
    assert!(
        max_difference(found.view(), expected.view()) < PARITY,
        "{found} {expected}"
    );
}

#[test]
fn matches_numpy_with_mean_pooling_and_gelu() {
    check(&tiny_files(), "tiny-bert/mean-gelu.npy");
}

#[test]
fn matches_numpy_with_cls_pooling_and_gelu_by_tanh() {
    let files = ModelFiles {
        config: golden("tiny-bert/config-gelu-new.json"),
        pooling: Some(golden("tiny-bert/pooling-cls_token.json")),
        ..tiny_files()
    };
    check(&files, "tiny-bert/cls-gelu-new.npy");
}

#[test]
fn a_batch_gives_what_single_prompts_give_in_any_order() {
    // Enough for several batches, and neighbors of different lengths.
    let prompts: Vec<String> = (0..500).map(|i| "ab 1 ".repeat(i * 7 % 13)).collect();
    let together = embed(&tiny_files(), &prompts);
    let embedder = load(&tiny_files()).unwrap();
    for i in [0, 1, 2, 3, 250, 499] {
        let alone = embedder.embed(&prompts[i..=i], &|_| ()).unwrap().values;
        assert!(
            max_difference(alone.view(), together.slice(s![i..=i, ..])) < SAME,
            "{i}"
        );
    }
    let backwards: Vec<String> = prompts.iter().rev().cloned().collect();
    let backwards = embedder.embed(&backwards, &|_| ()).unwrap().values;
    assert!(max_difference(backwards.slice(s![..;-1, ..]), together.view()) < SAME);
    assert_eq!(embedder.embed(&prompts, &|_| ()).unwrap().values, together);
}

#[test]
fn long_prompts_are_cut_off_and_counted() {
    let embedder = load(&tiny_files()).unwrap();
    // By sentence_bert_config.json, not by the 5 in tokenizer.json or the 24 positions. One word is one token, two are special.
    assert_eq!(embedder.max_tokens(), 16);
    let prompts = [13, 14, 15, 400].map(|n_words| "so ".repeat(n_words));
    let embedded = embedder.embed(&prompts, &|_| ()).unwrap();
    assert_eq!(embedded.n_truncated, 2);
    let values = embedded.values;
    assert!(max_difference(values.slice(s![1..2, ..]), values.slice(s![3.., ..])) < SAME);
    assert!(max_difference(values.slice(s![1..2, ..]), values.slice(s![0..1, ..])) > SAME);
}

#[test]
fn the_longest_prompt_is_bounded_by_what_the_files_say() {
    let without = ModelFiles {
        sentence_bert: None,
        ..tiny_files()
    };
    assert_eq!(load(&without).unwrap().max_tokens(), 5);

    let folder = tempfile::tempdir().unwrap();
    let above = folder.path().join("sentence_bert_config.json");
    fs::write(&above, r#"{"max_seq_length": 512}"#).unwrap();
    let above = ModelFiles {
        sentence_bert: Some(above),
        ..tiny_files()
    };
    assert_eq!(load(&above).unwrap().max_tokens(), 24);
}

#[test]
fn vectors_have_length_one_and_progress_counts_prompts() {
    let embedder = load(&tiny_files()).unwrap();
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
    assert_eq!(embed(&tiny_files(), &[]).dim(), (0, 16));
}

#[test]
fn without_a_pooling_file_the_mean_is_taken() {
    let files = ModelFiles {
        pooling: None,
        ..tiny_files()
    };
    let prompts = golden_prompts();
    assert_eq!(embed(&files, &prompts), embed(&tiny_files(), &prompts));
}

/// Loads the tiny model with one file replaced by a changed copy, and gives the error.
fn error_with(file: &str, from: &str, to: &str) -> Error {
    let folder = tempfile::tempdir().unwrap();
    copy_tiny(folder.path());
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&path, text.replace(from, to)).unwrap();
    load(&ModelFiles::in_folder(folder.path()).unwrap()).unwrap_err()
}

fn copy_tiny(folder: &Path) {
    fs::create_dir_all(folder.join("1_Pooling")).unwrap();
    for (file, _) in ModelFiles::FILES {
        let path = golden("tiny-bert").join(file);
        if path.exists() {
            fs::copy(path, folder.join(file)).unwrap();
        }
    }
    fs::write(
        folder.join("modules.json"),
        r#"[{"type": "sentence_transformers.models.Transformer"}, {"type": "sentence_transformers.models.Normalize"}]"#,
    )
    .unwrap();
}

#[test]
fn models_of_another_kind_are_refused() {
    for (file, from, to, expected) in [
        (
            "config.json",
            r#""bert""#,
            r#""roberta""#,
            "`model_type` in",
        ),
        ("config.json", r#""gelu""#, r#""silu""#, "`hidden_act` in"),
        (
            "config.json",
            r#""vocab_size""#,
            r#""position_embedding_type": "relative_key", "vocab_size""#,
            "`position_embedding_type` in",
        ),
        (
            "config.json",
            r#""num_attention_heads": 4"#,
            r#""num_attention_heads": 5"#,
            "must divide it, is 5",
        ),
        (
            "config.json",
            r#""num_attention_heads": 4"#,
            r#""num_attention_heads": 0"#,
            "must divide it, is 0",
        ),
        (
            "config.json",
            r#""num_hidden_layers": 2"#,
            r#""num_hidden_layers": 3"#,
            "has no weight `encoder.layer.2.",
        ),
        (
            "config.json",
            r#""max_position_embeddings": 24"#,
            r#""max_position_embeddings": 25"#,
            "has shape [24, 16], expected [25, 16]",
        ),
        (
            "config.json",
            r#""vocab_size": 88"#,
            r#""vocab_size": 87"#,
            "the number of tokens is 88, `vocab_size` in config.json is 87",
        ),
        ("config.json", r#""hidden_size""#, r#""n_embd""#, "as JSON"),
        (
            "tokenizer.json",
            "WordPiece",
            "Word",
            "cannot read a tokenizer from",
        ),
        (
            "modules.json",
            "Normalize",
            "Dense",
            "is `sentence_transformers.models.Dense`, supported:",
        ),
        (
            "1_Pooling/config.json",
            r#""pooling_mode_max_tokens": false"#,
            r#""pooling_mode_max_tokens": true"#,
            "is `max_tokens, mean_tokens`",
        ),
    ] {
        let error = error_with(file, from, to).to_string();
        assert!(error.contains(expected), "{error}, expected {expected}");
    }
}

#[test]
fn broken_weights_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("model.safetensors");
    fs::write(&weights, "no weights").unwrap();
    let files = ModelFiles {
        weights,
        ..tiny_files()
    };
    assert!(matches!(load(&files).unwrap_err(), Error::Weights { .. }));
}

#[test]
fn a_folder_without_a_required_file_is_refused() {
    for (file, need) in ModelFiles::FILES {
        let folder = tempfile::tempdir().unwrap();
        copy_tiny(folder.path());
        fs::remove_file(folder.path().join(file)).unwrap();
        let found = ModelFiles::in_folder(folder.path());
        match need {
            Need::Optional => assert!(load(&found.unwrap()).is_ok(), "{file}"),
            Need::Required => assert!(
                found
                    .unwrap_err()
                    .to_string()
                    .ends_with(&format!("has no `{file}`"))
            ),
        }
    }
}

#[test]
fn the_hash_goes_by_contents() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    for folder in &folders {
        copy_tiny(folder.path());
    }
    fs::write(
        folders[2].path().join("sentence_bert_config.json"),
        r#"{"max_seq_length": 8}"#,
    )
    .unwrap();
    let [a, b, c] = folders.map(|folder| {
        ModelFiles::in_folder(folder.path())
            .unwrap()
            .sha256()
            .unwrap()
    });
    assert_eq!(a, b);
    assert_ne!(a, c);
}
