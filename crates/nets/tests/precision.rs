//! Models in bfloat16 on the CPU, beside the same in float32.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use dataset::Precision;
use encoder::{
    DeviceChoice, ModelFiles, NetworkTask, Padding, PredictParams, PromptEmbedder, Runtime,
};
use ndarray::Array2;
use nets::{SentenceEmbedder, load_embedder, load_network};
use test_support::copy_tiny_bert;

/// What six layers of products with 8 bits may cost.
const MIN_COSINE: f32 = 0.9999;
/// The same of a network's probabilities, whose two layers are small.
const MAX_DIFFERENCE: f32 = 0.05;

const BF16: Runtime = Runtime {
    device: DeviceChoice::Cpu,
    precision: Precision::Bf16,
};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../encoder/tests/golden")
        .join(name)
}

/// Of many lengths, an empty one among them.
fn prompts() -> Vec<String> {
    (0..60).map(|i| "ab 1 ".repeat(i * 7 % 13)).collect()
}

fn embed(embedder: &dyn PromptEmbedder, prompts: &[String]) -> Array2<f32> {
    embedder.embed(prompts, &|_| ()).unwrap().values
}

/// Bit for bit, and whatever its place.
#[test]
fn a_vector_does_not_depend_on_what_is_embedded_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    copy_tiny_bert(folder.path());
    let files = ModelFiles::in_folder(folder.path()).unwrap();
    // libtorch's, and what a program takes, which with AMX is the crate `encoder`'s.
    let libtorch = SentenceEmbedder::load(&files, BF16).unwrap();
    let taken = load_embedder(&files, None, BF16).unwrap();
    let prompts = prompts();
    for embedder in [&libtorch as &dyn PromptEmbedder, &*taken] {
        let together = embed(embedder, &prompts);
        for (row, prompt) in prompts.iter().enumerate() {
            let alone = embed(embedder, std::slice::from_ref(prompt));
            assert_eq!(alone.row(0), together.row(row), "{row}");
        }
        let reversed: Vec<String> = prompts.iter().rev().cloned().collect();
        let mut reversed = embed(embedder, &reversed);
        reversed.invert_axis(ndarray::Axis(0));
        assert_eq!(reversed, together);
        // It is not float32 under another name.
        let f32 = load_embedder(&files, None, Runtime::f32_on(DeviceChoice::Cpu)).unwrap();
        assert_ne!(embed(&*f32, &prompts), together);
    }
}

#[test]
fn minilm_gives_nearly_the_same_vectors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/all-MiniLM-L6-v2");
    let files = ModelFiles::in_folder(&folder).unwrap_or_else(|error| {
        panic!("{error}; run `scripts/minilm.sh` first, which brings the model")
    });
    let bytes = std::fs::read(golden("prompts.json")).unwrap();
    let prompts: Vec<String> = serde_json::from_slice(&bytes).unwrap();
    let [f32, bf16] = [Runtime::f32_on(DeviceChoice::Cpu), BF16]
        .map(|runtime| embed(&*load_embedder(&files, None, runtime).unwrap(), &prompts));
    let libtorch = embed(&SentenceEmbedder::load(&files, BF16).unwrap(), &prompts);
    for bf16 in [bf16, libtorch] {
        let cosines = f32.outer_iter().zip(bf16.outer_iter());
        let worst = cosines.map(|(a, b)| a.dot(&b)).fold(1., f32::min);
        assert!(worst >= MIN_COSINE, "{worst}");
    }
}

#[test]
fn a_network_does_not_depend_on_what_is_predicted_beside_it() {
    let params = PredictParams {
        max_tokens: 512,
        padding: Padding::Masked,
    };
    let folder = golden("roberta/performance");
    let load = |runtime| load_network(&folder, NetworkTask::Performance, runtime).unwrap();
    let (network, f32) = (load(BF16), load(Runtime::f32_on(DeviceChoice::Cpu)));
    let prompts = prompts();
    let together = network.predict(&prompts, &params, &|_| ()).unwrap();
    for (row, prompt) in prompts.iter().enumerate() {
        let alone = network.predict(std::slice::from_ref(prompt), &params, &|_| ());
        assert_eq!(alone.unwrap().values.row(0), together.values.row(row));
    }
    let exact = f32.predict(&prompts, &params, &|_| ()).unwrap().values;
    let difference = (&exact - &together.values).mapv(f32::abs);
    let largest = difference.iter().copied().fold(0., f32::max);
    assert!(largest > 0. && largest < MAX_DIFFERENCE, "{largest}");
}

#[test]
fn graphics_processors_refuse_it() {
    let folder = tempfile::tempdir().unwrap();
    copy_tiny_bert(folder.path());
    let files = ModelFiles::in_folder(folder.path()).unwrap();
    let runtime = Runtime {
        device: DeviceChoice::Cuda(0),
        ..BF16
    };
    // For want of a GPU, or of the precision on it.
    assert!(load_embedder(&files, None, runtime).is_err());
}
