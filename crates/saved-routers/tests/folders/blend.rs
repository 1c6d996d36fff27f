//! Blends, those that do not route among them.

use std::{fs, path::Path};

use dataset::{MeanCost, PredictedCost, Quantity};
use ndarray::{Array2, array};
use routers::{
    Backend, Blend, BlendCandidate, BlendParts, BlendReport, BlendTarget, Kernel, Knn,
    LearnerReport, ScaleGain, Setting, Target, UnitRows,
};
use saved_routers::{Contents, EmbeddingFormat, Error, Model, NewFolder, SavedBlend, SavedRouter};
use serde_json::{Value, json};

use crate::{
    fixtures::{DIM, N_ROWS, forget_files, numbers, place, record},
    learners::{TENSORS, change_tensor, check_refused, cluster, kernel, linear, scale},
};

const QUANTITIES: [Quantity; 2] = [Quantity::Score, Quantity::StandardizedUsd];
/// A third is no number of float32.
const MEAN_SCORES: [f64; 2] = [1.0 / 3.0, 0.75];

/// A blend of these learners with these weights for scores; costs have other ones.
fn report(weights: &[(Setting, f64)], scale: f64) -> BlendReport {
    let target = |name: &str, factor: f64| BlendTarget {
        target: name.to_owned(),
        learners: weights
            .iter()
            .map(|&(setting, weight)| LearnerReport {
                setting,
                deviation_weight: factor * weight,
                level_weight: 0.5 * weight,
                cross_validation: Vec::new(),
            })
            .collect(),
    };
    let gain = |scale| ScaleGain {
        scale,
        gain: Some(0.25 * scale),
        standard_error: Some(0.125),
    };
    BlendReport {
        routes: scale > 0.0,
        scale,
        taken: BlendCandidate::LeastError,
        tried: Vec::new(),
        few_scores: None,
        gains: [0.0, 0.5, 1.25].map(gain).to_vec(),
        targets: vec![target("score", 1.0), target("cost", 0.5)],
    }
}

fn knn() -> Knn {
    let rows = UnitRows::new(numbers((N_ROWS, DIM), 21)).unwrap();
    let target = |(name, seed): (&str, usize)| Target {
        name: name.to_owned(),
        values: numbers((N_ROWS, 2), seed),
    };
    let targets = [("score", 22), ("cost", 23)].map(target);
    Knn::from_parts(rows, &targets, &[8, 8], Backend::Gemm).unwrap()
}

fn of_knn(n_neighbors: usize) -> Setting {
    Setting::Knn { n_neighbors }
}

const OF_LINEAR: Setting = Setting::Linear { alpha: 0.5 };
const OF_KERNEL: Setting = Setting::Kernel {
    gamma: 0.5,
    alpha: 0.1,
};
const OF_CLUSTER: Setting = Setting::Cluster { n_clusters: 8 };

fn parts(report: BlendReport) -> BlendParts {
    BlendParts {
        dim: DIM,
        means: vec![MEAN_SCORES.to_vec(), vec![0.0, 0.125]],
        mean_costs_usd: vec![0.001, f64::NAN],
        report,
        knn: None,
        linear: None,
        kernel: None,
        cluster: None,
    }
}

/// With all four learners, whose gammas and numbers of clusters are those of the fixtures' first target.
fn of_all() -> Blend {
    let weights = [
        (of_knn(8), 0.25),
        (OF_LINEAR, 0.5),
        (OF_KERNEL, 0.125),
        (OF_CLUSTER, 0.0625),
    ];
    let kernel = kernel();
    // Both targets at one gamma, as the weights above have it.
    let mut fits = kernel.fits().to_vec();
    fits[1].gamma = 0.5;
    let (landmarks, weights_of_kernel) = (kernel.landmarks().clone(), kernel.weights().to_vec());
    let kernel = Kernel::from_parts(landmarks, fits, weights_of_kernel).unwrap();
    Blend::from_parts(BlendParts {
        knn: Some(knn()),
        linear: Some(linear()),
        kernel: Some(kernel),
        cluster: Some(cluster()),
        ..parts(report(&weights, 1.25))
    })
    .unwrap()
}

/// With ridge regression alone; the other learners were fitted and have no weight.
fn of_one() -> Blend {
    let weights = [(of_knn(8), 0.0), (OF_LINEAR, 0.5), (OF_KERNEL, 0.0)];
    Blend::from_parts(BlendParts {
        linear: Some(linear()),
        ..parts(report(&weights, 0.5))
    })
    .unwrap()
}

