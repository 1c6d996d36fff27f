//! Fits, cross-fits and nulls on made-up tables.

use dataset::{
    CostKind, CostRule, DatasetInfo, KeptColumns, ModelInfo, Pair, PartTable, PerModel, Precision,
    PredictedCost, Predictions, Price, SplitOrigin,
};
use evaluation::worth::{GainReport, GainSettings};
use fitting::{
    BUILT_IN, Error, Folds, Learner, LearnerParams, NullSettings, Settings, Subject, cross_fit,
    cross_fit_gains, null_gains,
};
use ndarray::{Array2, Axis};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::Rows;
use saved_routers::{Embedder, FORMAT_VERSION, ModelOutputs, NewFolder, Record, SavedRouter};
use serde_json::Value;

const LEARNERS: [Learner; 7] = [
    Learner::Knn,
    Learner::Linear,
    Learner::Kernel,
    Learner::Cluster,
    Learner::Blend,
    Learner::Mf,
    Learner::Rorf,
];
const DIM: usize = 4;

/// The shipped settings, but less of everything.
fn params() -> LearnerParams {
    let mut settings: Settings = toml::from_str(BUILT_IN).expect("readable");
    settings.carrot_knn.n_neighbors = vec![2, 8];
    settings.carrot_linear.alphas = vec![3.0, 0.3];
    settings.carrot_kernel.gammas = vec![1.0];
    settings.carrot_kernel.alphas = vec![1.0, 0.1];
    settings.carrot_cluster.n_clusters = vec![2, 4];
    settings.mf.n_epochs = 2;
    settings.mf.dim = 4;
    settings.rorf.n_trees = 5;
    settings.learners().expect("good parameters")
}

/// Prompts about two things, in two tasks; each of two LLMs knows one of them, and the third LLM neither. `signal` is how much of it the
/// embeddings show.
struct World {
    info: DatasetInfo,
    table: PartTable,
    embeddings: Array2<f32>,
}

impl World {
    fn new(n_rows: usize, signal: f32) -> Self {
        Self::drawn(n_rows, signal, 7)
    }

    fn drawn(n_rows: usize, signal: f32, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let names = ["small", "large", "poor"];
        let models: Vec<ModelInfo> = names
            .iter()
            .map(|name| ModelInfo {
                name: (*name).to_owned(),
                price: Some(Price {
                    input_usd_per_mtok: 1.0,
                    output_usd_per_mtok: 2.0,
                    source: None,
                }),
                cost_rule: CostRule::InputAndOutputTokens,
            })
            .collect();
        let topics: Vec<usize> = (0..n_rows).map(|_| rng.random_range(0..2)).collect();
        let embeddings = Array2::from_shape_fn((n_rows, DIM), |(row, column)| {
            let noise: f32 = rng.random_range(-0.5..0.5);
            noise + if column == topics[row] { signal } else { 0.0 }
        });
        let scores = Array2::from_shape_fn((n_rows, 3), |(row, model)| {
            let knows = model < 2 && topics[row] == model;
            f32::from(u8::from(rng.random_bool(if knows { 0.9 } else { 0.3 })))
        });
        // The same for all LLMs, or they would be told apart by what a prompt costs before the call.
        let lengths: Vec<f64> = (0..n_rows)
            .map(|_| rng.random_range(10..50).into())
            .collect();
        let input_tokens = Array2::from_shape_fn((n_rows, 3), |(row, _)| lengths[row]);
        let output_tokens =
            Array2::from_shape_fn((n_rows, 3), |_| f64::from(rng.random_range(5..20)));
        let table = PartTable {
            ids: (0..n_rows).map(|row| row.to_string()).collect(),
            tasks: (0..n_rows).map(|row| (row % 2).to_string()).collect(),
            prompts: (0..n_rows).map(|row| format!("prompt {row}")).collect(),
            models: names.map(str::to_owned).to_vec(),
            scores,
            cost_usd: (&input_tokens + &output_tokens * 2.0) / 1e6,
            input_tokens: Some(input_tokens),
            output_tokens: Some(output_tokens),
            propensities: None,
            kept: KeptColumns::default(),
        };
        let info = DatasetInfo {
            models,
            cost_kind: CostKind::OutputTokens,
            pair: Some(Pair {
                small: "small".to_owned(),
                large: "large".to_owned(),
            }),
            split: SplitOrigin::Random {
                test_size: 0.2,
                seed: 42,
            },
            ..test_support::dataset_info("made-up", &names, [n_rows - 2, 2])
        };
        Self {
            info,
            table,
            embeddings,
        }
    }

