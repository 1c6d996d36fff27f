use std::{fs, path::Path};

use encoder::ProblemType;
use ndarray::Array2;
use nets::{Error, RobertaModel, TrainParams, TrainReport, TrainSetup, WarmUp, fine_tune};

use crate::tiny::{checked, labels, load, model, params, predict, prompts, scores, setup, train};

const KIND: ProblemType = ProblemType::MultiLabelClassification;

fn fit(
    model: &mut RobertaModel,
    prompts: &[String],
    targets: &Array2<f32>,
    params: &TrainParams,
) -> Result<TrainReport, Error> {
    fine_tune(
        model,
        prompts,
        targets.view(),
        &checked(params),
        &setup(None),
    )
}

#[test]
fn training_learns_and_keeps_the_best_weights() {
    let mut model = model(3, KIND);
    let prompts = prompts(80);
    let targets = scores(&prompts, 3);
    let validation: Vec<u32> = (0..80).step_by(5).collect();
    let setup = TrainSetup {
        validation_rows: Some(&validation),
        ..setup(None)
    };
    let params = checked(&TrainParams {
        n_epochs: 12,
        ..params()
    });
    let report = fine_tune(&mut model, &prompts, targets.view(), &params, &setup).unwrap();
    assert_eq!(
        (report.n_train, report.n_validation, report.n_unknown),
        (64, 16, 0)
    );
    assert_eq!(report.n_steps, 12 * 16);
    // Two thirds of the targets are 1 or .25 by a letter. Without looking, the entropy is that of the mean, about .66; the least is that of
    // targets of 1 and .25 half and half, (0 + .562) / 2 = .281.
    let best = report.best.unwrap();
    assert!(best.val_loss < 0.35, "{best:?}");
    let least = report
        .records
        .iter()
        .filter_map(|record| record.val_loss)
        .fold(f32::NAN, f32::min);
    assert_eq!(best.val_loss, least);

    // The model has the best weights now: its loss on the validation rows is that one.
    let texts: Vec<String> = validation
        .iter()
        .map(|row| prompts[*row as usize].clone())
        .collect();
    let outputs = predict(&model, &texts);
    let mut sum = 0.;
    for ((row, label), z) in outputs.indexed_iter() {
        let (z, y) = (
            f64::from(*z),
            f64::from(targets[[validation[row] as usize, label]]),
        );
        sum -= y * (1. / (1. + (-z).exp())).ln() + (1. - y) * (1. / (1. + z.exp())).ln();
    }
    let mean = sum / outputs.len() as f64;
    assert!(
        (mean - f64::from(best.val_loss)).abs() < 1e-5,
        "{mean} {best:?}"
    );
}

#[test]
fn a_regression_learns() {
    let mut model = model(1, ProblemType::Regression);
    let prompts = prompts(60);
    let targets = scores(&prompts, 1).mapv(|x| 2. * x - 1.);
    let params = checked(&TrainParams {
        n_epochs: 12,
        ..params()
    });
    let report = fine_tune(&mut model, &prompts, targets.view(), &params, &setup(None)).unwrap();
    // The variance of 1 and -.5 half and half is .56.
    assert!(report.best.unwrap().val_loss < 0.1, "{:?}", report.best);
}

