//! Products in bfloat16, beside the same in float32.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use dataset::Precision;
use encoder::{
    Classifier, ModelFiles, Padding, PredictParams, PromptEmbedder, RobertaClassifier,
    SentenceEmbedder,
};
use ndarray::{Array2, s};
use test_support::copy_tiny_bert;

use crate::common::{golden, max_difference};

/// What six layers of products with 8 bits may cost.
const MIN_COSINE: f32 = 0.9999;
/// The same of a network's outputs, whose two layers are small.
const MAX_DIFFERENCE: f32 = 0.05;

/// Of many lengths, an empty one among them; in several batches, and in blocks of 32 rows that texts do not fill.
fn prompts() -> Vec<String> {
    (0..300).map(|i| "ab 1 ".repeat(i * 7 % 67)).collect()
}

fn embed(embedder: &SentenceEmbedder, prompts: &[String]) -> Array2<f32> {
    embedder.embed(prompts, &|_| ()).unwrap().values
}

fn worst_cosine(a: &Array2<f32>, b: &Array2<f32>) -> f32 {
    let cosines = a.outer_iter().zip(b.outer_iter()).map(|(a, b)| a.dot(&b));
    cosines.fold(1., f32::min)
}

/// Bit for bit, and whatever its place.
#[test]
fn a_vector_does_not_depend_on_what_is_embedded_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    copy_tiny_bert(folder.path());
    let files = ModelFiles::in_folder(folder.path()).unwrap();
    let [f32, bf16] = [Precision::F32, Precision::Bf16]
        .map(|precision| SentenceEmbedder::load_in(precision, &files).unwrap());
    let prompts = prompts();
    let together = embed(&bf16, &prompts);
    for (row, prompt) in prompts.iter().enumerate() {
        let alone = embed(&bf16, std::slice::from_ref(prompt));
        assert_eq!(alone.row(0), together.row(row), "{row}");
    }
    let few = embed(&bf16, &prompts[100..107]);
    assert_eq!(few, together.slice(s![100..107, ..]));
    // Near float32, and not the same.
    let exact = embed(&f32, &prompts);
    assert_ne!(exact, together);
    let worst = worst_cosine(&exact, &together);
    assert!(worst >= MIN_COSINE, "{worst}");
}

#[test]
fn minilm_gives_nearly_the_same_vectors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/all-MiniLM-L6-v2");
    let files = ModelFiles::in_folder(&folder).unwrap_or_else(|error| {
        panic!("{error}; run `scripts/minilm.sh` first, which brings the model")
    });
    let prompts: Vec<String> =
        serde_json::from_slice(&std::fs::read(golden("prompts.json")).unwrap()).unwrap();
    let [f32, bf16] = [Precision::F32, Precision::Bf16].map(|precision| {
        let embedder = SentenceEmbedder::load_in(precision, &files).unwrap();
        embed(&embedder, &prompts)
    });
    let worst = worst_cosine(&f32, &bf16);
    assert!(worst >= MIN_COSINE, "{worst}");
}

/// Whose last layer computes the first token alone, and by another activation.
#[test]
fn a_network_does_not_depend_on_what_is_predicted_beside_it() {
    let params = PredictParams {
        max_tokens: 512,
        padding: Padding::Masked,
    };
    for name in ["performance", "cost"] {
        let folder = golden("roberta").join(name);
        let [f32, bf16] = [Precision::F32, Precision::Bf16]
            .map(|precision| RobertaClassifier::from_folder_in(precision, &folder).unwrap());
        let predict = |network: &RobertaClassifier, prompts: &[String]| {
            network.predict(prompts, &params, &|_| ()).unwrap().values
        };
        let prompts = prompts();
        let together = predict(&bf16, &prompts);
        for (row, prompt) in prompts.iter().enumerate() {
            let alone = predict(&bf16, std::slice::from_ref(prompt));
            assert_eq!(alone.row(0), together.row(row), "{name} {row}");
        }
        let largest = max_difference(predict(&f32, &prompts).view(), together.view());
        assert!(
            largest > 0. && largest < MAX_DIFFERENCE,
            "{name}: {largest}"
        );
    }
}
