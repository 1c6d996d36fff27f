use std::path::{Path, PathBuf};

use dataset::{Embeddings, PredictedCost, Predictions, RunManifest};
use saved_routers::{ModelOutputs, SavedRouter};

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/v0.1.0")
        .join(file)
}

/// See `make.py` beside the files, which version 0.1.0 wrote.
#[test]
fn routers_and_predictions_of_version_0_1_0_still_open_and_agree() {
    let embeddings = Embeddings::read(&data("embeddings.parquet")).unwrap();
    for name in ["carrot-knn", "mf", "rorf"] {
        let router = SavedRouter::open(&data("models").join(name)).unwrap();
        assert_eq!(router.record.router, name);
        let manifest = RunManifest::read(&data(&format!("preds/{name}.json"))).unwrap();
        assert_eq!(manifest.inputs[0].sha256, router.record.train_sha256);
        let predictions = Predictions::read(&data(&format!("preds/{name}.parquet"))).unwrap();
        assert_eq!(predictions.ids(), embeddings.ids);

        let found = router.model.predict(embeddings.values.view(), &|_| ());
        match (found.unwrap(), predictions) {
            (ModelOutputs::PerModel(found), Predictions::PerModel(expected)) => {
                assert_eq!(found.scores, expected.scores, "{name}");
                let tokens = expected.output_tokens.unwrap();
                assert_eq!(found.cost, PredictedCost::OutputTokens(tokens), "{name}");
            }
            (ModelOutputs::SmallWins(found), Predictions::SmallWins(expected)) => {
                assert_eq!(found, expected.probability, "{name}");
            }
            (found, _) => panic!("`{name}` predicts {found:?}"),
        }
    }
}