fn of_means() -> Blend {
    let weights = [(of_knn(8), 0.25), (OF_LINEAR, 0.5)];
    Blend::from_parts(parts(report(&weights, 0.0))).unwrap()
}

fn of_tokens() -> MeanCost {
    MeanCost::Tokens {
        input: array![100.0, 90.5],
        output: array![10.0, 250.25],
    }
}

fn of_dollars() -> MeanCost {
    // Of the second LLM no cost was known.
    MeanCost::Usd(array![0.001, f64::NAN])
}

fn write_with(place: &Path, blend: &Blend, mean_cost: &MeanCost) -> Contents {
    let folder = NewFolder::create(place).unwrap();
    let parts = saved_routers::BlendParts {
        blend,
        quantities: &QUANTITIES,
        mean_cost,
        format: EmbeddingFormat::F32,
    };
    let contents = folder.write_blend(&parts).unwrap();
    folder.write_scale(&scale()).unwrap();
    folder.commit(&record(contents.clone())).unwrap();
    contents
}

pub(crate) const KINDS: [&str; 3] = ["all", "one", "means"];

pub(crate) fn write(place: &Path, kind: &str) -> Contents {
    match kind {
        "all" => write_with(place, &of_all(), &of_dollars()),
        "one" => write_with(place, &of_one(), &of_dollars()),
        _ => write_with(place, &of_means(), &of_tokens()),
    }
}

