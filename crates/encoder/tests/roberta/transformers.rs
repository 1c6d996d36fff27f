//! transformers' outputs.

use encoder::{Classifier, Padding};
use ndarray::Array2;

use crate::{
    common::max_difference,
    folders::{copy, expected, load, matrix, models, predict},
};

/// float32 through two layers and sums in another order, on values of about 1.
const PARITY: f32 = 1e-5;

fn check(found: &Array2<f32>, expected: &[Vec<f32>], what: &str) {
    let difference = max_difference(found.view(), matrix(expected).view());
    assert!(difference < PARITY, "{what}: {difference}");
}

#[test]
fn outputs_match_transformers_with_a_mask_one_by_one_and_without_a_mask() {
    for folder in models() {
        let (model, expected) = (load(&folder).unwrap(), expected(&folder));
        let outputs =
            |padding| predict(&model, &expected.prompts, expected.max_length, padding).values;
        let masked = outputs(Padding::Masked);
        check(&masked, &expected.logits_with_mask, "with mask");
        let alone = outputs(Padding::Attended {
            prompts_per_batch: 1,
        });
        check(&alone, &expected.logits_single, "one by one");
        let attended = outputs(Padding::Attended {
            prompts_per_batch: 12,
        });
        check(&attended, &expected.logits_without_mask, "without mask");
        // The two differ at all, or the test would not show which is which.
        assert!(max_difference(masked.view(), attended.view()) > 10. * PARITY);
    }
}

#[test]
fn vocabulary_and_merges_make_the_tokenizer_of_tokenizer_json() {
    let older = copy(&[
        "config.json",
        "model.safetensors",
        "vocab.json",
        "merges.txt",
    ]);
    let folder = &models()[0];
    let expected = expected(folder);
    let outputs = [folder, older.path()].map(|folder| {
        let model = load(folder).unwrap();
        predict(
            &model,
            &expected.prompts,
            model.max_tokens(),
            Padding::Masked,
        )
        .values
    });
    assert_eq!(outputs[0], outputs[1]);
}
