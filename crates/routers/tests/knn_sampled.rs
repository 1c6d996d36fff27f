//! k by sampled rows, each predicted from all others.

use ndarray::{Array2, ArrayView1, Axis, concatenate};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{
    Backend, Error, KnnParams, PreparedKnn, RoutingCosts, Rows, Selection, Target, TargetFit,
};

const N_MODELS: usize = 3;

fn params(selection: Selection, tune_queries: usize) -> KnnParams {
    KnnParams {
        n_neighbors: vec![1, 2, 4, 8, 16, 32, 64],
        n_folds: 5,
        tune_queries,
        selection,
        seed: 42,
        backend: Backend::Gemm,
    }
}

/// Points in few dimensions, of which a wave of scores is seen through noise.
fn world(n_rows: usize, seed: u64) -> (Array2<f32>, Array2<f32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let rows = Array2::from_shape_simple_fn((n_rows, 4), || rng.random_range(-1.0_f32..1.0));
    let scores = Array2::from_shape_fn((n_rows, N_MODELS), |(row, model)| {
        let x: ArrayView1<'_, f32> = rows.row(row);
        let length = x.dot(&x).sqrt();
        let wave = (4.0 * x[model] / length).sin();
        (0.5 + 0.2 * wave + rng.random_range(-0.5..0.5)).clamp(0.0, 1.0)
    });
    (rows, scores)
}

fn target(values: &Array2<f32>) -> [Target; 1] {
    [Target {
        name: "score".to_owned(),
        values: values.clone(),
    }]
}

fn prepare(params: KnnParams, rows: &Array2<f32>, groups: Option<&[usize]>) -> PreparedKnn {
    let rows = Rows {
        embeddings: rows.view(),
        groups,
    };
    let params = params.check().expect("good parameters");
    params.prepare(rows, &|_| ()).expect("prepared")
}

fn fit(params: KnnParams, rows: &Array2<f32>, scores: &Array2<f32>) -> TargetFit {
    let knn = prepare(params, rows, None).fit(&target(scores));
    knn.expect("fitted").fits()[0].clone()
}

/// R2 of the mean of the k nearest others, all in float64.
fn leave_one_out(rows: &Array2<f32>, scores: &Array2<f32>, k: usize) -> f64 {
    let rows = rows.mapv(f64::from);
    let scores = scores.mapv(f64::from);
    let n = rows.nrows();
    let mut predicted = Array2::<f64>::zeros(scores.dim());
    for row in 0..n {
        let x = rows.row(row);
        let mut others: Vec<(f64, usize)> = (0..n)
            .filter(|&other| other != row)
            .map(|other| {
                let y = rows.row(other);
                (-x.dot(&y) / y.dot(&y).sqrt(), other)
            })
            .collect();
        others.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
        let nearest: Vec<usize> = others[..k].iter().map(|it| it.1).collect();
        let mean = scores.select(Axis(0), &nearest).mean_axis(Axis(0));
        predicted.row_mut(row).assign(&mean.expect("at least one"));
    }
    let of_model = |m: usize| {
        let y = scores.column(m);
        let mean = y.mean().expect("rows");
        let error = (&y - &predicted.column(m)).mapv(|it| it * it).sum();
        1.0 - error / y.mapv(|it| (it - mean).powi(2)).sum()
    };
    (0..N_MODELS).map(of_model).sum::<f64>() / N_MODELS as f64
}

#[test]
fn all_rows_are_a_plain_leave_one_out() {
    let (rows, scores) = world(300, 1);
    for selection in [Selection::Paper, Selection::R2] {
        // More than there are.
        let found = fit(params(selection, 10_000), &rows, &scores);
        assert_eq!(found.n_queries, Some(300));
        let expected: Vec<f64> = (found.cross_validation.iter())
            .map(|it| leave_one_out(&rows, &scores, it.n_neighbors))
            .collect();
        let best = (0..expected.len()).max_by(|&a, &b| expected[a].total_cmp(&expected[b]));
        for (score, expected) in found.cross_validation.iter().zip(&expected) {
            assert!(
                (score.mean_r2 - expected).abs() < 1e-6,
                "{score:?}, {expected}"
            );
        }
        let best = found.cross_validation[best.expect("candidates")];
        assert_eq!(found.n_neighbors, best.n_neighbors);
    }
}

#[test]
fn a_sample_chooses_about_what_all_choose_and_says_how_sure_it_is() {
    let (rows, scores) = world(4_000, 2);
    let all = fit(params(Selection::Paper, 4_000), &rows, &scores);
    let score_of = |fit: &TargetFit, k: usize| {
        let mut scores = fit.cross_validation.iter();
        *scores.find(|it| it.n_neighbors == k).expect("a candidate")
    };
    let mut n_within = 0;
    for seed in 0..20 {
        let params = KnnParams {
            seed,
            ..params(Selection::Paper, 1_000)
        };
        let sample = fit(params, &rows, &scores);
        assert_eq!(sample.n_queries, Some(1_000));
        // At most one candidate further, where R2 is as good as the best.
        let (k, best) = (sample.n_neighbors, all.n_neighbors);
        assert!(2 * k >= best && k <= 2 * best, "{k} for {best}");
        let loss = score_of(&all, best).mean_r2 - score_of(&all, k).mean_r2;
        assert!(loss < 0.006, "{loss}");
        let score = score_of(&sample, best);
        let error = score.standard_error.expect("a sample has one");
        n_within += usize::from((score.mean_r2 - score_of(&all, best).mean_r2).abs() < 2.0 * error);
    }
    assert!(
        n_within >= 17,
        "{n_within} of 20 within two standard errors"
    );
}