    fn subject<'a>(&'a self, learner: Learner, params: &'a LearnerParams) -> Subject<'a> {
        Subject {
            learner,
            params,
            info: &self.info,
            table: &self.table,
            embeddings: self.embeddings.view(),
        }
    }
}

fn per_model(predictions: &Predictions) -> &PerModel {
    match predictions {
        Predictions::PerModel(per_model) => per_model,
        Predictions::SmallWins(_) => panic!("predictions of each LLM"),
    }
}

#[test]
fn a_saved_router_predicts_as_the_fitted_one() {
    let (world, params) = (World::new(60, 1.0), params());
    let folder = tempfile::tempdir().expect("a temporary folder");
    for learner in LEARNERS {
        let place = folder.path().join(learner.router());
        let embeddings = world.embeddings.view();
        let fitted = params.fit(learner, embeddings, &world.table, &world.info, &|_| {});
        let fitted = fitted.expect("fitted");
        let new = NewFolder::create(&place).expect("made");
        let contents = fitted.save(&new).expect("written");
        let record = Record {
            format_version: FORMAT_VERSION,
            router: learner.router().to_owned(),
            dataset: "made-up".to_owned(),
            train_sha256: "0".repeat(64),
            models: world.info.models.clone(),
            cost_kind: world.info.cost_kind,
            pair: world.info.pair.clone().filter(|_| learner.needs_pair()),
            embedder: Some(Embedder {
                name: "given".to_owned(),
                model: None,
                sha256: None,
                server: None,
                dim: DIM,
                truncate: None,
                precision: Precision::F32,
                license: None,
            }),
            base: None,
            contents,
            token_lines: None,
            config: Value::Null,
            results: fitted.results(),
            made_by: "a test".to_owned(),
            files: Vec::new(),
        };
        new.commit(&record).expect("put in place");
        let opened = SavedRouter::open(&place).expect("opened");
        let saved = opened
            .model
            .predict(embeddings, &|_| {})
            .expect("predicted");
        let in_memory = fitted.predict(embeddings, &|_| {}).expect("predicted");
        assert_eq!(Learner::of_router(learner.router()), Some(learner));
        assert!(!fitted.summary(&world.table.models).is_empty());
        check_close(learner, &saved, &in_memory);
    }
}

/// Coefficients that are stored as float32 move predictions by their rounding.
const STORED: f32 = 1e-5;

fn check_close(learner: Learner, saved: &ModelOutputs, in_memory: &ModelOutputs) {
    let close = |a: f32, b: f32| (a - b).abs() <= STORED * b.abs().max(1.0);
    let (scores, tokens) = match (saved, in_memory) {
        (ModelOutputs::PerModel(saved), ModelOutputs::PerModel(in_memory)) => {
            let tokens = match (&saved.cost, &in_memory.cost) {
                (PredictedCost::OutputTokens(a), PredictedCost::OutputTokens(b)) => {
                    a.iter().zip(b).all(|(&a, &b)| close(a, b))
                }
                (a, b) => a == b,
            };
            let mut scores = saved.scores.iter().zip(&in_memory.scores);
            (scores.all(|(&a, &b)| close(a, b)), tokens)
        }
        (ModelOutputs::SmallWins(a), ModelOutputs::SmallWins(b)) => {
            (a.iter().zip(b).all(|(&a, &b)| close(a, b)), true)
        }
        _ => panic!("{learner:?}: of two kinds"),
    };
    assert!(
        scores && tokens,
        "{learner:?}: scores {scores}, costs {tokens}"
    );
}

#[test]
fn a_fold_is_predicted_by_the_other_rows_alone() {
    let (mut world, params) = (World::new(60, 1.0), params());
    let folds = Folds::shuffled(60, 3, 42, None).expect("enough rows");
    for learner in LEARNERS {
        let before = cross_fit(&world.subject(learner, &params), &folds, &|_| {});
        let before = before.expect("cross-fitted");
        assert_eq!(before.out_of_fold.folds, folds.of_row());
        assert_eq!(before.fits.len(), 3);
        assert_eq!((before.fits[0].n_train, before.fits[0].n_judged), (40, 20));
        let judged = folds.judged(1);
        // By hand: a fit on the rows of folds 0 and 2.
        let trained = folds.trained(1);
        let fitted = params.fit(
            learner,
            world.embeddings.select(Axis(0), &trained).view(),
            &world.table.select(&trained),
            &world.info,
            &|_| {},
        );
        let expected = fitted.expect("fitted").predictions(
            world.embeddings.select(Axis(0), &judged).view(),
            &world.table.select(&judged),
            &world.info,
            &|_| {},
        );
        let found = before.out_of_fold.predictions.select(&judged);
        assert_same_choices(&found, &expected.expect("predicted"));

        // Other truths of the fold change what its rows say of others, and nothing of what is predicted for them.
        let scores = world.table.scores.clone();
        let tokens = world.table.output_tokens.clone();
        for &row in &judged {
            (world.table.scores.row_mut(row)).mapv_inplace(|score| 1.0 - score);
            let tokens = world.table.output_tokens.as_mut().expect("tokens");
            tokens.row_mut(row).mapv_inplace(|n| n + 100.0);
        }
        let after = cross_fit(&world.subject(learner, &params), &folds, &|_| {});
        let after = after.expect("cross-fitted").out_of_fold.predictions;
        assert_same_choices(&after.select(&judged), &found);
        assert_ne!(after, before.out_of_fold.predictions, "{learner:?}");
        (world.table.scores, world.table.output_tokens) = (scores, tokens);
    }
}

