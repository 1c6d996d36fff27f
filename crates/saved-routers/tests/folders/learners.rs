//! Ridge regression, kernel ridge regression, and means of clusters: numbers without a fit, since a folder does not care where they come from.

use std::{fs, path::Path};

use dataset::{PredictedCost, Quantity, Standardizer};
use ndarray::{Array1, Array2, ArrayView2, array};
use routers::{
    Cluster, ClusterTarget, Kernel, KernelFit, Linear, LinearFit, RidgeWeights, UnitRows,
};
use safetensors::{SafeTensors, tensor::TensorView};
use saved_routers::{
    Contents, Error, Model, ModelOutputs, NewFolder, PerModelOutputs, SavedRouter,
};
use serde_json::{Value, json};

use crate::fixtures::{DIM, forget_files, numbers, place, record};

pub(crate) const TENSORS: &str = "router.safetensors";
const N_LANDMARKS: usize = 6;
const N_CLUSTERS: usize = 5;
const QUANTITIES: [Quantity; 2] = [Quantity::Score, Quantity::StandardizedUsd];

fn weights(n_features: usize, seed: usize) -> RidgeWeights {
    let intercepts: Array1<f64> = numbers((1, 2), seed + 1).row(0).mapv(f64::from);
    // Numbers that float32 cannot hold.
    let coefficients = numbers((n_features, 2), seed).mapv(|x| f64::from(x) / 3.0);
    RidgeWeights::new(coefficients, intercepts).unwrap()
}

fn target_name(idx: usize) -> String {
    format!("{:?}", QUANTITIES[idx])
}

pub(crate) fn linear() -> Linear {
    let fit = |idx: usize| LinearFit {
        target: target_name(idx),
        alpha: [0.5, 3.0][idx],
        cross_validation: Vec::new(),
    };
    Linear::from_parts(
        [0, 1].map(fit).to_vec(),
        [1, 3].map(|it| weights(DIM, it)).to_vec(),
    )
    .unwrap()
}

pub(crate) fn kernel() -> Kernel {
    let fit = |idx: usize| KernelFit {
        target: target_name(idx),
        gamma: [0.5, 2.0][idx],
        alpha: 0.1,
        cross_validation: Vec::new(),
    };
    let landmarks = UnitRows::new(numbers((N_LANDMARKS, DIM), 5)).unwrap();
    let weights = [1, 3].map(|it| weights(N_LANDMARKS, it));
    Kernel::from_parts(landmarks, [0, 1].map(fit).to_vec(), weights.to_vec()).unwrap()
}

pub(crate) fn cluster() -> Cluster {
    let target = |idx: usize| {
        let n_clusters = N_CLUSTERS + idx;
        let arrays = ClusterTarget {
            centroids: numbers((n_clusters, DIM), 7 + idx),
            values: numbers((n_clusters, 2), 9 + idx),
        };
        (target_name(idx), arrays)
    };
    Cluster::from_parts([0, 1].map(target).to_vec()).unwrap()
}

pub(crate) fn scale() -> Standardizer {
    Standardizer::fit(&array![[1e-4, 2e-3], [3e-4, 5e-3]])
}

/// Writes one of the three, by its kind.
pub(crate) fn write(place: &Path, kind: &str) -> Contents {
    let folder = NewFolder::create(place).unwrap();
    let contents = match kind {
        "linear" => folder.write_linear(&linear(), &QUANTITIES),
        "kernel" => folder.write_kernel(&kernel(), &QUANTITIES),
        "cluster" => folder.write_cluster(&cluster(), &QUANTITIES),
        other => panic!("{other}"),
    };
    let contents = contents.unwrap();
    folder.write_scale(&scale()).unwrap();
    folder.commit(&record(contents.clone())).unwrap();
    contents
}

pub(crate) const KINDS: [&str; 3] = ["linear", "kernel", "cluster"];

fn predict(model: &Model, queries: ArrayView2<'_, f32>) -> PerModelOutputs {
    match model.predict(queries, &|_| ()).unwrap() {
        ModelOutputs::PerModel(outputs) => outputs,
        other => panic!("{other:?}"),
    }
}

fn bits(values: &Array2<f32>) -> Array2<u32> {
    values.mapv(f32::to_bits)
}

#[test]
fn each_predicts_the_same_bits_after_a_round_trip() {
    let queries = numbers((40, DIM), 11);
    for kind in KINDS {
        let expected = match kind {
            "linear" => linear().predict(queries.view(), &|_| ()),
            "kernel" => kernel().predict(queries.view(), &|_| ()),
            _ => cluster().predict(queries.view(), &|_| ()),
        };
        let expected = expected.unwrap();
        let (_folder, place) = place();
        let contents = write(&place, kind);
        let bytes = fs::read(place.join(TENSORS)).unwrap();
        write(&place, kind);
        assert!(bytes == fs::read(place.join(TENSORS)).unwrap(), "{kind}");

        let router = SavedRouter::open(&place).unwrap();
        assert_eq!(router.record.contents, contents);
        let model = &router.model;
        assert!(model.is_on_embeddings() && model.routes(), "{kind}");
        assert!(model.without_routing(3).is_none());
        let found = predict(model, queries.view());
        assert_eq!(bits(&found.scores), bits(&expected[0]), "{kind}");
        let PredictedCost::Usd(costs) = found.cost else {
            panic!("{kind}: dollars")
        };
        let restored = scale().restore(&expected[1]);
        assert_eq!(costs.mapv(f64::to_bits), restored.mapv(f64::to_bits));
        let other = numbers((2, DIM + 1), 1);
        let error = model.predict(other.view(), &|_| ()).unwrap_err();
        assert!(matches!(error, Error::Dimension { expected: DIM, .. }));
    }
}

