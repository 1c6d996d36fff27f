//! Embeddings and distillation against model2vec itself, see golden/make.py.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use encoder::PromptEmbedder as _;
use ndarray::Array2;
use static_embeddings::{DistillParams, StaticEmbedder, StaticFiles, Vocabulary};

/// Sums of float32 in the same order; 1e-7 was measured.
const PARITY: f64 = 1e-6;
/// model2vec rounds what it gives to the file's float16.
const PARITY_HALF: f64 = 1e-3;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&fs::read(golden(name)).unwrap()).unwrap()
}

fn load(folder: &Path) -> StaticEmbedder {
    let files = StaticFiles::find(folder)
        .unwrap()
        .expect("a static embedder");
    StaticEmbedder::load(&files).unwrap()
}

#[test]
fn matches_model2vec_in_each_layout_and_number_format() {
    let texts: Vec<String> = read("texts.json");
    let expected: BTreeMap<String, Vec<Vec<f64>>> = read("expected.json");
    assert_eq!(expected.len(), 7);
    for (case, expected) in expected {
        let embedder = load(&golden(&case));
        let embedded = embedder.embed(&texts, &|_| ()).unwrap().values;
        assert_eq!(embedded.dim(), (texts.len(), 6), "{case}");
        let parity = if case == "half" { PARITY_HALF } else { PARITY };
        for ((text, found), expected) in texts.iter().zip(embedded.rows()).zip(expected) {
            for (found, expected) in found.iter().zip(expected) {
                let difference = (f64::from(*found) - expected).abs();
                assert!(difference < parity, "{case}, `{text}`: {difference}");
            }
        }
    }
}

#[test]
fn a_vector_does_not_depend_on_the_other_prompts() {
    let texts: Vec<String> = read("texts.json");
    let embedder = load(&golden("plain"));
    // More than one chunk, so that threads share the work.
    let many: Vec<String> = texts.iter().cycle().take(500).cloned().collect();
    let progress = std::sync::atomic::AtomicU64::new(0);
    let count = |n| _ = progress.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
    let together = embedder.embed(&many, &count).unwrap().values;
    assert_eq!(progress.into_inner(), 500);
    for (idx, text) in many.iter().enumerate() {
        let alone = embedder
            .embed(std::slice::from_ref(text), &|_| ())
            .unwrap()
            .values;
        assert_eq!(alone.row(0), together.row(idx), "{text}");
    }
    assert_eq!(embedder.embed(&[], &|_| ()).unwrap().values.dim(), (0, 6));
}

#[test]
fn nothing_known_gives_zeros_and_the_end_of_a_long_prompt_counts() {
    let embedder = load(&golden("plain"));
    let embed = |text: &str| embedder.embed(&[text.to_owned()], &|_| ()).unwrap().values;
    for text in ["", "\u{0}", "𝕏𝕏"] {
        assert_eq!(embed(text), Array2::<f32>::zeros((1, 6)), "{text:?}");
    }
    let long = "the ".repeat(3_000);
    assert_ne!(embed(&long), embed(&format!("{long} answer")));
}

#[test]
fn matches_model2vec_in_reducing_vectors() {
    let files = StaticFiles::find(&golden("plain"))
        .unwrap()
        .expect("a static embedder");
    let embedder = StaticEmbedder::load(&files).unwrap();
    let vocabulary = Vocabulary::of(embedder.tokenizer()).unwrap();
    let expected: Vec<Vec<f64>> = read("reduced.json");
    let n_used = vocabulary.sequences().len();
    assert_eq!(
        n_used,
        expected.len(),
        "all but special tokens and [unused0]"
    );
    let bytes = fs::read(golden("vectors.npy")).unwrap();
    let n_values = 12 * n_used;
    let values = bytes[bytes.len() - 4 * n_values..].as_chunks().0.iter();
    let values: Vec<f32> = values.map(|&it| f32::from_le_bytes(it)).collect();
    let vectors = Array2::from_shape_vec((n_used, 12), values).unwrap();

    let params = DistillParams {
        dim: 6,
        sif_coefficient: 1e-3,
    };
    let distilled = params
        .check()
        .unwrap()
        .distill(&vocabulary, vectors.view())
        .unwrap();
    let vectors = distilled.vectors();
    assert_eq!(vectors.nrows(), n_used + 6);
    for (row, expected) in vectors.rows().into_iter().skip(5).zip(&expected) {
        for (found, expected) in row.iter().zip(expected) {
            // By NumPy in float32 throughout.
            let difference = (f64::from(*found) - expected).abs();
            assert!(difference < 1e-4, "{difference}");
        }
    }
    for row in [0, 1, 2, 3, 4, n_used + 5] {
        assert_eq!(vectors.row(row).sum(), 0.0, "{row}");
    }
}