fn open(place: &Path) -> SavedBlend {
    match SavedRouter::open(place).unwrap().model {
        Model::Blend(blend) => *blend,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_blend_predicts_the_same_bits_after_a_round_trip() {
    let queries = numbers((40, DIM), 11);
    for (kind, blend) in [("all", of_all()), ("one", of_one())] {
        let (_folder, place) = place();
        let contents = write(&place, kind);
        let bytes = fs::read(place.join(TENSORS)).unwrap();
        write(&place, kind);
        assert!(bytes == fs::read(place.join(TENSORS)).unwrap(), "{kind}");
        let router = SavedRouter::open(&place).unwrap();
        assert_eq!(router.record.contents, contents);
        assert!(contents.routes() && !contents.needs_prices());
        assert!(router.model.routes() && router.model.is_on_embeddings());
        assert!(router.model.without_routing(1).is_none());

        let found = open(&place).predict(queries.view(), &|_| ()).unwrap();
        let expected = blend.predict(queries.view(), &|_| ()).unwrap();
        let bits = |values: &Array2<f32>| values.mapv(f32::to_bits);
        assert_eq!(bits(&found.scores), bits(&expected[0]), "{kind}");
        let PredictedCost::Usd(costs) = found.cost else {
            panic!("{kind}: dollars")
        };
        let restored = scale().restore(&expected[1]);
        assert_eq!(costs.mapv(f64::to_bits), restored.mapv(f64::to_bits));
        let error = open(&place).predict(numbers((2, DIM + 1), 1).view(), &|_| ());
        assert!(matches!(error, Err(Error::Dimension { expected: DIM, .. })));
    }
}

#[test]
fn only_learners_with_weight_are_stored_and_opened() {
    for (kind, learners, n_tensors) in [
        ("all", [true; 4], 2 + 2 + 4 + 5 + 4),
        ("one", [false, true, false, false], 2 + 4),
        // Means and mean costs, in dollars and in tokens.
        ("means", [false; 4], 4),
    ] {
        let (_folder, place) = place();
        write(&place, kind);
        let blend = open(&place);
        let parts = blend.blend().parts();
        let found = [
            parts.knn.is_some(),
            parts.linear.is_some(),
            parts.kernel.is_some(),
            parts.cluster.is_some(),
        ];
        assert_eq!(found, learners, "{kind}");
        let bytes = fs::read(place.join(TENSORS)).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.len(), n_tensors, "{kind}: {:?}", tensors.names());
        // The weights stay known all the same, for a change of its LLMs.
        assert!(parts.report.has_weight(OF_LINEAR), "{kind}");
    }
}

#[test]
fn every_prompt_gets_the_means_from_a_blend_that_does_not_route() {
    for (cost, needs_prices) in [(of_tokens(), true), (of_dollars(), false)] {
        let (_folder, place) = place();
        let contents = write_with(&place, &of_means(), &cost);
        assert_eq!(contents.needs_prices(), needs_prices);
        assert!(!contents.routes());
        let router = SavedRouter::open(&place).unwrap();
        assert!(!router.model.routes() && router.model.is_on_embeddings());

        let expected = Array2::from_shape_fn((3, 2), |(_, m)| MEAN_SCORES[m] as f32);
        let without = router.model.without_routing(3).unwrap();
        assert_eq!(without.scores, expected);
        let found = open(&place).predict(numbers((3, DIM), 1).view(), &|_| ());
        let found = found.unwrap();
        assert_eq!(found.scores, expected);
        let PredictedCost::Mean(found) = found.cost else {
            panic!("mean costs")
        };
        // Not by equality, since an unknown number equals none.
        assert_eq!(format!("{found:?}"), format!("{cost:?}"));
        let card = fs::read_to_string(place.join("README.md")).unwrap();
        assert!(card.contains("A blend that does not route"), "{card}");
    }
}

#[test]
fn the_card_names_learners_and_weights() {
    let (_folder, place) = place();
    write(&place, "all");
    let card = fs::read_to_string(place.join("README.md")).unwrap();
    let expected = "A blend of nearest neighbors (0.25), ridge regression (0.50), kernel ridge regression (0.12) and means of clusters (0.06) that \
                    predicts every LLM's scores and costs in dollars. Predicted differences between LLMs are multiplied by 1.25.";
    assert!(card.contains(expected), "{card}");
    let router = SavedRouter::open(&place).unwrap();
    let described = router.model.describe();
    assert!(described.starts_with("a blend of nearest neighbors (0.25)"));
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

#[test]
fn contradictory_records_are_refused() {
    let report = "/contents/report";
    for (kind, path, value, expected) in [
        ("all", "/scale", json!(0.75), "`scale`"),
        ("all", "/scale", json!(-1.25), "`scale`"),
        ("all", "/routes", json!(false), "has a tensor"),
        ("means", "/scale", json!(0.5), "`scale`"),
        ("means", "/routes", json!(true), "has no tensor"),
        ("all", "/targets", json!([]), "`report`"),
        ("all", "/targets/1/learners", json!([]), "`report`"),
        (
            "all",
            "/targets/0/learners/0/deviation-weight",
            json!(-0.25),
            "not a number of at least 0",
        ),
        (
            "all",
            "/targets/0/learners/0/setting",
            json!({"knn": {"n-neighbors": N_ROWS + 1}}),
            "at most the 120 rows",
        ),
        (
            "all",
            "/targets/0/learners/0/setting",
            json!({"knn": {"n-neighbors": 0}}),
            "`n-neighbors`",
        ),
        (
            "all",
            "/targets/0/learners/2/setting",
            json!({"kernel": {"gamma": 0.0, "alpha": 1.0}}),
            "`gamma`",
        ),
        (
            "all",
            "/targets/0/learners/3/setting",
            json!({"cluster": {"n-clusters": 4}}),
            "expected at most 4",
        ),
        // Weight for a learner that was left out.
        (
            "one",
            "/targets/0/learners/0/level-weight",
            json!(0.5),
            "has no tensor `knn/vectors`",
        ),
    ] {
        check_record(kind, &format!("{report}{path}"), value, expected);
    }
    check_record(
        "all",
        "/contents/mean-cost",
        json!("tokens"),
        "has no tensor",
    );
    check_record(
        "means",
        "/contents/mean-cost",
        json!("usd"),
        "has a tensor `blend/mean-",
    );
    check_record("all", "/contents/vectors", json!("f16"), "expected F16");
    check_record("all", "/contents/targets/1", json!("score"), "`targets`");
    check_record("one", "/embedder/dim", json!(DIM + 1), "expected [17, 2]");
}

#[test]
fn numbers_that_no_fit_leaves_are_refused() {
    for (kind, tensor, number, expected) in [
        ("all", "blend/means", f64::INFINITY, "not all finite"),
        ("all", "blend/mean-cost-usd", -1.0, "holds the number -1"),
        ("all", "linear/score/coefficients", f64::NAN, "not finite"),
        (
            "means",
            "blend/mean-input-tokens",
            -1.0,
            "holds the number -1",
        ),
        (
            "means",
            "blend/mean-output-tokens",
            f64::INFINITY,
            "holds the number inf",
        ),
    ] {
        let (_folder, place) = place();
        write(&place, kind);
        forget_files(&place);
        change_tensor(&place, tensor, |bytes| {
            bytes[..8].copy_from_slice(&number.to_le_bytes());
        });
        check_refused(&place, expected);
    }
    let (_folder, place) = place();
    write(&place, "all");
    forget_files(&place);
    change_tensor(&place, "knn/vectors", |bytes| {
        bytes[..4].copy_from_slice(&2.0_f32.to_le_bytes());
    });
    check_refused(&place, "embedding 0 (from 0) has length");
}
