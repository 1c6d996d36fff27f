//! What KNN makes of unknown values: of logs with one answer per prompt, and of an LLM with few scores.

use ndarray::{Array2, ArrayView1, Axis, array, s};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{Backend, Error, Knn, KnnParams, RoutingCosts, Selection, Target, UnitRows};

/// Sums of float32 values, in another order.
const TOLERANCE: f64 = 1e-6;

fn random(shape: (usize, usize), seed: u64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn(shape, || rng.random_range(-1.0..1.0))
}

fn target(values: Array2<f32>) -> Target {
    Target {
        name: "score".to_owned(),
        values,
    }
}

fn params(n_neighbors: &[usize], selection: Selection) -> KnnParams {
    KnnParams {
        n_neighbors: n_neighbors.to_vec(),
        n_folds: 5,
        tune_queries: 0,
        selection,
        seed: 42,
        backend: Backend::Gemm,
    }
}

fn fit(rows: &Array2<f32>, scores: &Array2<f32>, selection: Selection) -> Knn {
    let params = params(&[2, 8, 32, 128], selection).check().expect("good");
    let cost_usd = Array2::ones(scores.dim());
    let costs = RoutingCosts {
        cost_usd: cost_usd.view(),
        predicted_usd: &|_| Array2::ones(cost_usd.dim()),
        inverse_propensities: None,
    };
    let prepared = params.prepare(rows.view(), &|_| ()).expect("prepared");
    (prepared.fit_to_route(&[target(scores.clone())], &costs)).expect("fitted")
}

fn predict(knn: &Knn, queries: &Array2<f32>) -> Array2<f32> {
    (knn.predict(queries.view(), &|_| ()))
        .expect("predicted")
        .remove(0)
}

/// One known score per row, of an LLM drawn by these weights.
fn log_of(scores: &Array2<f32>, weights: &[f64], seed: u64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut log = Array2::from_elem(scores.dim(), f32::NAN);
    for row in 0..scores.nrows() {
        let mut left = rng.random_range(0.0..weights.iter().sum());
        let drawn = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        let m = drawn.expect("below the sum");
        log[[row, m]] = scores[[row, m]];
    }
    log
}

