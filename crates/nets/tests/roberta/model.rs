use std::fs;

use encoder::{DeviceChoice, Padding, PredictParams, ProblemType};
use ndarray::{Array2, s};
use nets::RobertaModel;
use serde_json::Value;

use crate::tiny::{
    MASKED, base, base_weights, classifier, labels, load, max_difference, model, predict, prompts,
};

/// Sums in another order, float32.
const SAME: f32 = 1e-6;
const KIND: ProblemType = ProblemType::MultiLabelClassification;

#[test]
fn a_batch_gives_what_single_prompts_give_in_any_order() {
    let model = model(3, KIND);
    // Enough for several batches.
    let prompts = prompts(300);
    let together = predict(&model, &prompts);
    assert_eq!(together.dim(), (300, 3));
    for i in [0, 1, 2, 3, 150, 299] {
        let alone = predict(&model, &prompts[i..=i]);
        let of_all = together.slice(s![i..=i, ..]).to_owned();
        assert!(max_difference(&alone, &of_all) < SAME, "{i}");
    }
    let backwards: Vec<String> = prompts.iter().rev().cloned().collect();
    let backwards = predict(&model, &backwards);
    let backwards = backwards.slice(s![..;-1, ..]).to_owned();
    assert!(max_difference(&backwards, &together) < SAME);
    assert_eq!(predict(&model, &prompts), together);
    // Else nothing would be shown.
    assert!(
        max_difference(
            &together.slice(s![..1, ..]).to_owned(),
            &together.slice(s![1..2, ..]).to_owned()
        ) > 1e3 * SAME
    );
}

#[test]
fn attended_padding_makes_a_prompt_depend_on_its_batch_only() {
    let model = model(2, KIND);
    let prompts = ["a", "a", "a much longer prompt", "a"].map(str::to_owned);
    let attended = |prompts_per_batch| {
        let padding = Padding::Attended { prompts_per_batch };
        let params = PredictParams { padding, ..MASKED };
        model.predict(&prompts, &params, &|_| ()).unwrap().values
    };
    let row = |values: &Array2<f32>, row: usize| values.slice(s![row..=row, ..]).to_owned();
    let (masked, alone, pairs) = (predict(&model, &prompts), attended(1), attended(2));
    assert!(max_difference(&masked, &alone) < SAME);
    assert!(max_difference(&row(&pairs, 0), &row(&masked, 0)) < SAME);
    assert!(max_difference(&row(&pairs, 3), &row(&masked, 3)) > SAME);
}

#[test]
fn empty_and_long_prompts_are_predicted_for() {
    let model = model(2, KIND);
    assert_eq!(model.max_tokens(), 38);
    let words = [
        "".to_owned(),
        "a".repeat(36),
        "a".repeat(37),
        "word ".repeat(10_000),
    ];
    let predicted = model.predict(&words, &MASKED, &|_| ()).unwrap();
    assert_eq!(predicted.is_truncated, [false, false, true, true]);
    assert!(predicted.values.iter().all(|x| x.is_finite()));
    // What was cut off does not matter.
    let values = predicted.values;
    let rows = [1, 2].map(|row| values.slice(s![row..=row, ..]).to_owned());
    assert!(max_difference(&rows[0], &rows[1]) < SAME);
    // A shorter bound than the model's own.
    let short = PredictParams {
        max_tokens: 8,
        ..MASKED
    };
    let short = model.predict(&words, &short, &|_| ()).unwrap();
    assert_eq!(short.is_truncated, [false, true, true, true]);
    assert_eq!(predict(&model, &[]).dim(), (0, 2));
}

#[test]
fn a_literal_padding_token_takes_no_position() {
    // As in transformers, where positions count the tokens that are not padding.
    let model = model(2, KIND);
    let prompts = ["ab", "a<pad>b", "<pad>"].map(str::to_owned);
    let values = predict(&model, &prompts);
    assert!(values.iter().all(|x| x.is_finite()));
}

#[test]
fn bad_parameters_of_a_prediction_are_refused() {
    let model = model(2, KIND);
    for (params, expected) in [
        (
            PredictParams {
                max_tokens: 2,
                ..MASKED
            },
            "`max-tokens` is 2",
        ),
        (
            PredictParams {
                padding: Padding::Attended {
                    prompts_per_batch: 0,
                },
                ..MASKED
            },
            "`prompts-per-batch` is 0",
        ),
    ] {
        let error = model.predict(&prompts(3), &params, &|_| ()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn progress_counts_prompts() {
    let n_done = std::sync::atomic::AtomicU64::new(0);
    let count = |n| {
        n_done.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
    };
    model(2, KIND)
        .predict(&prompts(70), &MASKED, &count)
        .unwrap();
    assert_eq!(n_done.into_inner(), 70);
}

#[test]
fn a_new_head_is_drawn_from_the_seed() {
    let folder = base();
    let head = |seed| {
        let model =
            RobertaModel::from_base(folder.path(), &labels(5), KIND, seed, DeviceChoice::Cpu)
                .unwrap();
        let saved = tempfile::tempdir().unwrap();
        model.save(saved.path(), "").unwrap();
        let weights =
            tch::Tensor::read_safetensors(saved.path().join("model.safetensors")).unwrap();
        let weight = |name: &str| {
            let (_, weight) = weights.iter().find(|(found, _)| found == name).unwrap();
            Vec::<f32>::try_from(weight.view(-1)).unwrap()
        };
        assert!(weight("classifier.dense.bias").iter().all(|x| *x == 0.));
        (
            weight("classifier.dense.weight"),
            weight("classifier.out_proj.weight"),
        )
    };
    let (dense, out_proj) = head(1);
    assert_eq!((dense.len(), out_proj.len()), (256, 80));
    let deviation = (dense.iter().map(|x| x * x).sum::<f32>() / 256.).sqrt();
    // The standard deviation of 256 draws from N(0, .02^2) is within .02 (1 +- 4 / sqrt(2 * 256)).
    assert!((deviation - 0.02).abs() < 0.02 * 0.18, "{deviation}");
    assert_eq!(head(1).0, dense);
    assert_ne!(head(2).0, dense);
}

#[test]
fn a_saved_model_has_the_layout_of_transformers() {
    let folder = classifier();
    let config: Value =
        serde_json::from_slice(&fs::read(folder.path().join("config.json")).unwrap()).unwrap();
    assert_eq!(
        config["architectures"][0],
        "RobertaForSequenceClassification"
    );
    assert_eq!(config["problem_type"], "multi_label_classification");
    assert_eq!(config["id2label"]["2"], "llm 2");
    assert_eq!(config["label2id"]["llm 2"], 2);
    assert_eq!(config["hidden_size"], 16);
    for file in ["tokenizer.json", "vocab.json", "merges.txt", "README.md"] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        6,
        "and nothing else"
    );

    let weights = tch::Tensor::read_safetensors(folder.path().join("model.safetensors")).unwrap();
    let mut found: Vec<String> = weights.into_iter().map(|(name, _)| name).collect();
    let mut expected: Vec<String> = base_weights().into_iter().map(|(name, _)| name).collect();
    expected.retain(|name| !name.starts_with("lm_head"));
    for name in ["dense", "out_proj"] {
        expected.push(format!("classifier.{name}.weight"));
        expected.push(format!("classifier.{name}.bias"));
    }
    found.sort();
    expected.sort();
    assert_eq!(found, expected);

    let (model, again) = (model(3, KIND), load(folder.path()).unwrap());
    assert_eq!(again.labels(), labels(3));
    assert_eq!(predict(&model, &prompts(20)), predict(&again, &prompts(20)));
}