#[test]
fn unknown_targets_are_left_out() {
    let prompts = prompts(40);
    let mut targets = scores(&prompts, 3);
    // Whole rows, and a label of others.
    for row in 0..10 {
        targets.row_mut(row).fill(f32::NAN);
    }
    for row in 10..40 {
        targets[[row, 1]] = f32::NAN;
    }
    let params = checked(&TrainParams {
        weight_decay: 0.,
        ..params()
    });
    let mut with_unknown = model(3, KIND);
    let report = fine_tune(
        &mut with_unknown,
        &prompts,
        targets.view(),
        &params,
        &setup(None),
    )
    .unwrap();
    assert_eq!(report.n_unknown, 10);
    assert_eq!(report.n_train + report.n_validation, 30);
    assert!(
        report
            .records
            .iter()
            .all(|record| record.loss.unwrap().is_finite())
    );

    // The same as without the rows; and the outputs of the label that nobody knows stay a new head's, near 0.
    let mut without = model(3, KIND);
    let known = targets.slice(ndarray::s![10.., ..]);
    fine_tune(&mut without, &prompts[10..], known, &params, &setup(None)).unwrap();
    assert_eq!(
        predict(&with_unknown, &prompts),
        predict(&without, &prompts)
    );
    let outputs = predict(&with_unknown, &prompts);
    assert!(
        outputs.column(1).iter().all(|x| x.abs() < 0.02),
        "{outputs}"
    );
    assert!(
        outputs.column(0).iter().all(|x| x.abs() > 0.04),
        "{outputs}"
    );
}

#[test]
fn steps_that_are_not_finite_are_left_out_until_there_are_too_many() {
    let prompts = prompts(40);
    let regression = |n_huge: usize, max_non_finite_in_a_row| {
        let mut model = model(1, ProblemType::Regression);
        let mut targets = scores(&prompts, 1);
        // Its square is beyond float32.
        targets.slice_mut(ndarray::s![..n_huge, ..]).fill(f32::MAX);
        let params = TrainParams {
            validation_share: 0.,
            max_non_finite_in_a_row,
            ..params()
        };
        let report = fit(&mut model, &prompts, &targets, &params)?;
        assert!(predict(&model, &prompts).iter().all(|x| x.is_finite()));
        Ok::<_, Error>(report)
    };
    let report = regression(1, 2).unwrap();
    // One batch of each of 3 epochs.
    assert_eq!((report.n_skipped, report.n_steps), (3, 30));
    let skipped = report
        .records
        .iter()
        .filter(|record| record.gradient_norm.is_none());
    assert_eq!(skipped.count(), 3);
    let error = regression(40, 5).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Diverged {
                n_in_a_row: 5,
                step: 5
            }
        ),
        "{error}"
    );
}

#[test]
fn training_stops_when_validation_is_long_not_better() {
    // A rate at which weights are wrecked.
    let params = TrainParams {
        learning_rate: 10.,
        warm_up: WarmUp::Steps(0),
        n_epochs: 20,
        patience: Some(2),
        ..params()
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_path_buf();
    let (report, weights) = train(&params, &setup(Some(&folder))).unwrap();
    assert!(report.stopped_early);
    let per_epoch = 8;
    assert_eq!(report.n_steps, report.best.unwrap().step + 2 * per_epoch);
    // Taken up, it stays stopped.
    let (again, same) = train(&params, &setup(Some(&folder))).unwrap();
    assert!(again.stopped_early && again.n_steps == report.n_steps && weights == same);
}

#[test]
fn a_single_label_with_a_batch_for_all_rows_trains() {
    let mut model = model(1, KIND);
    let prompts = prompts(6);
    let params = TrainParams {
        batch_size: 100,
        validation_share: 0.,
        n_epochs: 1,
        ..params()
    };
    let targets = scores(&prompts, 1);
    let report = fit(&mut model, &prompts, &targets, &params).unwrap();
    assert_eq!((report.n_steps, report.best), (1, None));
}

#[test]
fn bad_targets_and_rows_are_refused() {
    let prompts = prompts(8);
    let good = scores(&prompts, 3);
    let with = |row: usize, label: usize, value: f32| {
        let mut targets = good.clone();
        targets[[row, label]] = value;
        targets
    };
    for (problem_type, targets, rows, expected) in [
        (
            KIND,
            with(4, 1, 1.5),
            None,
            "the target in row 5 for label `llm 1` is 1.5, expected in [0, 1]",
        ),
        (KIND, with(0, 2, -0.1), None, "is -0.1, expected in [0, 1]"),
        (
            ProblemType::Regression,
            with(0, 0, f32::INFINITY),
            None,
            "is inf, expected finite",
        ),
        (
            KIND,
            scores(&prompts, 2),
            None,
            "has shape (8, 2), expected (8, 3)",
        ),
        (
            KIND,
            scores(&prompts[1..], 3),
            None,
            "has shape (7, 3), expected (8, 3)",
        ),
        (
            KIND,
            Array2::from_elem((8, 3), f32::NAN),
            None,
            "to learn from",
        ),
        (
            KIND,
            good.clone(),
            Some(vec![8]),
            "validation row 8 (from 0) is not among 8 prompts",
        ),
        (KIND, good.clone(), Some(vec![]), "to validate on"),
        (KIND, good.clone(), Some((0..8).collect()), "to learn from"),
    ] {
        let mut model = model(3, problem_type);
        let setup = TrainSetup {
            validation_rows: rows.as_deref(),
            ..setup(None)
        };
        let outcome = fine_tune(
            &mut model,
            &prompts,
            targets.view(),
            &checked(&params()),
            &setup,
        );
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, expected {expected}");
    }
}

#[test]
fn a_model_that_does_not_say_how_it_learns_predicts_only() {
    let folder = crate::tiny::classifier();
    let path = folder.path().join("config.json");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replace("\"problem_type\"", "\"another_key\"")).unwrap();
    let mut model = load(folder.path()).unwrap();
    assert_eq!(model.problem_type(), None);
    assert_eq!(model.labels(), labels(3));
    let prompts = prompts(8);
    predict(&model, &prompts);
    let outcome = fit(&mut model, &prompts, &scores(&prompts, 3), &params());
    assert!(matches!(outcome.unwrap_err(), Error::NoProblemType));
}