/// The formula of [`Knn::counting_known`], written down plainly.
fn by_the_formula(
    rows: &Array2<f32>,
    values: &Array2<f32>,
    query: ArrayView1<'_, f32>,
    k: usize,
    strength: f64,
) -> Vec<f64> {
    let cosine = |row: usize| {
        let (a, b) = (rows.row(row), query);
        let dot = |a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>| -> f64 {
            a.iter()
                .zip(b)
                .map(|(x, y)| f64::from(*x) * f64::from(*y))
                .sum()
        };
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let of_model = |m: usize| {
        let mut known: Vec<usize> = (0..rows.nrows())
            .filter(|&row| !values[[row, m]].is_nan())
            .collect();
        known.sort_by(|&a, &b| cosine(b).total_cmp(&cosine(a)));
        let value = |&row: &usize| f64::from(values[[row, m]]);
        let n = known.len() as f64;
        let mean = known.iter().map(value).sum::<f64>() / n;
        let squares: f64 = known.iter().map(|row| (value(row) - mean).powi(2)).sum();
        let nearest = &known[..k.min(known.len())];
        let found = nearest.iter().map(value).sum::<f64>() / nearest.len() as f64;
        (found, mean, (squares / n).sqrt(), n)
    };
    let models: Vec<_> = (0..values.ncols()).map(of_model).collect();
    let parts: Vec<f64> = models
        .iter()
        .map(|(found, mean, sd, _)| (found - mean) / sd)
        .collect();
    let level = parts.iter().sum::<f64>() / parts.len() as f64;
    let drawn = |(&(_, mean, sd, n), part): (&(f64, f64, f64, f64), &f64)| {
        mean + sd * (level + n / (n + strength) * (part - level))
    };
    models.iter().zip(&parts).map(drawn).collect()
}

#[test]
fn neighbors_that_know_are_counted() {
    let (rows, queries) = (random((150, 6), 1), random((12, 6), 2));
    let log = log_of(&random((150, 3), 3), &[1.0, 4.0, 0.5], 4);
    let n_known = |m: usize| log.column(m).iter().filter(|it| !it.is_nan()).count();
    assert!(n_known(2) < 32, "fewer than k know it");
    let unit = UnitRows::new(rows.clone()).expect("finite");
    for (k, strength) in [(1, 0.0), (8, 0.0), (8, 20.0), (32, 3.5)] {
        let knn = Knn::from_parts(unit.clone(), &[target(log.clone())], &[k], Backend::Gemm)
            .and_then(|knn| knn.counting_known(&[Some(strength)]))
            .expect("good parts");
        let predicted = predict(&knn, &queries);
        for (query, predicted) in queries.outer_iter().zip(predicted.outer_iter()) {
            let expected = by_the_formula(&rows, &log, query, k, strength);
            for (value, expected) in predicted.iter().zip(expected) {
                assert!(
                    (f64::from(*value) - expected).abs() < TOLERANCE,
                    "{value}, not {expected}"
                );
            }
        }
        let single = predict(&knn, &queries.slice(s![3..4, ..]).to_owned());
        assert_eq!(single.row(0), predicted.row(3), "whatever the batch");
    }
}

#[test]
fn complete_tables_are_the_same_whatever_is_counted() {
    let (rows, queries, scores) = (random((90, 5), 5), random((9, 5), 6), random((90, 4), 7));
    let unit = UnitRows::new(rows).expect("finite");
    let all = Knn::from_parts(unit, &[target(scores)], &[16], Backend::Gemm).expect("good parts");
    let known = all.clone().counting_known(&[Some(0.0)]).expect("good");
    let difference = predict(&all, &queries) - predict(&known, &queries);
    assert!(difference.iter().all(|it| it.abs() < 1e-6));
    assert!(matches!(
        all.clone().counting_known(&[]),
        Err(Error::Shape { .. })
    ));
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let refused = all.clone().counting_known(&[Some(bad)]);
        assert!(matches!(refused, Err(Error::BadParameter { .. })), "{bad}");
    }
}

/// Three kinds of prompts; each LLM is right on its own kind with probability .9, elsewhere with .5, and all fail on hard prompts of every kind.
fn world(n_rows: usize, n_models: usize, seed: u64) -> (Array2<f32>, Array2<f32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rows = Array2::zeros((n_rows, n_models + 1));
    let mut scores = Array2::zeros((n_rows, n_models));
    for row in 0..n_rows {
        let kind = rng.random_range(0..n_models);
        let is_hard = rng.random_bool(0.5);
        for (column, value) in rows.row_mut(row).iter_mut().enumerate() {
            let is_on = column == kind || (column == n_models && is_hard);
            *value = f32::from(u8::from(is_on)) + rng.random_range(-0.2..0.2);
        }
        for m in 0..n_models {
            let p = if m == kind { 0.9 } else { 0.5 } * if is_hard { 0.3 } else { 1.0 };
            scores[[row, m]] = f32::from(u8::from(rng.random_bool(p)));
        }
    }
    (rows, scores)
}

/// Mean score of the LLMs with the highest predictions.
fn routed(predicted: &Array2<f32>, scores: &Array2<f32>) -> f64 {
    let best = |row: ArrayView1<'_, f32>| {
        let mut best = 0;
        for (m, &value) in row.iter().enumerate() {
            if value > row[best] {
                best = m;
            }
        }
        best
    };
    let got = predicted
        .outer_iter()
        .zip(scores.outer_iter())
        .map(|(predicted, scores)| f64::from(scores[best(predicted)]));
    got.sum::<f64>() / scores.nrows() as f64
}

