//! What holds for any classifier.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

use dataset::Truncate;
use encoder::{
    Classifier, Error, NetworkTask, Padding, PredictParams, ProblemType, TaskNetwork, sigmoid,
};
use ndarray::{Array2, array, s};
use test_support::try_mutations;

use crate::{
    common::max_difference,
    folders::{copy, load, models, predict},
};

/// All that a classifier of today has.
const FILES: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

/// Prompts of many lengths.
fn prompts(n: usize) -> Vec<String> {
    let prompt = |i: usize| ["ab ", "1+1=", "é", "Why? "][i % 4].repeat(1 + i * 7 % 9);
    (0..n).map(prompt).collect()
}

#[test]
fn a_batch_gives_what_single_prompts_give_bit_for_bit() {
    let model = load(&models()[0]).unwrap();
    // Enough for several batches.
    let prompts = prompts(300);
    let outputs = |prompts: &[String]| predict(&model, prompts, 512, Padding::Masked).values;
    let together = outputs(&prompts);
    for i in [0, 1, 2, 3, 150, 299] {
        let alone = outputs(&prompts[i..=i]);
        assert_eq!(alone, together.slice(s![i..=i, ..]), "{i}");
    }
    assert_ne!(together.row(0), together.row(1));
    assert_eq!(outputs(&[]).dim(), (0, model.labels().len()));
}

#[test]
fn attended_padding_makes_a_prompt_depend_on_its_batch_only() {
    let model = load(&models()[0]).unwrap();
    let prompts = ["a", "a", "a much longer prompt", "a"].map(str::to_owned);
    let outputs = |padding| predict(&model, &prompts, 512, padding).values;
    let attended = |prompts_per_batch| outputs(Padding::Attended { prompts_per_batch });
    let row = |values: &Array2<f32>, row: usize| values.row(row).to_owned();
    let (masked, alone, pairs) = (outputs(Padding::Masked), attended(1), attended(2));
    assert_eq!(masked, alone);
    assert_eq!(row(&pairs, 0), row(&masked, 0));
    assert_ne!(row(&pairs, 3), row(&masked, 3));
}

#[test]
fn long_prompts_lose_the_part_that_is_asked_for() {
    let outputs = |truncate, prompt: &str| {
        let mut model = load(&models()[0]).unwrap();
        model.set_truncate(truncate);
        predict(&model, &[prompt.to_owned()], 6, Padding::Masked)
    };
    let long = "a ".repeat(9) + &"z ".repeat(9);
    let [right, left] = [Truncate::Right, Truncate::Left].map(|it| outputs(Some(it), &long));
    assert_eq!(
        (&*right.is_truncated, &*left.is_truncated),
        (&[true][..], &[true][..])
    );
    assert_ne!(right.values, left.values);
    // What was cut off does not matter.
    let longer = outputs(Some(Truncate::Right), &(long.clone() + "b"));
    assert_eq!(longer.values, right.values);
    assert_eq!(outputs(None, &long).values, right.values);
}

#[test]
fn bad_parameters_of_a_prediction_are_refused() {
    let model = load(&models()[0]).unwrap();
    let no_prompts = Padding::Attended {
        prompts_per_batch: 0,
    };
    for (max_tokens, padding, expected) in [
        (2, Padding::Masked, "`max-tokens` is 2"),
        (512, no_prompts, "`prompts-per-batch` is 0"),
    ] {
        let params = PredictParams {
            max_tokens,
            padding,
        };
        let error = model.predict(&prompts(3), &params, &|_| ()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn progress_counts_prompts() {
    let n_done = AtomicU64::new(0);
    let count = |n| {
        n_done.fetch_add(n, Ordering::Relaxed);
    };
    let params = PredictParams {
        max_tokens: 512,
        padding: Padding::Masked,
    };
    let model = load(&models()[0]).unwrap();
    model.predict(&prompts(70), &params, &count).unwrap();
    assert_eq!(n_done.into_inner(), 70);
}

#[test]
fn logits_become_probabilities() {
    let expected = array![[0.5, 0.880_797, 0., 1.]];
    let found = sigmoid(&array![[0., 2., -100., 100.]]);
    assert!(max_difference(found.view(), expected.view()) < 1e-6);
}

#[test]
fn a_network_for_costs_is_none_for_scores() {
    let [performance, cost] = models();
    assert!(TaskNetwork::from_folder(&performance, NetworkTask::Performance).is_ok());
    assert!(TaskNetwork::from_folder(&performance, NetworkTask::Cost).is_ok());
    assert_eq!(
        load(&cost).unwrap().problem_type(),
        Some(ProblemType::Regression)
    );
    let error = TaskNetwork::from_folder(&cost, NetworkTask::Performance).unwrap_err();
    assert!(matches!(error, Error::OtherTask { .. }), "{error}");
}

#[test]
fn mutations_of_a_classifiers_files() {
    for file in FILES {
        let folder = copy(&FILES);
        let path = folder.path().join(file);
        let params = PredictParams {
            max_tokens: 512,
            padding: Padding::Masked,
        };
        try_mutations(&[fs::read(&path).unwrap()], |bytes| {
            fs::write(&path, bytes).unwrap();
            if let Ok(model) = load(folder.path()) {
                _ = model.predict(&prompts(4), &params, &|_| ());
            }
        });
    }
}
