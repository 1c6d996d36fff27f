//! Logs with one answer per prompt, whose policy went by the prompt.

use dataset::{
    CostKind, CostRule, DatasetInfo, KeptColumns, ModelInfo, PartTable, Predictions, SplitOrigin,
    TablePropensities,
};
use fitting::{
    BUILT_IN, Folds, Learner, LearnerParams, LogPropensities, Settings, Subject, cross_fit,
    log_propensities,
};
use ndarray::{Array2, Axis};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const N_ROWS: usize = 900;
const NAMES: [&str; 3] = ["a", "b", "c"];
/// On hard prompts; on easy ones .3 more.
const SKILLS: [f64; 3] = [0.3, 0.4, 0.2];
/// Of hard and of easy prompts.
const POLICY: [[f64; 3]; 2] = [[0.1, 0.45, 0.45], [0.8, 0.1, 0.1]];

/// Half of the prompts are easy, which the embedding tells. The policy sends those to `a`, so that its plain mean is better than that of `b`, which is
/// better at both kinds.
struct Log {
    info: DatasetInfo,
    table: PartTable,
    embeddings: Array2<f32>,
    policy: Array2<f64>,
}

impl Log {
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(15);
        let easy: Vec<usize> = (0..N_ROWS).map(|_| rng.random_range(0..2)).collect();
        let embeddings = Array2::from_shape_fn((N_ROWS, 4), |(row, column)| {
            let noise: f32 = rng.random_range(-0.3..0.3);
            noise + if column == easy[row] { 1.0 } else { 0.0 }
        });
        let mut scores = Array2::from_elem((N_ROWS, 3), f32::NAN);
        let mut cost_usd = Array2::from_elem((N_ROWS, 3), f64::NAN);
        for row in 0..N_ROWS {
            let drawn: f64 = rng.random();
            let policy = POLICY[easy[row]];
            let model = match drawn {
                p if p < policy[0] => 0,
                p if p < policy[0] + policy[1] => 1,
                _ => 2,
            };
            let skill = SKILLS[model] + 0.3 * easy[row] as f64;
            scores[[row, model]] = f32::from(u8::from(rng.random_bool(skill)));
            cost_usd[[row, model]] = 1e-3 * rng.random_range(0.9..1.1);
        }
        let model = |name: &&str| ModelInfo {
            name: (*name).to_owned(),
            price: None,
            cost_rule: CostRule::InputAndOutputTokens,
        };
        Self {
            info: DatasetInfo {
                models: NAMES.iter().map(model).collect(),
                cost_kind: CostKind::Usd,
                pair: None,
                split: SplitOrigin::Random {
                    test_size: 0.2,
                    seed: 42,
                },
                ..test_support::dataset_info("log", &NAMES, [N_ROWS - 100, 100])
            },
            table: PartTable {
                ids: (0..N_ROWS).map(|row| row.to_string()).collect(),
                tasks: vec!["log".to_owned(); N_ROWS],
                prompts: (0..N_ROWS).map(|row| format!("prompt {row}")).collect(),
                models: NAMES.map(str::to_owned).to_vec(),
                scores,
                cost_usd,
                input_tokens: None,
                output_tokens: None,
                propensities: None,
                kept: KeptColumns::default(),
            },
            embeddings,
            policy: Array2::from_shape_fn((N_ROWS, 3), |(row, m)| POLICY[easy[row]][m]),
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

fn params() -> LearnerParams {
    let mut settings: Settings = toml::from_str(BUILT_IN).expect("readable");
    settings.carrot_knn.n_neighbors = vec![8];
    settings.carrot_linear.alphas = vec![3.0];
    settings.carrot_kernel.gammas = vec![1.0];
    settings.carrot_kernel.alphas = vec![1.0];
    settings.carrot_cluster.n_clusters = vec![2];
    settings.learners().expect("good parameters")
}

fn folds() -> Folds {
    Folds::shuffled(N_ROWS, 5, 42, None).expect("enough rows")
}

#[test]
fn a_policy_is_estimated_by_rows_of_other_folds() {
    let (mut log, params, folds) = (Log::new(), params(), folds());
    let estimate = |log: &Log| {
        log_propensities(&log.subject(Learner::Linear, &params), &folds, &|_| {}).expect("fitted")
    };
    let found = estimate(&log).expect("a log without propensities");
    let off = (&found.values - &log.policy)
        .mapv(f64::abs)
        .mean()
        .expect("some");
    assert!(off < 0.05, "{off}");
    let calibration = found.calibration;
    assert!(
        calibration.log_loss < calibration.log_loss_of_shares - 0.1,
        "{calibration:?}"
    );
    assert!(calibration.least_weight > 0.75, "{calibration:?}");
    assert!(calibration.largest_weight < 1.35, "{calibration:?}");
    assert_eq!(found.fits.len(), 5);
    assert!(
        found
            .fits
            .iter()
            .all(|fit| fit.alpha.is_some() && fit.n_rows == 720)
    );

    // A fold's estimates do not change with whom its own rows were asked of.
    let first = folds.judged(0);
    let mut other = Log::new();
    for &row in &first {
        let mut scores = other.table.scores.row_mut(row);
        scores.fill(f32::NAN);
        scores[2] = 1.0;
        other.table.cost_usd.row_mut(row).fill(1e-3);
    }
    let same = estimate(&other).expect("still a log");
    let of_fold = |values: &Array2<f64>| values.select(Axis(0), &first);
    assert_eq!(of_fold(&same.values), of_fold(&found.values));

    // What is recorded, and tables with several answers, are left alone.
    log.table.propensities = Some(TablePropensities::recorded(log.policy.clone()));
    assert_eq!(estimate(&log), None);
    log.table.propensities = None;
    log.table.scores.row_mut(3).fill(1.0);
    log.table.cost_usd.row_mut(3).fill(1e-3);
    assert_eq!(estimate(&log), None);
}

#[test]
fn what_a_data_set_keeps_is_what_a_fit_would_give() {
    let (mut log, params, folds) = (Log::new(), params(), folds());
    let found = log_propensities(&log.subject(Learner::Linear, &params), &folds, &|_| {});
    let found = found.expect("fitted").expect("a log");
    let kept = found.to_keep(&params, &log.table, &folds).expect("kept");
    assert_eq!(kept.fit["settings"]["seed"], 42);
    assert_eq!(kept.fit["fits"].as_array().map(Vec::len), Some(5));
    let again = LogPropensities::kept(kept.clone(), &params, &folds);
    assert_eq!(again.as_ref(), Some(&found));
    // Of other folds, or by other settings, it is another estimate.
    let others = Folds::shuffled(N_ROWS, 5, 43, None).expect("enough rows");
    assert_eq!(LogPropensities::kept(kept.clone(), &params, &others), None);
    let mut other = params.clone();
    let mut settings = params.propensity.params().clone();
    settings.alphas.pop();
    other.propensity = settings.check().expect("good settings");
    assert_eq!(LogPropensities::kept(kept, &other, &folds), None);

    // What is kept is for judging: a fit estimates its own, and gives the same.
    let lone = cross_fit(&log.subject(Learner::Blend, &params), &folds, &|_| {}).expect("fitted");
    log.table.propensities = Some(TablePropensities::estimated(found.values.clone()));
    let with = cross_fit(&log.subject(Learner::Blend, &params), &folds, &|_| {}).expect("fitted");
    assert_eq!(with.propensities.as_ref(), Some(&found));
    assert_eq!(with.out_of_fold, lone.out_of_fold);
    let truth = evaluation::Truth::of(&log.table).expect("a truth");
    let source = truth.propensities().source();
    assert_eq!(source, evaluation::PropensitySource::Estimated);
}

#[test]
fn rows_in_order_of_time_are_estimated_by_earlier_ones() {
    let (log, params) = (Log::new(), params());
    let times: Vec<f64> = (0..N_ROWS).map(|row| row as f64).collect();
    let folds = Folds::in_order(&times, 3, None).expect("enough rows");
    let subject = log.subject(Learner::Linear, &params);
    let found = log_propensities(&subject, &folds, &|_| {}).expect("fitted");
    let found = found.expect("a log");
    assert!(found.values.iter().all(|p| *p > 0.0 && *p <= 1.0));
    assert_eq!(
        found.fits.iter().map(|fit| fit.n_rows).collect::<Vec<_>>(),
        [300, 600]
    );
}

#[test]
fn a_router_that_does_not_route_knows_the_better_llm_all_the_same() {
    let (mut log, params, folds) = (Log::new(), params(), folds());
    let known = |m: usize| {
        log.table
            .scores
            .column(m)
            .iter()
            .copied()
            .filter(|s| !s.is_nan())
            .collect::<Vec<f32>>()
    };
    let plain = |m: usize| known(m).iter().sum::<f32>() / known(m).len() as f32;
    assert!(plain(0) > plain(1) + 0.05, "the log makes `a` look better");
    let lead = |log: &Log| {
        let fitted = cross_fit(&log.subject(Learner::Blend, &params), &folds, &|_| {});
        let fitted = fitted.expect("fitted");
        let Predictions::PerModel(predicted) = &fitted.out_of_fold.predictions else {
            panic!("predictions of each LLM");
        };
        let means = predicted.scores.mean_axis(Axis(0)).expect("rows");
        (means[1] - means[0], fitted.propensities.is_some())
    };
    let (estimated, is_estimated) = lead(&log);
    assert!(is_estimated && estimated > 0.02, "{estimated}");
    log.table.propensities = Some(TablePropensities::recorded(log.policy.clone()));
    let (recorded, is_estimated) = lead(&log);
    assert!(!is_estimated && recorded > 0.02, "{recorded}");
}