#[test]
fn only_checked_parameters_can_train() {
    type Change = fn(&mut TrainParams);
    let changes: [(&str, Change); 18] = [
        ("learning-rate", |p| p.learning_rate = 0.),
        ("learning-rate", |p| p.learning_rate = f64::NAN),
        ("warm-up", |p| p.warm_up = WarmUp::Ratio(1.)),
        ("weight-decay", |p| p.weight_decay = -0.1),
        ("betas", |p| p.betas = [0.9, 1.]),
        ("epsilon", |p| p.epsilon = 0.),
        ("max-gradient-norm", |p| p.max_gradient_norm = 0.),
        ("batch-size", |p| p.batch_size = 0),
        ("gradient-accumulation", |p| p.gradient_accumulation = 0),
        ("n-epochs", |p| p.n_epochs = 0),
        ("max-tokens", |p| p.max_tokens = 2),
        ("validation-share", |p| p.validation_share = 1.),
        ("validate-every-steps", |p| p.validate_every_steps = Some(0)),
        ("patience", |p| p.patience = Some(0)),
        ("max-non-finite-in-a-row", |p| p.max_non_finite_in_a_row = 0),
        ("log-every-steps", |p| p.log_every_steps = 0),
        ("checkpoint-every-steps", |p| p.checkpoint_every_steps = 0),
        ("gpu-peak-tflops", |p| p.gpu_peak_tflops = Some(0.)),
    ];
    assert!(params().check().is_ok());
    for (expected, change) in changes {
        let mut params = params();
        change(&mut params);
        match params.check() {
            Err(Error::Model(encoder::Error::BadParameter { name, .. })) => {
                assert_eq!(name, expected)
            }
            other => panic!("{expected}: {other:?}"),
        }
    }
}

/// The presets that train-and-infer has built in.
#[test]
fn the_presets_can_train() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/roberta.toml");
    let presets: std::collections::BTreeMap<String, TrainParams> =
        toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(presets.keys().collect::<Vec<_>>(), ["custom", "hf"]);
    for (name, params) in presets {
        assert!(params.check().is_ok(), "{name}");
    }
}
