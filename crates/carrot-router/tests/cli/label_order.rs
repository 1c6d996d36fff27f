//! The order of a network's outputs, decided by prompts whose scores are known.

use carrot_router::{Error, compare_label_orders};
use dataset::{KeptColumns, PartTable};
use encoder::DeviceChoice;
use ndarray::Array2;

use crate::networks::{LLMS, SCORES, write};

/// Three LLMs whose mean scores are about those that the network of [`LLMS`] predicts: .88, .62 and .5.
fn part(n_rows: usize) -> PartTable {
    let means = [0.88, 0.62, 0.5];
    let scores = Array2::from_shape_fn((n_rows, 3), |(row, model)| {
        let digits = ((row as f64 * 12.9898 + model as f64 * 78.233).sin() * 43_758.545_3).fract();
        f32::from(u8::from(digits.abs() < means[model]))
    });
    PartTable {
        ids: (0..n_rows).map(|row| row.to_string()).collect(),
        tasks: vec!["all".to_owned(); n_rows],
        prompts: (0..n_rows).map(|row| format!("Prompt {row}")).collect(),
        models: LLMS.map(str::to_owned).to_vec(),
        scores,
        input_tokens: None,
        output_tokens: None,
        cost_usd: Array2::zeros((n_rows, 3)),
        propensities: None,
        kept: KeptColumns::default(),
    }
}

#[test]
fn scores_decide_between_two_orders() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let labels = ["LABEL_0", "LABEL_1", "LABEL_2"];
    write(folder.path(), &labels, SCORES, &[2., 0.5, 0.]);
    let order = |names: [usize; 3]| names.map(|idx| LLMS[idx].to_owned()).to_vec();
    let (right, wrong) = (order([0, 1, 2]), order([1, 0, 2]));
    let compare = |orders: [&[String]; 2], n_prompts| {
        let part = part(400);
        let compared =
            compare_label_orders(folder.path(), orders, &part, n_prompts, DeviceChoice::Cpu);
        compared.map_err(Box::new)
    };
    let evidence = compare([&right, &wrong], 400).expect("compared");
    assert_eq!((evidence.decided(), evidence.n_prompts), (Some(0), 400));
    let evidence = compare([&wrong, &right], 200).expect("compared");
    assert_eq!((evidence.decided(), evidence.n_prompts), (Some(1), 200));
    // Six prompts say little.
    let evidence = compare([&right, &wrong], 6).expect("compared");
    assert_eq!((evidence.decided(), evidence.n_prompts), (None, 6));

    let short = compare([&right[..2], &wrong], 6).expect_err("two names");
    assert!(matches!(*short, Error::OrderOutputs { .. }), "{short}");
    let foreign = ["x".to_owned(), right[1].clone(), right[2].clone()];
    let foreign = compare([&foreign, &wrong], 6).expect_err("an unknown name");
    assert!(matches!(*foreign, Error::OrderModel { .. }), "{foreign}");
}
