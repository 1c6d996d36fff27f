use std::collections::BTreeMap;

use dataset::{
    CostKind, Embeddings, EmbeddingsMeta, KeptColumns, MadeFrom, Part, PartTable, PerModel,
    Precision, Predictions, RunManifest, Source, Timings, sha256_file,
};
use encoder::{ModelFiles, PromptEmbedder as _, SentenceEmbedder};
use ndarray::Array2;
use serde_json::{Value, json};
use test_support::{Postgres, dataset_info, stderr};

use crate::{
    INDEXED,
    bench::{MODELS, PROMPTS, Tiny, scores},
    index, run,
};

const N_PROMPTS: usize = 60;

/// The test part of the bench's data set: prompts like the train prompts, their embeddings, and what the router predicts of them.
fn write_test_part(bench: &Tiny) {
    let dir = bench.dataset("tiny");
    let ids: Vec<String> = (0..N_PROMPTS).map(|i| format!("p{i}")).collect();
    let prompts: Vec<String> = (0..N_PROMPTS).map(|i| PROMPTS[i % 3].to_owned()).collect();
    let shape = (N_PROMPTS, MODELS.len());
    let predicted = Array2::from_shape_fn(shape, |(i, m)| scores()[[i % 3, m]]);
    let cost_usd = Array2::from_shape_fn(shape, |(i, m)| {
        [0.01, 0.001, 0.002][m] * (1.0 + (i % 7) as f64 / 7.0)
    });
    let table = PartTable {
        ids: ids.clone(),
        tasks: vec!["made-up".to_owned(); N_PROMPTS],
        prompts: prompts.clone(),
        models: MODELS.map(str::to_owned).to_vec(),
        scores: Array2::from_shape_fn(shape, |(i, m)| {
            f32::from(u8::from(m == 0 || (i * 7 + m) % 3 > 0))
        }),
        input_tokens: None,
        output_tokens: None,
        cost_usd: cost_usd.clone(),
        propensities: None,
        kept: KeptColumns::default(),
    };
    let test = dir.split(Part::Test);
    table.write(&test).expect("written");
    let info = dataset_info("tiny", &MODELS, [3, N_PROMPTS]);
    info.write(&dir.info()).expect("written");
    let files = ModelFiles::in_folder(&bench.join("models/tiny-bert")).expect("a model");
    let model = SentenceEmbedder::load(&files).expect("loaded");
    Embeddings {
        ids: ids.clone(),
        values: model.embed(&prompts, &|_| ()).expect("embedded").values,
        meta: EmbeddingsMeta {
            embedder: "tiny-bert".to_owned(),
            embedder_sha256: None,
            server: None,
            split_sha256: Some(sha256_file(&test).expect("hashed")),
            truncate: None,
            precision: Precision::F32,
            n_truncated: None,
        },
    }
    .write(&dir.embeddings("tiny-bert", Part::Test))
    .expect("written");
    let split_sha256 = sha256_file(&test).expect("hashed");
    let made_from = MadeFrom {
        train_sha256: Some("abc".to_owned()),
        ..MadeFrom::split(split_sha256.clone())
    };
    Predictions::PerModel(PerModel {
        ids,
        models: MODELS.map(str::to_owned).to_vec(),
        scores: predicted,
        output_tokens: None,
        cost_usd,
    })
    .write(&dir.predictions("carrot-knn"), &made_from)
    .expect("written");
    let source = |sha256: String| Source {
        path: "a file".into(),
        sha256,
        n_bytes: 1,
    };
    RunManifest {
        dataset: "tiny".to_owned(),
        router: "carrot-knn".to_owned(),
        embedder: None,
        seed: None,
        made_by: "a test".to_owned(),
        config: json!({}),
        inputs: vec![source("abc".to_owned()), source(split_sha256)],
        results: json!({}),
        predictions_sha256: None,
        environment: BTreeMap::new(),
        timings: Timings::default(),
    }
    .write(&dir.manifest("carrot-knn"))
    .expect("written");
}

#[test]
fn an_indexed_router_is_calibrated_as_any_other() {
    let shard = Postgres::start();
    let urls = [shard.url()];
    let bench = Tiny::new(CostKind::Usd);
    write_test_part(&bench);
    let report = index(&bench, &urls, &["--exact", "--json"]);
    assert!(report.status.success(), "{}", stderr(&report));
    let report: Value = serde_json::from_slice(&report.stdout).expect("JSON");
    assert_eq!(report["test"]["n_prompts"], N_PROMPTS);
    assert_eq!(report["test"]["share_equal"], 1.0);
    assert_eq!(
        report["test"]["mean_score"],
        report["test"]["mean_score_without"]
    );

    let args = [
        "calibrate",
        "--dataset",
        "tiny",
        "--router",
        "carrot-knn-index",
        "--share",
    ];
    let args = [&args[..], &["owner/dear:40%", "--name", "forty", "--json"]].concat();
    let calibrated = run(&bench, &args, &urls, "");
    assert!(calibrated.status.success(), "{}", stderr(&calibrated));
    let route = ["route", "so so", "--calibration", "forty", "--json"];
    let routed = run(&bench, &[&route, &INDEXED[..]].concat(), &urls, "");
    assert!(routed.status.success(), "{}", stderr(&routed));
}
