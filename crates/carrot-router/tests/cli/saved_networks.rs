use std::path::PathBuf;

use carrot_router::CarrotRouter;
use dataset::{CostKind, Quantity, Standardizer};
use encoder::DeviceChoice;
use ndarray::{Array2, Axis};
use saved_routers::{Contents, NetworkCost, NewFolder, Record};
use serde_json::{Value, json};

use crate::{
    bench::{MODELS, PRICES, Tiny, assert_refused, cost_usd, number, record},
    networks::{SCORES, TOKENS, write},
};

const LOGITS: [f32; 3] = [1.0, 0.0, 0.0];
const FOLDER: &str = "models/tiny/carrot-roberta";
const ARGS: [&str; 5] = ["so so", "--mu", "0.5", "--model", FOLDER];

/// A router as train-and-infer saves it, whose cost network gives `outputs`.
fn save(
    cost_kind: CostKind,
    quantity: Quantity,
    outputs: &[f32; 3],
    edit: impl FnOnce(&mut Record, PathBuf),
) -> Tiny {
    let bench = Tiny::empty();
    let folder = NewFolder::create(&bench.path().join(FOLDER)).expect("created");
    // Outputs in another order than the record's LLMs: they are found by name.
    let labels: Vec<&str> = MODELS.iter().rev().copied().collect();
    let reversed = |values: &[f32]| values.iter().rev().copied().collect::<Vec<f32>>();
    let path = folder.path().join("performance");
    write(&path, &labels, SCORES, &reversed(&LOGITS));
    let cost = (cost_kind != CostKind::Known).then(|| {
        let path = folder.path().join("cost");
        write(&path, &labels, TOKENS, &reversed(outputs));
        NetworkCost {
            folder: "cost".to_owned(),
            quantity,
        }
    });
    if quantity == Quantity::StandardizedUsd {
        let scale = Standardizer::fit(&cost_usd());
        folder.write_scale(&scale).expect("written");
    }
    let contents = Contents::Roberta {
        performance: "performance".to_owned(),
        cost,
    };
    let mut record = record("carrot-roberta", cost_kind, contents);
    record.config = json!({"predict": {"max-tokens": 6, "quirks-batch-size": null}});
    edit(&mut record, folder.path().to_owned());
    folder.commit(&record).expect("committed");
    bench
}

fn costs(bench: &Tiny) -> Vec<f64> {
    let decision = bench.decisions(&ARGS, "").remove(0);
    // "so so" and two special tokens are one more than the record's 6.
    assert_eq!(decision["truncated"], json!(true));
    let models = decision["models"].as_array().expect("a list");
    for (model, (name, logit)) in models.iter().zip(MODELS.iter().zip(LOGITS)) {
        assert_eq!(model["name"], *name);
        assert_eq!(number(model, "input_tokens"), 5.0);
        let score = 1.0 / (1.0 + f64::from(-logit).exp());
        assert!((number(model, "score") - score).abs() < 1e-6, "{model}");
    }
    models
        .iter()
        .map(|model| number(model, "cost_usd"))
        .collect()
}

#[test]
fn each_unit_of_cost_becomes_dollars() {
    let outputs = [0.25, 1.0, -1.0];
    let tokens = |unit: f64| {
        let cost = |(output, (input_price, output_price)): (&f32, (f64, f64))| {
            (5.0 * input_price + (f64::from(*output) * unit).max(0.0) * output_price) / 1e6
        };
        outputs.iter().zip(PRICES).map(cost).collect::<Vec<f64>>()
    };
    let z_scores = Array2::from_shape_vec((1, 3), outputs.to_vec()).expect("three");
    let dollars = Standardizer::fit(&cost_usd()).restore(&z_scores);
    for (cost_kind, quantity, expected) in [
        (
            CostKind::OutputTokens,
            Quantity::ThousandsOfOutputTokens,
            tokens(1e3),
        ),
        (CostKind::OutputTokens, Quantity::OutputTokens, tokens(1.0)),
        (
            CostKind::Usd,
            Quantity::StandardizedUsd,
            dollars.index_axis(Axis(0), 0).to_vec(),
        ),
        (
            CostKind::Known,
            Quantity::ThousandsOfOutputTokens,
            PRICES.map(|(input, _)| 5.0 * input / 1e6).to_vec(),
        ),
    ] {
        let bench = save(cost_kind, quantity, &outputs, |_, _| ());
        for (found, expected) in costs(&bench).into_iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-8,
                "{quantity:?}: {found} {expected}"
            );
        }
        // The library decides as the program does.
        let router = CarrotRouter::open(&bench.path().join(FOLDER), DeviceChoice::Cpu);
        let decision = router
            .expect("opened")
            .explain("so so", 0.5)
            .expect("decided");
        let printed = bench.decisions(&ARGS, "").remove(0);
        let decision = serde_json::to_string(&decision).expect("written");
        let decision: Value = serde_json::from_str(&decision).expect("read");
        assert_eq!(decision, printed);
    }
}

#[test]
fn a_network_for_other_llms_is_refused() {
    let thousands = Quantity::ThousandsOfOutputTokens;
    let fewer = save(CostKind::OutputTokens, thousands, &[0.0; 3], |record, _| {
        record.models.truncate(2);
    });
    let part = "has 3 outputs, more than the 2 LLMs";
    assert_refused(&fewer.route(&ARGS, ""), 1, part);
    let other = save(CostKind::OutputTokens, thousands, &[0.0; 3], |record, _| {
        record.models[0].name = "another".to_owned();
    });
    let part = "does not say which LLM each of its outputs is";
    assert_refused(&other.route(&ARGS, ""), 1, part);
    let without = save(CostKind::OutputTokens, thousands, &[0.0; 3], |_, folder| {
        std::fs::remove_dir_all(folder.join("cost")).expect("removed");
    });
    assert_refused(
        &without.route(&ARGS, ""),
        1,
        "`router.json` beside it names it",
    );
}