#[test]
fn a_log_of_one_answer_per_prompt_routes() {
    let (rows, scores) = world(2_400, 4, 8);
    let (queries, truth) = world(2_000, 4, 9);
    let single = truth.mean_axis(Axis(0)).expect("rows");
    let best_single = single.iter().copied().fold(0.0, f32::max);
    for weights in [[1.0, 1.0, 1.0, 1.0], [8.0, 4.0, 2.0, 1.0]] {
        let log = log_of(&scores, &weights, 10);
        for selection in [Selection::R2, Selection::Utility] {
            let knn = fit(&rows, &log, selection);
            let fit = &knn.fits()[0];
            let prior = fit.prior_values.expect("known neighbors are counted");
            assert!(prior.is_finite(), "{fit:?}");
            assert!(fit.cross_validation.iter().all(|it| it.mean_r2.is_finite()));
            let gain = routed(&predict(&knn, &queries), &truth) - f64::from(best_single);
            assert!(gain > 0.08, "{weights:?}, {selection:?}: {gain}");
        }
    }
}

#[test]
fn an_llm_with_few_scores_gets_no_more_than_its_share() {
    let (rows, scores) = world(1_500, 4, 11);
    let (queries, truth) = world(2_000, 4, 12);
    let share = |knn: &Knn| {
        let predicted = predict(knn, &queries);
        let is_first = |row: ArrayView1<'_, f32>| row.iter().skip(1).all(|&other| row[0] > other);
        let n_first = predicted
            .outer_iter()
            .filter(|row| is_first(row.view()))
            .count();
        (n_first as f64 / 2_000.0, routed(&predicted, &truth))
    };
    let (with_all, _) = share(&fit(&rows, &scores, Selection::R2));
    let without = fit(&rows, &scores.slice(s![.., 1..]).to_owned(), Selection::R2);
    let without = routed(
        &predict(&without, &queries),
        &truth.slice(s![.., 1..]).to_owned(),
    );
    let mut few = scores.clone();
    // One in twenty.
    for row in (0..1_500).filter(|row| row % 20 != 3) {
        few[[row, 0]] = f32::NAN;
    }
    let knn = fit(&rows, &few, Selection::R2);
    assert_eq!(
        knn.fits()[0].prior_values,
        None,
        "its rows say what to expect of it"
    );
    assert!(
        (knn.in_memory().expect("a fit").values().iter()).all(|value| !value.is_nan()),
        "and that is filled in"
    );
    let (with_few, score) = share(&knn);
    assert!(
        with_few < with_all + 0.05,
        "{with_few}, {with_all} with all scores"
    );
    assert!(score > without - 0.01, "{score}, {without} without it");
}

#[test]
fn an_llm_that_nobody_asked_is_not_predicted() {
    let (rows, scores) = world(200, 3, 13);
    for mut values in [scores.clone(), log_of(&scores, &[1.0; 3], 14)] {
        values.column_mut(1).fill(f32::NAN);
        let predicted = predict(&fit(&rows, &values, Selection::R2), &rows);
        assert!(predicted.column(1).iter().all(|it| it.is_nan()));
        assert!(predicted.column(0).iter().all(|it| it.is_finite()));
    }
}

#[test]
fn a_tiny_log_has_a_mean() {
    let nan = f32::NAN;
    let rows = array![[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
    let knn = fit(
        &rows,
        &array![[1.0, nan], [nan, 0.5], [0.0, nan]],
        Selection::R2,
    );
    assert!(
        predict(&knn, &array![[1.0, 0.2]])
            .iter()
            .all(|it| it.is_finite())
    );
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let (rows, scores) = world(600, 3, 15);
    let log = log_of(&scores, &[3.0, 2.0, 1.0], 16);
    let with = |n_threads| {
        let pool = rayon_pool(n_threads);
        pool.install(|| {
            let knn = fit(&rows, &log, Selection::Utility);
            (knn.fits().to_vec(), predict(&knn, &rows).mapv(f32::to_bits))
        })
    };
    assert_eq!(with(1), with(3));
}

fn rayon_pool(n_threads: usize) -> rayon::ThreadPool {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads);
    pool.build().expect("a thread pool")
}
