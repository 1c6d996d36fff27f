//! libtorch's forward pass beside that of the crate `encoder`: on a GPU a program computes by the one, on a CPU by the other.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use encoder::{
    Classifier, DeviceChoice, ModelFiles, Padding, PredictParams, PromptEmbedder,
    RobertaClassifier, Runtime,
};
use ndarray::Array2;
use nets::{RobertaModel, load_embedder};
use test_support::copy_tiny_bert;

/// Sums in another order, float32, on values of about 1.
const SAME: f32 = 5e-6;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../encoder/tests/golden")
        .join(name)
}

/// Enough for several batches, and neighbors of different lengths.
fn prompts() -> Vec<String> {
    (0..300).map(|i| "ab 1 ".repeat(i * 7 % 13)).collect()
}

fn assert_same(a: &Array2<f32>, b: &Array2<f32>) {
    assert_eq!(a.dim(), b.dim());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < SAME, "{a} {b}");
    }
}

#[test]
fn embedders_agree() {
    let folder = tempfile::tempdir().unwrap();
    copy_tiny_bert(folder.path());
    let files = ModelFiles::in_folder(folder.path()).unwrap();
    let runtime = Runtime::f32_on(DeviceChoice::Cpu);
    let libtorch = nets::SentenceEmbedder::load(&files, runtime).unwrap();
    let ours = load_embedder(&files, None, runtime).unwrap();
    assert_eq!(libtorch.dim(), ours.dim());
    assert_eq!(libtorch.max_tokens(), ours.max_tokens());
    let [libtorch, ours] = [&libtorch as &dyn PromptEmbedder, &*ours]
        .map(|embedder| embedder.embed(&prompts(), &|_| ()).unwrap());
    assert_eq!(libtorch.is_truncated, ours.is_truncated);
    assert_same(&libtorch.values, &ours.values);
}

#[test]
fn classifiers_agree() {
    for name in ["performance", "cost"] {
        let folder = golden("roberta").join(name);
        let libtorch = RobertaModel::from_folder(&folder, DeviceChoice::Cpu).unwrap();
        let ours = RobertaClassifier::from_folder(&folder).unwrap();
        for padding in [
            Padding::Masked,
            Padding::Attended {
                prompts_per_batch: 7,
            },
        ] {
            let params = PredictParams {
                max_tokens: 512,
                padding,
            };
            let libtorch = libtorch.predict(&prompts(), &params, &|_| ()).unwrap();
            let ours = ours.predict(&prompts(), &params, &|_| ()).unwrap();
            assert_eq!(libtorch.is_truncated, ours.is_truncated);
            assert_same(&libtorch.values, &ours.values);
        }
    }
}