/// The same scores and costs. Tokens of a fold that does not route are unknown where those of another are not.
fn assert_same_choices(a: &Predictions, b: &Predictions) {
    match (a, b) {
        (Predictions::PerModel(a), Predictions::PerModel(b)) => {
            assert_eq!((&a.scores, &a.cost_usd), (&b.scores, &b.cost_usd));
        }
        (a, b) => assert_eq!(a, b),
    }
}

#[test]
fn rows_that_only_train_have_no_prediction() {
    let (world, params) = (World::new(40, 1.0), params());
    let times: Vec<f64> = (0..40).map(f64::from).collect();
    let folds = Folds::in_order(&times, 4, None).expect("enough rows");
    let fitted = cross_fit(&world.subject(Learner::Linear, &params), &folds, &|_| {});
    let fitted = fitted.expect("cross-fitted");
    let n_train: Vec<usize> = fitted.fits.iter().map(|fit| fit.n_train).collect();
    assert_eq!(n_train, [10, 20, 30]);
    let scores = &per_model(&fitted.out_of_fold.predictions).scores;
    for row in 0..40 {
        let is_known = scores.row(row).iter().all(|score| !score.is_nan());
        assert_eq!(is_known, row >= 10, "{row}");
    }
    let other = Folds::shuffled(30, 3, 42, None).expect("enough rows");
    let error = cross_fit(&world.subject(Learner::Linear, &params), &other, &|_| {});
    assert!(matches!(error, Err(Error::RowCount { found: 30, .. })));
}

#[test]
fn a_signal_stands_out_against_permuted_prompts() {
    let params = params();
    let folds = Folds::shuffled(120, 3, 42, None).expect("enough rows");
    let settings = NullSettings {
        n_permutations: 9,
        seed: 42,
    };
    for learner in [Learner::Knn, Learner::Linear] {
        let world = World::new(120, 1.5);
        let subject = world.subject(learner, &params);
        let fitted = cross_fit(&subject, &folds, &|_| {}).expect("cross-fitted");
        let counted = std::sync::atomic::AtomicU64::new(0);
        let null = null_gains(&subject, &folds, &fitted.out_of_fold, settings, &|n| {
            counted.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
        });
        let null = null.expect("permuted");
        assert_eq!(counted.into_inner(), 2 * 9 * 3);
        assert_eq!((null.over_all.len(), null.within_tasks.len()), (9, 9));
        // The least that nine permutations can give: none of them is as good. Tasks do not tell the topic.
        assert_eq!((null.p_over_all(), null.p_within_tasks()), (0.1, 0.1));
        assert!(null.observed > 0.05, "{}", null.observed);
        // The same number by the measure itself.
        let gains = cross_fit_gains(learner, &world.table, &[(&fitted.out_of_fold, &folds)]);
        let report = GainReport::new(
            &gains.expect("measured"),
            None,
            &GainSettings {
                level: 0.95,
                n_resamples: 100,
                seed: 1,
            },
        );
        let mean = report.expect("measured").mean.value;
        assert!(
            (mean - null.observed).abs() < 1e-9,
            "{mean}, {}",
            null.observed
        );
    }
    let world = World::new(120, 1.5);
    let pair = world.subject(Learner::Rorf, &params);
    let fitted = cross_fit(&pair, &folds, &|_| {}).expect("cross-fitted");
    let error = null_gains(&pair, &folds, &fitted.out_of_fold, settings, &|_| {});
    assert!(matches!(error, Err(Error::NoGain { router: "rorf" })));
}

