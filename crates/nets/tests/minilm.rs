//! all-MiniLM-L6-v2, which `scripts/minilm.sh` brings, against vectors made elsewhere.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{fs::File, path::Path};

use arrow_array::{
    Array as _, LargeStringArray, ListArray, cast::AsArray as _, types::Float32Type,
};
use common::{golden_matrix, golden_prompts, max_difference};
use ndarray::Array2;
use nets::{DeviceChoice, ModelFiles, SentenceEmbedder};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// float32 after six layers, on values of at most .3; 2e-7 was measured.
const PARITY: f32 = 1e-5;
const MIN_COSINE: f32 = 0.99999;

fn minilm() -> SentenceEmbedder {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/all-MiniLM-L6-v2");
    let files = ModelFiles::in_folder(&folder).unwrap_or_else(|error| {
        panic!("{error}; run `scripts/minilm.sh` first, which brings the model")
    });
    SentenceEmbedder::load(&files, DeviceChoice::Cpu).unwrap()
}

fn check(found: &Array2<f32>, expected: &Array2<f32>) {
    let difference = max_difference(found.view(), expected.view());
    assert!(difference < PARITY, "{difference}");
    for (a, b) in found.rows().into_iter().zip(expected.rows()) {
        let cosine = a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt();
        assert!(cosine > MIN_COSINE, "{cosine}");
    }
}

#[test]
fn matches_numpy_on_texts_of_all_kinds() {
    let embedder = minilm();
    assert_eq!((embedder.dim(), embedder.max_tokens()), (384, 256));
    let embedded = embedder.embed(&golden_prompts(), &|_| ()).unwrap();
    assert_eq!(embedded.n_truncated, 1);
    check(&embedded.values, &golden_matrix("minilm-l6/embeddings.npy"));
}

/// The NumPy program behind the golden vectors was itself compared with Transformers, see `golden/make.py`; where Transformers' own
/// vectors of 24 benchmark prompts lie beside the repository, they are compared directly.
#[test]
fn matches_transformers_on_benchmark_prompts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/fixtures/minilm-l6/expected.parquet");
    let Ok(file) = File::open(&path) else {
        return;
    };
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    let (mut prompts, mut values) = (Vec::new(), Vec::new());
    for batch in reader.map(Result::unwrap) {
        let texts: &LargeStringArray = batch.column_by_name("prompt").unwrap().as_string();
        prompts.extend(texts.iter().map(|text| text.unwrap().to_owned()));
        let vectors: &ListArray = batch.column_by_name("embedding").unwrap().as_list();
        assert_eq!(vectors.null_count(), 0);
        values.extend_from_slice(vectors.values().as_primitive::<Float32Type>().values());
    }
    let expected = Array2::from_shape_vec((prompts.len(), 384), values).unwrap();
    assert_eq!(prompts.len(), 24);
    check(
        &minilm().embed(&prompts, &|_| ()).unwrap().values,
        &expected,
    );
}
