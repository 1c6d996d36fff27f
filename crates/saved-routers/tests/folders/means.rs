//! Blends that do not route.

use std::{fs, path::Path};

use dataset::{MeanCost, PredictedCost, Quantity};
use ndarray::{Array2, array};
use saved_routers::{Contents, Error, Model, NewFolder, SavedBlend, SavedRouter};
use serde_json::{Value, json};

use crate::{
    fixtures::{DIM, forget_files, numbers, place, record},
    learners::{TENSORS, change_tensor, check_refused},
};

/// A third is no number of float32.
const MEAN_SCORES: [f64; 2] = [1.0 / 3.0, 0.75];

pub(crate) fn write(place: &Path, cost: &MeanCost) -> Contents {
    let folder = NewFolder::create(place).unwrap();
    let targets = [Quantity::Score, Quantity::StandardizedUsd];
    let scores = MEAN_SCORES.to_vec().into();
    let scores: ndarray::Array1<f64> = scores;
    let contents = folder.write_means(scores.view(), cost, &targets).unwrap();
    folder.commit(&record(contents.clone())).unwrap();
    contents
}

pub(crate) fn of_tokens() -> MeanCost {
    MeanCost::Tokens {
        input: array![100.0, 90.5],
        output: array![10.0, 250.25],
    }
}

fn of_dollars() -> MeanCost {
    // Of the second LLM no cost was known.
    MeanCost::Usd(array![0.001, f64::NAN])
}

#[test]
fn every_prompt_gets_the_means() {
    for (cost, needs_prices) in [(of_tokens(), true), (of_dollars(), false)] {
        let (_folder, place) = place();
        let contents = write(&place, &cost);
        assert_eq!(contents.needs_prices(), needs_prices);
        assert!(!contents.routes());
        let router = SavedRouter::open(&place).unwrap();
        assert_eq!(router.record.contents, contents);
        let Model::Blend(SavedBlend::Means(means)) = &router.model else {
            panic!("means")
        };
        assert!(!router.model.routes() && router.model.is_on_embeddings());
        assert_eq!(means.scores().to_vec(), MEAN_SCORES);
        let same = format!("{:?}", means.cost()) == format!("{cost:?}");
        assert!(same, "{:?}", means.cost());

        let found = means.predict(numbers((3, DIM), 1).view(), &|_| ()).unwrap();
        let expected = Array2::from_shape_fn((3, 2), |(_, m)| MEAN_SCORES[m] as f32);
        assert_eq!(found.scores, expected);
        assert!(matches!(found.cost, PredictedCost::Mean(_)));
        let without = router.model.without_routing(3).unwrap();
        assert_eq!(without.scores, expected);
        let error = means.predict(numbers((1, DIM - 1), 1).view(), &|_| ());
        assert!(matches!(error, Err(Error::Dimension { expected: DIM, .. })));

        let card = fs::read_to_string(place.join("README.md")).unwrap();
        assert!(card.contains("A blend that does not route"), "{card}");
    }
}

#[test]
fn contradictory_records_and_numbers_are_refused() {
    for (path, value, expected) in [
        ("/contents/g", json!(0.3), "`g`"),
        ("/contents/g", json!(0.5), "`mean-cost`"),
        ("/contents/mean-cost", Value::Null, "`mean-cost`"),
        ("/contents/mean-cost", json!("usd"), "has a tensor `mean/"),
        ("/contents/targets", json!(["output-tokens"]), "`targets`"),
        (
            "/contents/learners",
            json!([{
                "learner": {"kind": "linear", "targets": [
                    {"quantity": "score", "alpha": 1.0},
                    {"quantity": "standardized-usd", "alpha": 1.0},
                ]},
                "weights": [{"level": 0.0, "deviation": 0.5}, {"level": 0.0, "deviation": 0.5}],
            }]),
            "`learners`",
        ),
    ] {
        let (_folder, place) = place();
        write(&place, &of_tokens());
        forget_files(&place);
        let file = place.join("router.json");
        let mut record: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        *record.pointer_mut(path).unwrap() = value;
        fs::write(file, record.to_string()).unwrap();
        check_refused(&place, expected);
    }
    for (tensor, number, expected) in [
        ("mean/score", f64::INFINITY, "has a number inf"),
        ("mean/input-tokens", -1.0, "has a number -1"),
        ("mean/output-tokens", f64::NEG_INFINITY, "has a number -inf"),
    ] {
        let (_folder, place) = place();
        write(&place, &of_tokens());
        forget_files(&place);
        change_tensor(&place, tensor, |bytes| {
            bytes[..8].copy_from_slice(&number.to_le_bytes());
        });
        check_refused(&place, expected);
    }
    let (_folder, place) = place();
    write(&place, &of_tokens());
    fs::remove_file(place.join(TENSORS)).unwrap();
    check_refused(&place, "cannot open");
}
