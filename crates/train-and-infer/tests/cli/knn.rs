use dataset::{CostKind, Embeddings, Part, PredictedCost, Quantity};
use saved_routers::{Contents, Model, ModelOutputs, SavedRouter};

use crate::bench::{N_TEST, Tiny, names, split};

#[test]
fn output_tokens_become_costs() {
    let bench = Tiny::new(CostKind::OutputTokens);
    bench.fit("carrot-knn", &[], 0);
    let predictions = bench.per_model("carrot-knn");
    // Rows of one topic have one embedding, so the neighbors of a test prompt are prompts of its topic.
    let test = split(N_TEST, Part::Test);
    assert_eq!(predictions.scores, test.scores);
    assert_eq!(
        predictions.output_tokens.expect("predicted"),
        test.output_tokens
            .expect("known")
            .mapv(|tokens| tokens as f32)
    );
    for (cost, expected) in predictions.cost_usd.iter().zip(&test.cost_usd) {
        assert!((cost - expected).abs() < 1e-12, "{cost}, not {expected}");
    }
    let manifest = bench.manifest("carrot-knn");
    assert_eq!(manifest.embedder.as_deref(), Some("given"));
    assert_eq!(manifest.results["targets"][0]["n-neighbors"], 2);
    let inputs: Vec<String> = manifest
        .inputs
        .iter()
        .map(|input| input.path.to_string_lossy().into_owned())
        .collect();
    let expected = [
        "train",
        "test",
        "embeddings/given/train",
        "embeddings/given/test",
    ];
    assert_eq!(
        inputs,
        expected.map(|name| format!("data/tiny/{name}.parquet"))
    );
    assert_eq!(
        bench.stages("carrot-knn"),
        [
            "read splits",
            "embed",
            "fit",
            "save",
            "open",
            "predict",
            "write"
        ]
    );
}

#[test]
fn dollars_are_predicted_or_known() {
    for cost_kind in [CostKind::Usd, CostKind::Known] {
        let bench = Tiny::new(cost_kind);
        bench.fit("carrot-knn", &[], 0);
        let predictions = bench.per_model("carrot-knn");
        assert!(predictions.output_tokens.is_none());
        let test = split(N_TEST, Part::Test);
        for (cost, expected) in predictions.cost_usd.iter().zip(&test.cost_usd) {
            assert!(
                (cost - expected).abs() < 1e-9,
                "{cost_kind:?}: {cost}, not {expected}"
            );
        }
        let manifest = bench.manifest("carrot-knn");
        let n_targets = manifest.results["targets"].as_array().map(Vec::len);
        let is_known = cost_kind == CostKind::Known;
        assert_eq!(n_targets, Some(if is_known { 1 } else { 2 }));
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_with_every_back_end() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let mut bytes = Vec::new();
    for backend in [
        "gemm",
        "gemm",
        "linfa-linear",
        "linfa-balltree",
        "linfa-kdtree",
    ] {
        bench.write_settings(&[("\"gemm\"", &format!("\"{backend}\""))]);
        bench.fit("carrot-knn", &["--config", "routers.toml", "--force"], 0);
        bytes.push(bench.bytes("carrot-knn"));
    }
    assert!(bytes.iter().all(|other| *other == bytes[0]));
}

#[test]
fn the_saved_router_predicts_what_the_program_did() {
    for cost_kind in [CostKind::OutputTokens, CostKind::Usd, CostKind::Known] {
        let bench = Tiny::new(cost_kind);
        bench.fit("carrot-knn", &[], 0);
        let folder = bench.model("carrot-knn");
        let scale = (cost_kind == CostKind::Usd).then_some("cost.safetensors");
        let mut expected = vec!["README.md", "router.json", "router.safetensors"];
        expected.extend(scale);
        expected.sort_unstable();
        assert_eq!(names(&folder), expected);

        let router = SavedRouter::open(&folder).expect("opened");
        let manifest = bench.manifest("carrot-knn");
        assert_eq!(router.record.train_sha256, manifest.inputs[0].sha256);
        assert_eq!(router.record.config, manifest.config);
        assert_eq!(router.record.results, manifest.results);
        assert!(router.record.pair.is_none(), "it is no binary router");
        let Contents::Knn { targets, .. } = &router.record.contents else {
            panic!("nearest neighbors")
        };
        assert_eq!(targets[0].quantity, Quantity::Score);

        let Model::Knn(knn) = router.model else {
            panic!("nearest neighbors")
        };
        let embeddings = dataset::Embeddings::read(&bench.dir().embeddings("given", Part::Test));
        let found = knn
            .predict(embeddings.expect("read").values.view(), &|_| ())
            .expect("predicted");
        let expected = bench.per_model("carrot-knn");
        assert_eq!(found.scores, expected.scores);
        match found.cost {
            PredictedCost::OutputTokens(tokens) => {
                assert_eq!(Some(tokens), expected.output_tokens);
            }
            PredictedCost::Usd(costs) => assert_eq!(costs, expected.cost_usd),
            PredictedCost::Known => assert_eq!(cost_kind, CostKind::Known),
            PredictedCost::Mean(_) => panic!("nearest neighbors route"),
        }
    }
}

/// In half precision a saved router has other embeddings than the fit, so predictions show which of the two made them.
#[test]
fn predictions_are_those_of_the_file_and_not_of_memory() {
    let bench = Tiny::new(CostKind::Known);
    for part in Part::ALL {
        let path = bench.dir().embeddings("given", part);
        let mut embeddings = Embeddings::read(&path).expect("read");
        // So near to each other that the rounding to eleven bits decides which are the nearest.
        for ((row, column), value) in embeddings.values.indexed_iter_mut() {
            *value = 1.0 + 1e-4 * ((row * 7 + column * 13) as f32).sin();
        }
        embeddings.write(&path).expect("written");
    }
    let mut scores = Vec::new();
    for format in ["f32", "f16"] {
        bench.write_settings(&[("\"f32\"", &format!("\"{format}\""))]);
        bench.fit("carrot-knn", &["--config", "routers.toml"], 0);
        let router = SavedRouter::open(&bench.model("carrot-knn")).expect("opened");
        let embeddings = Embeddings::read(&bench.dir().embeddings("given", Part::Test));
        let found = router
            .model
            .predict(embeddings.expect("read").values.view(), &|_| ());
        let ModelOutputs::PerModel(found) = found.expect("predicted") else {
            panic!("predictions for each LLM")
        };
        scores.push(bench.per_model("carrot-knn").scores);
        assert_eq!(scores.last(), Some(&found.scores), "{format}");
    }
    assert_ne!(
        scores[0], scores[1],
        "a case in which the precision matters"
    );
}

#[test]
fn prompts_that_share_an_embedding_are_counted() {
    let bench = Tiny::new(CostKind::OutputTokens);
    // The prompts are about three things, and the embeddings say no more than which.
    let message = bench.fit("carrot-knn", &[], 0);
    for part in [
        "30 of the 30 train prompts (100.0%)",
        "6 of the 6 test prompts (100.0%)",
    ] {
        let expected = format!("{part} have the same embedding as a prompt with another text");
        assert!(message.contains(&expected), "{message}");
    }
    // Made elsewhere, they may have been cut.
    assert!(message.contains("--truncate left or middle"), "{message}");
    let found = &bench.manifest("carrot-knn").results["embedding"];
    assert_eq!(found["train"]["n-confused"], 30);
    assert_eq!(found["test"]["n-prompts"], 6);
    assert!(found["test"]["n-truncated"].is_null(), "made elsewhere");
}
