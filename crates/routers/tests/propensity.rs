//! Propensities through their public API: against scikit-learn, and at their edges.

use ndarray::{Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routers::{CheckedPropensityParams, Error, PropensityParams};
use serde::Deserialize;

/// scikit-learn stops at its own tolerance; the bar for propensities is 1e-4.
const TOLERANCE: f64 = 2e-5;

fn params(alphas: &[f64]) -> CheckedPropensityParams {
    let params = PropensityParams {
        alphas: alphas.to_vec(),
        n_folds: 4,
        seed: 42,
    };
    params.check().expect("good parameters")
}

#[derive(Deserialize)]
struct Golden {
    alphas: Vec<f64>,
    rows: Vec<Vec<f32>>,
    queries: Vec<Vec<f32>>,
    asked: Vec<usize>,
    /// By alpha, query and LLM.
    predicted: Vec<Vec<Vec<f64>>>,
}

fn matrix(rows: &[Vec<f32>]) -> Array2<f32> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

#[test]
fn matches_sklearn_logistic_regression() {
    let golden: Golden =
        serde_json::from_str(include_str!("golden/propensity/sklearn.json")).expect("readable");
    let (rows, queries) = (matrix(&golden.rows), matrix(&golden.queries));
    let asked: Vec<Option<usize>> = golden.asked.iter().copied().map(Some).collect();
    for (&alpha, expected) in golden.alphas.iter().zip(&golden.predicted) {
        let model = params(&[alpha])
            .fit(rows.view(), &asked, 4, None)
            .expect("fitted");
        assert_eq!(model.fit().alpha, Some(alpha), "it beats the shares alone");
        let found = model.predict(queries.view()).expect("predicted");
        for ((query, model), found) in found.indexed_iter() {
            let expected = expected[query][model];
            let off = (found - expected).abs();
            assert!(
                off < TOLERANCE,
                "{alpha}, {query}, {model}: {found}, not {expected}"
            );
        }
    }
}

/// Rows of three numbers; with `strength` 0 whom they are asked of has nothing to do with them.
fn log(n: usize, strength: f64, seed: u64) -> (Array2<f32>, Vec<Option<usize>>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let rows = Array2::from_shape_simple_fn((n, 3), || rng.random_range(-1.0_f32..1.0));
    let asked = rows
        .outer_iter()
        .map(|row| {
            let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            let odds: Vec<f64> = row
                .iter()
                .map(|x| (strength * f64::from(x / length)).exp())
                .collect();
            let mut left = rng.random_range(0.0..odds.iter().sum::<f64>());
            let drawn = odds.iter().position(|odds| {
                left -= odds;
                left < 0.0
            });
            Some(drawn.unwrap_or(2))
        })
        .collect();
    (rows, asked)
}

const ALPHAS: [f64; 6] = [100.0, 30.0, 10.0, 3.0, 1.0, 0.3];

#[test]
fn a_policy_that_goes_by_the_prompt_is_found() {
    let (rows, asked) = log(2_000, 2.0, 1);
    let model = params(&ALPHAS)
        .fit(rows.view(), &asked, 3, None)
        .expect("fitted");
    assert!(
        model.fit().alpha.is_some_and(|alpha| alpha <= 10.0),
        "{:?}",
        model.fit()
    );
    let (fresh, _) = log(500, 2.0, 2);
    let found = model.predict(fresh.view()).expect("predicted");
    let mut squares = 0.0;
    for (row, found) in fresh.outer_iter().zip(found.outer_iter()) {
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        let odds = row.mapv(|x| (2.0 * f64::from(x / length)).exp());
        let off = &found - &(&odds / odds.sum());
        squares += off.iter().map(|x| x * x).sum::<f64>();
        assert!((found.sum() - 1.0).abs() < 1e-12);
    }
    // Six free numbers from 2,000 rows: a standard error of about .02.
    assert!((squares / 1_500.0).sqrt() < 0.03, "{squares}");
}

#[test]
fn a_policy_that_draws_whatever_the_prompt_has_shares_or_nearly() {
    let mut n_shares = 0;
    for seed in 0..8 {
        let (rows, asked) = log(400, 0.0, seed);
        let model = params(&ALPHAS)
            .fit(rows.view(), &asked, 3, None)
            .expect("fitted");
        n_shares += usize::from(model.fit().alpha.is_none());
        let found = model.predict(rows.view()).expect("predicted");
        for (llm, column) in found.axis_iter(Axis(1)).enumerate() {
            let share = asked.iter().filter(|it| **it == Some(llm)).count() as f64 / 400.0;
            assert!(
                column.iter().all(|p| (p - share).abs() < 0.12),
                "{seed} {llm}"
            );
        }
    }
    assert!(n_shares >= 3, "{n_shares} of 8");
}

#[test]
fn a_policy_that_the_prompt_decides_has_propensities_near_one() {
    let (rows, _) = log(1_000, 0.0, 5);
    let asked: Vec<Option<usize>> = (rows.outer_iter())
        .map(|row| Some(usize::from(row[0] > 0.0)))
        .collect();
    let model = params(&[100.0, 10.0, 1.0, 0.1, 0.01]).fit(rows.view(), &asked, 2, None);
    let model = model.expect("fitted");
    let found = model.predict(rows.view()).expect("predicted");
    let sure = found.rows().into_iter().zip(&asked);
    let n_sure = sure
        .filter(|(row, asked)| row[asked.expect("all are")] > 0.99)
        .count();
    assert!(n_sure > 850, "{n_sure} of 1000; {:?}", model.fit());
}

#[test]
fn the_edges() {
    let (rows, mut asked) = log(60, 1.0, 3);
    asked[7] = None;
    let fit = |asked: &[Option<usize>], n_models, groups: Option<&[usize]>| {
        params(&ALPHAS).fit(rows.view(), asked, n_models, groups)
    };
    // A row of no LLM is left out.
    assert_eq!(fit(&asked, 3, None).expect("fitted").fit().n_rows, 59);
    // An LLM that was never asked has what a first time would be expected to have.
    let with_fourth = fit(&asked, 4, None).expect("fitted");
    let found = with_fourth.predict(rows.view()).expect("predicted");
    assert_eq!(found[[0, 3]], 1.0 / 63.0);
    assert!((found[[0, 0]] + found[[0, 1]] + found[[0, 2]] - 1.0).abs() < 1e-12);
    // One LLM for all; and too few rows to choose by.
    let one = fit(&[Some(0); 60], 2, None).expect("fitted");
    assert_eq!(one.predict(rows.view()).expect("predicted")[[5, 0]], 1.0);
    let few = params(&ALPHAS).fit(rows.slice(ndarray::s![..7, ..]), &asked[..7], 3, None);
    let few = few.expect("fitted");
    assert!(few.fit().cross_validation.is_empty() && few.fit().alpha.is_none());
    // What does not fit.
    assert!(matches!(
        fit(&asked[1..], 3, None),
        Err(Error::Shape { .. })
    ));
    assert!(matches!(
        fit(&asked, 3, Some(&[0])),
        Err(Error::Shape { .. })
    ));
    assert!(matches!(
        fit(&asked, 2, None),
        Err(Error::NoSuchClass { .. })
    ));
    assert!(matches!(
        fit(&[None; 60], 2, None),
        Err(Error::Empty { .. })
    ));
    let short = rows.slice(ndarray::s![.., ..2]);
    assert!(matches!(
        with_fourth.predict(short),
        Err(Error::Shape { .. })
    ));
}

#[test]
fn no_result_depends_on_the_number_of_threads() {
    let (rows, asked) = log(1_500, 1.5, 9);
    let with = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build();
        pool.expect("threads").install(|| {
            let model = params(&ALPHAS)
                .fit(rows.view(), &asked, 3, None)
                .expect("fitted");
            model.predict(rows.view()).expect("predicted")
        })
    };
    assert_eq!(with(1), with(3));
}