#[test]
fn the_record_and_the_card_say_what_was_chosen() {
    for (kind, contents, card) in [
        (
            "linear",
            json!({"kind": "linear", "targets": [
                {"quantity": "score", "alpha": 0.5},
                {"quantity": "standardized-usd", "alpha": 3.0},
            ]}),
            "Ridge regression that predicts every LLM's scores (alpha = 0.5) and costs in dollars (alpha = 3).",
        ),
        (
            "kernel",
            json!({"kind": "kernel", "targets": [
                {"quantity": "score", "gamma": 0.5, "alpha": 0.1},
                {"quantity": "standardized-usd", "gamma": 2.0, "alpha": 0.1},
            ]}),
            "scores (gamma = 0.5, alpha = 0.1) and costs in dollars (gamma = 2, alpha = 0.1).",
        ),
        (
            "cluster",
            json!({"kind": "cluster", "targets": [
                {"quantity": "score", "n-clusters": 5},
                {"quantity": "standardized-usd", "n-clusters": 6},
            ]}),
            "scores (5 clusters) and costs in dollars (6 clusters).",
        ),
    ] {
        let (_folder, place) = place();
        write(&place, kind);
        let record: Value =
            serde_json::from_slice(&fs::read(place.join("router.json")).unwrap()).unwrap();
        assert_eq!(record["contents"], contents);
        let text = fs::read_to_string(place.join("README.md")).unwrap();
        assert!(text.contains(card), "{text}");
    }
}

/// Opening fails with a message after the record was edited.
fn check_record(kind: &str, path: &str, value: Value, expected: &str) {
    let (_folder, place) = place();
    write(&place, kind);
    forget_files(&place);
    let file = place.join("router.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    *record.pointer_mut(path).unwrap() = value;
    fs::write(file, record.to_string()).unwrap();
    check_refused(&place, expected);
}

pub(crate) fn check_refused(place: &Path, expected: &str) {
    let error = SavedRouter::open(place).expect_err(expected);
    let source = std::error::Error::source(&error).map(ToString::to_string);
    let message = format!("{error}: {}", source.unwrap_or_default());
    assert!(message.contains(expected), "{message}, not {expected}");
}

#[test]
fn contradictory_records_are_refused() {
    for (kind, path, value, expected) in [
        ("linear", "/contents/targets", json!([]), "`targets`"),
        (
            "linear",
            "/contents/targets/1/quantity",
            json!("thousands-of-output-tokens"),
            "`targets`",
        ),
        (
            "linear",
            "/contents/targets/0/alpha",
            json!(-1.0),
            "`alpha`",
        ),
        (
            "linear",
            "/embedder/dim",
            json!(DIM - 1),
            "expected [15, 2]",
        ),
        ("linear", "/contents/kind", json!("cluster"), "as JSON"),
        ("kernel", "/contents/targets/0/gamma", json!(0.0), "`gamma`"),
        (
            "kernel",
            "/contents/targets/1/alpha",
            json!(-0.5),
            "`alpha`",
        ),
        (
            "kernel",
            "/embedder/dim",
            json!(DIM + 1),
            "expected [any, 17]",
        ),
        (
            "cluster",
            "/contents/targets/0/n-clusters",
            json!(0),
            "`n-clusters`",
        ),
        (
            "cluster",
            "/contents/targets/0/n-clusters",
            json!(4),
            "expected at most 4 rows",
        ),
    ] {
        check_record(kind, path, value, expected);
    }
    // A router of another kind than its numbers.
    let contents = json!({"kind": "linear", "targets": [{"quantity": "score", "alpha": 1.0}]});
    check_record("kernel", "/contents", contents, "has a tensor `kernel/");
}

/// Writes the tensors of a folder once more, one of them with other bytes.
pub(crate) fn change_tensor(place: &Path, name: &str, change: impl Fn(&mut Vec<u8>)) {
    let path = place.join(TENSORS);
    let whole = fs::read(&path).unwrap();
    let tensors = SafeTensors::deserialize(&whole).unwrap();
    let mut changed = tensors.tensor(name).unwrap().data().to_vec();
    change(&mut changed);
    let all: Vec<_> = tensors.tensors();
    let views = all.iter().map(|(it, tensor)| {
        let bytes = if it == name { &changed } else { tensor.data() };
        let view = TensorView::new(tensor.dtype(), tensor.shape().to_vec(), bytes);
        (it, view.unwrap())
    });
    let bytes = safetensors::serialize(views, &None).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn numbers_that_no_fit_leaves_are_refused() {
    let nan = f64::NAN.to_le_bytes();
    let infinite = f64::INFINITY.to_le_bytes();
    let [nan_f32, two] = [f32::NAN, 2.0].map(f32::to_le_bytes);
    let infinite_f32 = f32::INFINITY.to_le_bytes();
    for (kind, tensor, number, expected) in [
        (
            "linear",
            "linear/score/coefficients",
            &nan[..],
            "not finite",
        ),
        ("linear", "linear/cost/intercepts", &infinite, "infinite"),
        (
            "kernel",
            "kernel/cost/coefficients",
            &infinite,
            "not finite",
        ),
        (
            "kernel",
            "kernel/landmarks",
            &two,
            "embedding 0 (from 0) has length",
        ),
        ("kernel", "kernel/landmarks", &nan_f32, "not finite"),
        ("cluster", "cluster/score/centroids", &nan_f32, "not finite"),
        ("cluster", "cluster/cost/values", &infinite_f32, "infinite"),
    ] {
        let (_folder, place) = place();
        write(&place, kind);
        forget_files(&place);
        change_tensor(&place, tensor, |bytes| {
            bytes[..number.len()].copy_from_slice(number);
        });
        check_refused(&place, expected);
    }
}