#[test]
fn candidates_grow_with_the_rows_whatever_the_selection() {
    let (rows, scores) = world(4_000, 3);
    for selection in [Selection::Paper, Selection::R2] {
        let found = fit(params(selection, 200), &rows, &scores);
        let ks: Vec<usize> = (found.cross_validation.iter())
            .map(|it| it.n_neighbors)
            .collect();
        assert_eq!(ks, [1, 2, 4, 8, 16, 32, 64, 128]);
    }
}

/// Copies of a prompt with the same scores would say that the nearest one knows best.
#[test]
fn copies_and_groups_do_not_predict_each_other() {
    let (rows, scores) = world(600, 4);
    let alone = fit(params(Selection::R2, 600), &rows, &scores);
    assert!(alone.n_neighbors > 4, "{alone:?}");
    let twice = |all: &Array2<f32>| concatenate(Axis(0), &[all.view(), all.view()]).expect("one");
    let (rows, scores) = (twice(&rows), twice(&scores));
    let copied = fit(params(Selection::R2, 1_200), &rows, &scores);
    assert!(copied.n_neighbors > 4, "{copied:?}");
    // Not quite copies, of which only their group says that they belong together.
    let mut near = rows;
    near.slice_mut(ndarray::s![600.., ..])
        .mapv_inplace(|it| it * 1.0001 + 1e-4);
    let groups: Vec<usize> = (0..1_200).map(|row| row % 600).collect();
    let k = |groups| {
        let prepared = prepare(params(Selection::R2, 1_200), &near, groups);
        prepared.fit(&target(&scores)).expect("fitted").fits()[0].n_neighbors
    };
    assert_eq!(k(None), 1, "as if they were not known");
    assert!(k(Some(&groups)) > 4);
}

#[test]
fn by_what_routing_gains() {
    let (rows, scores) = world(1_500, 5);
    // All cost the same, so that only scores tell.
    let cost_usd = Array2::from_elem(scores.dim(), 0.001);
    let predicted = |_: Option<&Array2<f32>>| cost_usd.clone();
    let costs = RoutingCosts {
        cost_usd: cost_usd.view(),
        predicted_usd: &predicted,
        inverse_propensities: None,
    };
    let targets = [target(&scores), target(&scores)].concat();
    for n_queries in [700, 1_500] {
        let prepared = prepare(params(Selection::Utility, n_queries), &rows, None);
        let knn = prepared.fit_to_route(&targets, &costs).expect("fitted");
        let [score, cost] = knn.fits() else {
            panic!("two targets")
        };
        assert_eq!(score.n_queries, Some(n_queries));
        let best = (score.cross_validation.iter())
            .max_by(|a, b| a.mean_gain.partial_cmp(&b.mean_gain).expect("known"));
        let best = best.expect("candidates");
        assert_eq!(best.n_neighbors, score.n_neighbors);
        let (gain, error) = (best.mean_gain.expect("a gain"), best.standard_error);
        assert!(gain > 3.0 * error.expect("a standard error"), "{best:?}");
        let least = (cost.cross_validation.iter()).min_by(|a, b| {
            a.difference_error
                .partial_cmp(&b.difference_error)
                .expect("known")
        });
        assert_eq!(least.expect("candidates").n_neighbors, cost.n_neighbors);
        let error = prepared.fit(&targets).expect_err("it knows no dollars");
        assert!(matches!(error, Error::BadParameter { .. }), "{error}");
    }
}

/// In a log with one answer per prompt each LLM has neighbors of its own.
#[test]
fn a_log_is_searched_by_all_its_rows() {
    let (rows, mut scores) = world(900, 6);
    for ((row, model), score) in scores.indexed_iter_mut() {
        if row % N_MODELS != model {
            *score = f32::NAN;
        }
    }
    let sampled = fit(params(Selection::R2, 100), &rows, &scores);
    assert!(sampled.prior_values.is_some() && sampled.n_queries.is_none());
    assert_eq!(sampled, fit(params(Selection::R2, 0), &rows, &scores));
}

#[test]
fn the_same_bits_whatever_the_threads_and_every_row_counts_once() {
    let (rows, scores) = world(1_000, 7);
    let with = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .expect("a thread pool");
        pool.install(|| fit(params(Selection::R2, 300), &rows, &scores))
    };
    assert_eq!(with(1), with(3));
    for n_queries in [1, 3, 300] {
        let n_done = std::sync::atomic::AtomicU64::new(0);
        let count = |n| _ = n_done.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
        let params = params(Selection::R2, n_queries).check().expect("good");
        params.prepare(rows.view(), &count).expect("prepared");
        assert_eq!(n_done.into_inner(), 1_000, "{n_queries}");
    }
}

#[test]
fn few_rows_have_no_choice() {
    let (rows, scores) = world(1, 8);
    let found = fit(params(Selection::R2, 10), &rows, &scores);
    assert_eq!((found.n_neighbors, found.n_queries), (1, None));
    assert!(found.cross_validation.is_empty());
    // All of one group.
    let (rows, scores) = world(20, 8);
    let prepared = prepare(params(Selection::R2, 10), &rows, Some(&[0; 20]));
    let knn = prepared.fit(&target(&scores)).expect("fitted");
    assert!(knn.fits()[0].cross_validation.is_empty());
}

/// What earlier versions recorded of a fit is what this one records where it fits as they did.
#[test]
fn no_sample_is_not_recorded() {
    let json = |n| serde_json::to_value(params(Selection::Paper, n)).expect("JSON");
    assert!(json(0).get("tune-queries").is_none());
    assert_eq!(json(7)["tune-queries"], 7);
    let (rows, scores) = world(100, 9);
    let found = serde_json::to_string(&fit(params(Selection::Paper, 0), &rows, &scores));
    let found = found.expect("JSON");
    assert!(
        !found.contains("queries") && !found.contains("standard-error"),
        "{found}"
    );
}
