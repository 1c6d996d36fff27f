//! Fitted routers, and folders that they are written to.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dataset::{CostKind, CostRule, ModelInfo, Pair, Precision, Price, Quantity, Standardizer};
use ndarray::{Array1, Array2};
use routers::{
    Backend, ForestParams, Knn, KnnParams, MaxFeatures, PairScores, Rorf, Selection, Target,
};
use saved_routers::{
    Contents, Embedder, EmbeddingFormat, FORMAT_VERSION, KnnParts, KnnTarget, NewFolder, Record,
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const N_ROWS: usize = 120;
pub(crate) const DIM: usize = 16;
pub(crate) const MODELS: [&str; 2] = ["cheap", "owner/dear"];

/// Numbers in (-1, 1) without a pattern that matters: digits of a sine far behind the point.
pub(crate) fn numbers(shape: (usize, usize), seed: usize) -> Array2<f32> {
    Array2::from_shape_fn(shape, |(row, column)| {
        let x = (row * shape.1 + column) as f64 * 12.9898 + seed as f64 * 78.233;
        (x.sin() * 43_758.545_3).fract() as f32
    })
}

pub(crate) fn check_same_bits(found: &Array1<f64>, expected: &Array1<f64>) {
    assert_eq!(found.mapv(f64::to_bits), expected.mapv(f64::to_bits));
}

pub(crate) fn record(contents: Contents) -> Record {
    let model = |name: &str| ModelInfo {
        name: name.to_owned(),
        price: Some(Price {
            input_usd_per_mtok: 0.15,
            output_usd_per_mtok: 0.6,
            source: None,
        }),
        cost_rule: CostRule::InputAndOutputTokens,
    };
    Record {
        format_version: FORMAT_VERSION,
        router: "some-router".to_owned(),
        dataset: "tiny".to_owned(),
        train_sha256: "abc".to_owned(),
        models: MODELS.map(model).to_vec(),
        cost_kind: CostKind::Usd,
        pair: Some(Pair {
            small: MODELS[0].to_owned(),
            large: MODELS[1].to_owned(),
        }),
        embedder: Some(Embedder {
            name: "given".to_owned(),
            model: None,
            sha256: None,
            server: None,
            dim: DIM,
            truncate: None,
            precision: Precision::F32,
            license: Some("apache-2.0".to_owned()),
        }),
        token_lines: None,
        base: None,
        contents,
        config: json!({"seed": 42}),
        results: json!({"r2": 0.25}),
        made_by: "a test".to_owned(),
        files: Vec::new(),
    }
}

/// A fit on scores and z-scored costs, some of them unknown, whose two ks differ.
pub(crate) struct Fitted {
    pub(crate) knn: Knn,
    pub(crate) targets: Vec<Target>,
    pub(crate) standardizer: Standardizer,
}

pub(crate) fn fitted(quantities: usize) -> Fitted {
    let embeddings = numbers((N_ROWS, DIM), 1);
    let mut scores = numbers((N_ROWS, 2), 2).mapv(f32::abs);
    scores[[3, 0]] = f32::NAN;
    // Costs follow the first two dimensions, so that another k is the best for them.
    let costs = Array2::from_shape_fn((N_ROWS, 2), |(row, model)| {
        let [x, y] = [embeddings[[row, 0]], embeddings[[row, 1]]].map(f64::from);
        1e-4 * (1.5 + x + model as f64 * y)
    });
    let standardizer = Standardizer::fit(&costs);
    let mut targets = vec![
        Target {
            name: "score".to_owned(),
            values: scores,
        },
        Target {
            name: "cost".to_owned(),
            values: standardizer.standardize(&costs),
        },
    ];
    targets.truncate(quantities);
    let params = KnnParams {
        n_neighbors: vec![2, 4, 8, 16, 32, 64],
        n_folds: 5,
        tune_queries: 0,
        selection: Selection::Paper,
        seed: 42,
        backend: Backend::Gemm,
    };
    let params = params.check().unwrap();
    Fitted {
        knn: params.fit(embeddings.view(), &targets, &|_| ()).unwrap(),
        targets,
        standardizer,
    }
}

pub(crate) fn knn_record(fitted: &Fitted, embeddings: EmbeddingFormat) -> Record {
    let quantities = [Quantity::Score, Quantity::StandardizedUsd];
    let targets = fitted.knn.fits().iter().zip(quantities);
    record(Contents::Knn {
        embeddings,
        backend: Backend::Gemm,
        targets: targets
            .map(|(fit, quantity)| KnnTarget {
                quantity,
                n_neighbors: fit.n_neighbors,
                prior_values: fit.prior_values,
            })
            .collect(),
    })
}

pub(crate) fn write_knn(place: &Path, fitted: &Fitted, format: EmbeddingFormat) {
    let folder = NewFolder::create(place).unwrap();
    let parts = KnnParts {
        embeddings: fitted.knn.in_memory().expect("a fit").rows(),
        targets: &fitted.targets,
        format,
    };
    folder.write_knn(&parts).unwrap();
    folder.write_scale(&fitted.standardizer).unwrap();
    folder.commit(&knn_record(fitted, format)).unwrap();
}

pub(crate) fn forest() -> Rorf {
    let params = ForestParams {
        n_trees: 7,
        max_depth: None,
        max_features: MaxFeatures::Sqrt,
        min_samples_leaf: 1,
        bootstrap: true,
        seed: 42,
    };
    let scores = numbers((N_ROWS, 2), 2).mapv(f32::abs);
    let scores = PairScores {
        small: scores.column(0),
        large: scores.column(1),
    };
    let embeddings = numbers((N_ROWS, DIM), 1);
    Rorf::fit(&params.check().unwrap(), embeddings.view(), scores, &|_| ()).unwrap()
}

pub(crate) fn write_forest(place: &Path) {
    let folder = NewFolder::create(place).unwrap();
    folder.write_forest(forest().forest()).unwrap();
    folder.commit(&record(Contents::Forest {})).unwrap();
}

pub(crate) fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("models/tiny/router");
    (folder, place)
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Takes the hashes of the other files out of `router.json`, as versions before them wrote it.
pub(crate) fn forget_files(place: &Path) {
    let path = place.join("router.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    record.as_object_mut().unwrap().remove("files").unwrap();
    fs::write(path, record.to_string()).unwrap();
}

/// What the record on disk says, without what writing it filled in.
pub(crate) fn without_files(record: Record) -> Record {
    Record {
        files: Vec::new(),
        ..record
    }
}