#[test]
fn where_embeddings_say_nothing_the_blend_sends_all_prompts_to_one_llm() {
    let params = params();
    let fit = |seed| {
        let world = World::drawn(80, 0.0, seed);
        let embeddings = world.embeddings.view();
        let fitted = params.fit(
            Learner::Blend,
            embeddings,
            &world.table,
            &world.info,
            &|_| {},
        );
        (world, fitted.expect("fitted"))
    };
    // The rule may route where there is nothing to learn, as chance has it.
    let (world, fitted) = (0..20)
        .map(fit)
        .find(|(_, fitted)| fitted.results()["routes"] == Value::Bool(false))
        .expect("one of twenty does not route");
    let predicted = fitted.predictions(world.embeddings.view(), &world.table, &world.info, &|_| {});
    let predicted = predicted.expect("predicted");
    let PerModel {
        scores, cost_usd, ..
    } = per_model(&predicted);
    assert!(scores.outer_iter().all(|row| row == scores.row(0)));
    // Also where prompts differ in length: costs that followed it would route.
    assert!(cost_usd.outer_iter().all(|row| row == cost_usd.row(0)));
    assert!(cost_usd.iter().all(|cost| cost.is_finite()));
}

#[test]
fn k_is_chosen_as_the_table_asks() {
    let (mut world, params) = (World::new(40, 1.0), params());
    let selection = |world: &World| {
        let embeddings = world.embeddings.view();
        let fitted = params.fit(Learner::Knn, embeddings, &world.table, &world.info, &|_| {});
        fitted.expect("fitted").results()["selection"].clone()
    };
    assert_eq!(selection(&world), "paper");
    world.table.scores[[3, 1]] = f32::NAN;
    assert_eq!(selection(&world), "r2", "an unknown score");
    world.table.scores[[3, 1]] = 1.0;
    world.info.split = SplitOrigin::Given;
    assert_eq!(selection(&world), "r2", "a split of its own");
}

#[test]
fn one_unknown_score_decides_alike_for_all_folds() {
    let (mut world, params) = (World::new(60, 1.0), params());
    // Row 0 is unseen by the fit that predicts it, whose rows are all known.
    world.table.scores[[0, 1]] = f32::NAN;
    let folds = Folds::shuffled(60, 3, 42, None).expect("enough rows");
    let fitted = cross_fit(&world.subject(Learner::Knn, &params), &folds, &|_| {});
    for fit in fitted.expect("cross-fitted").fits {
        assert_eq!(fit.results["selection"], "r2");
    }
}

#[test]
fn groups_and_equal_prompts_stay_together_within_fits() {
    // Rows 2 i and 2 i + 1 are of one group, and rows i and i + 60 of one prompt, with embeddings of their own.
    let (mut world, params) = (World::new(120, 1.0), params());
    for row in 0..120 {
        world.table.prompts[row] = format!("prompt {}", row % 60);
    }
    let groups: Vec<usize> = (0..120).map(|row| row / 2).collect();
    let together: Vec<usize> = (0..120).map(|row| row % 60 / 2).collect();
    let folds = Folds::shuffled(120, 3, 42, Some(&groups)).expect("enough rows");
    assert_eq!(folds.groups(), Some(&*groups));
    let (learner, info) = (Learner::Linear, &world.info);
    let fitted = cross_fit(&world.subject(learner, &params), &folds, &|_| {});
    let fits = fitted.expect("cross-fitted").fits;
    let results = |rows: &[usize], of: Option<&[usize]>| {
        let groups: Option<Vec<usize>> = of.map(|of| rows.iter().map(|&row| of[row]).collect());
        let embeddings = world.embeddings.select(Axis(0), rows);
        let rows_of_fold = Rows {
            embeddings: embeddings.view(),
            groups: groups.as_deref(),
        };
        let prepared = params.prepare(learner, rows_of_fold, &|_| {});
        let fitted = (prepared.expect("prepared")).fit(&world.table.select(rows), info, &|_| {});
        fitted.expect("fitted").results()
    };
    for (fold, fit) in (0..3).zip(fits) {
        let trained = folds.trained(fold);
        assert_eq!(fit.results, results(&trained, Some(&together)));
        assert_ne!(fit.results, results(&trained, Some(&groups)));
        assert_ne!(fit.results, results(&trained, None));
    }
    // A fit to a table knows its prompts.
    let all: Vec<usize> = (0..120).collect();
    let prompts: Vec<usize> = (0..120).map(|row| row % 60).collect();
    let fitted = params.fit(
        learner,
        world.embeddings.view(),
        &world.table,
        info,
        &|_| {},
    );
    let found = fitted.expect("fitted").results();
    assert_eq!(found, results(&all, Some(&prompts)));
    assert_ne!(found, results(&all, None));
}
