//! A small world in which routing pays, and a blend that was fitted in it.

use dataset::{CostKind, PartTable, Prices};
use ndarray::{Array2, Axis};
use routers::{
    Backend, Blend, BlendLearners, BlendParams, CheckedBlendParams, ClusterParams, KernelParams,
    KnnParams, LinearParams, RoutingCosts, Selection, Target,
};
use saved_routers::{
    BlendParts, EditedPool, EmbeddingFormat, Model, ModelOutputs, NewFolder, PerModelOutputs,
    PoolEdit, Record, SavedBlend, SavedRouter,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::priced_models;

use crate::fixtures::{numbers, place, record};

pub(crate) const N: usize = 240;
pub(crate) const WIDTH: usize = 3;
/// Dollars per million tokens of input and output; all prompts have so many tokens.
pub(crate) const PRICES: [(&str, f64, f64); 3] =
    [("a", 1.0, 0.0), ("b", 1.0, 0.0), ("c", 1.0, 0.0)];
pub(crate) const TOKENS: f64 = 10.0;

/// Each LLM is right on the prompts whose largest coordinate is its own.
pub(crate) fn scores(embeddings: &Array2<f32>) -> Array2<f32> {
    let mut scores = Array2::zeros((N, WIDTH));
    for (row, embedding) in embeddings.outer_iter().enumerate() {
        let largest = (0..WIDTH).max_by(|&a, &b| embedding[a].total_cmp(&embedding[b]));
        scores[[row, largest.unwrap()]] = 1.0;
    }
    scores
}

pub(crate) fn embeddings() -> Array2<f32> {
    numbers((N, WIDTH), 31)
}

/// The train part of these LLMs.
pub(crate) fn table(models: &[usize]) -> PartTable {
    let n_models = models.len();
    PartTable {
        ids: (0..N).map(|row| format!("p{row}")).collect(),
        tasks: vec!["t".to_owned(); N],
        prompts: (0..N).map(|row| format!("prompt {row}")).collect(),
        models: models.iter().map(|&m| PRICES[m].0.to_owned()).collect(),
        scores: scores(&embeddings()).select(Axis(1), models),
        input_tokens: Some(Array2::from_elem((N, n_models), TOKENS)),
        output_tokens: None,
        cost_usd: Array2::from_shape_fn((N, n_models), |(_, i)| TOKENS * PRICES[models[i]].1 / 1e6),
        propensities: None,
        kept: Default::default(),
    }
}

pub(crate) fn config() -> Value {
    let (n_folds, seed) = (4, 42);
    json!({
        "blend": BlendParams { n_folds, seed, scales: vec![0.5, 1.0] },
        "knn": KnnParams {
            n_neighbors: vec![4, 16],
            n_folds,
            tune_queries: 0,
            selection: Selection::Utility,
            seed,
            backend: Backend::Gemm,
        },
        "linear": LinearParams { alphas: vec![10.0, 1.0], n_folds, seed },
        "kernel": KernelParams {
            gammas: vec![0.5, 2.0],
            alphas: vec![1.0, 0.1],
            n_landmarks: 40,
            n_folds,
            seed,
        },
        "cluster": ClusterParams {
            n_clusters: vec![4, 8],
            prior_rows: 5.0,
            max_iterations: 30,
            tolerance: 1e-3,
            n_folds,
            seed,
        },
    })
}

pub(crate) fn params() -> CheckedBlendParams {
    let config = config();
    fn of<T: serde::de::DeserializeOwned>(config: &Value, key: &str) -> T {
        serde_json::from_value(config[key].clone()).unwrap()
    }
    let learners = BlendLearners {
        knn: of::<KnnParams>(&config, "knn").check().unwrap(),
        linear: of::<LinearParams>(&config, "linear").check().unwrap(),
        kernel: of::<KernelParams>(&config, "kernel").check().unwrap(),
        cluster: of::<ClusterParams>(&config, "cluster").check().unwrap(),
    };
    of::<BlendParams>(&config, "blend").check(learners).unwrap()
}

pub(crate) fn targets(table: &PartTable) -> Vec<Target> {
    vec![Target {
        name: "score".to_owned(),
        values: table.scores.clone(),
    }]
}

/// A blend of these LLMs, fitted and saved.
pub(crate) fn saved(models: &[usize]) -> (TempDir, SavedRouter) {
    let table = table(models);
    let known = |_: Option<&Array2<f32>>| table.cost_usd.clone();
    let costs = RoutingCosts {
        cost_usd: table.cost_usd.view(),
        predicted_usd: &known,
        inverse_propensities: None,
    };
    let fit = params().fit(embeddings().view(), &targets(&table), &costs, &|_| ());
    let blend = fit.unwrap();
    assert!(
        blend.routes(),
        "there is much to gain: {:?}",
        blend.report()
    );
    save(&blend, models)
}

pub(crate) fn save(blend: &Blend, models: &[usize]) -> (TempDir, SavedRouter) {
    let (folder, place) = place();
    let new = NewFolder::create(&place).unwrap();
    let table = table(models);
    let contents = new.write_blend(&BlendParts {
        blend,
        quantities: &[dataset::Quantity::Score],
        mean_cost: &dataset::MeanCost::of(CostKind::Known, &table),
        format: EmbeddingFormat::F32,
    });
    let priced: Vec<_> = models.iter().map(|&m| PRICES[m]).collect();
    let mut record = Record {
        models: priced_models(CostKind::Known, &priced),
        cost_kind: CostKind::Known,
        pair: None,
        config: config(),
        ..record(contents.unwrap())
    };
    record.embedder.as_mut().unwrap().dim = WIDTH;
    new.commit(&record).unwrap();
    let router = SavedRouter::open(&place).unwrap();
    (folder, router)
}

pub(crate) fn blend(router: &SavedRouter) -> &SavedBlend {
    match &router.model {
        Model::Blend(blend) => blend,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn predict(router: &SavedRouter) -> PerModelOutputs {
    match router.model.predict(embeddings().view(), &|_| ()).unwrap() {
        ModelOutputs::PerModel(outputs) => outputs,
        other => panic!("{other:?}"),
    }
}

/// Writes a changed router, and opens it.
pub(crate) fn reopened(edited: &EditedPool) -> (TempDir, SavedRouter) {
    let (folder, place) = place();
    edited.write(&place).unwrap();
    let router = SavedRouter::open(&place).unwrap();
    (folder, router)
}

pub(crate) fn prices(text: &str) -> Prices {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Prices::read(file.path()).unwrap()
}

pub(crate) fn nothing<'a>() -> PoolEdit<'a> {
    PoolEdit {
        prices: None,
        removed: &[],
        added: None,
        train: None,
    }
}
