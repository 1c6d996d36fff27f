//! How KNN's k is chosen: by what routing gains, and on tables with unknowns.

use ndarray::Array2;
use proptest::prelude::*;
use routers::{Backend, KnnParams, RoutingCosts, Selection, Target};

fn params(n_neighbors: &[usize]) -> KnnParams {
    KnnParams {
        n_neighbors: n_neighbors.to_vec(),
        n_folds: 5,
        tune_queries: 0,
        selection: Selection::Paper,
        seed: 42,
        backend: Backend::Gemm,
    }
}

fn fit(n_neighbors: &[usize], rows: &Array2<f32>, scores: Array2<f32>) -> routers::Knn {
    let target = Target {
        name: "score".to_owned(),
        values: scores,
    };
    let params = params(n_neighbors).check().expect("good");
    params.fit(rows.view(), &[target], &|_| ()).expect("fitted")
}

/// A table on which the best R2 and the best choices want different k: LLM 1 is better on one half of the prompts.
fn two_models(n_rows: usize) -> (Array2<f32>, Array2<f32>, Array2<f64>) {
    let rows = Array2::from_shape_fn((n_rows, 6), |(row, column)| {
        let side = if row % 2 == 0 { 2.0 } else { -2.0 };
        let noise = ((row * 37 + column * 19 + row * row % 11) % 29) as f32 / 14.0 - 1.0;
        noise + if column == 0 { side } else { 0.0 }
    });
    let scores = Array2::from_shape_fn((n_rows, 2), |(row, model)| {
        let lucky = (row * 7 / 3) % 5 == 0;
        f32::from(u8::from((row % 2 == model) != lucky))
    });
    let costs = Array2::from_shape_fn((n_rows, 2), |(row, model)| {
        1e-3 * (1 + model) as f64 * (1.0 + (row % 3) as f64)
    });
    (rows, scores, costs)
}

#[test]
fn k_by_what_routing_gains() {
    let (rows, scores, cost_usd) = two_models(300);
    let targets = [("score", scores), ("cost", cost_usd.mapv(|it| it as f32))];
    let targets = targets.map(|(name, values)| Target {
        name: name.to_owned(),
        values,
    });
    let costs = RoutingCosts {
        cost_usd: cost_usd.view(),
        predicted_usd: &|predicted| predicted.expect("a cost target").mapv(f64::from),
        inverse_propensities: None,
    };
    let params = params(&[1, 8, 32, 256]).check().expect("good");
    let params = params.selecting(Selection::Utility);
    let prepared = params.prepare(rows.view(), &|_| ()).expect("prepared");
    let knn = prepared.fit_to_route(&targets, &costs).expect("fitted");
    let [scores, costs_fit] = knn.fits() else {
        panic!("two targets");
    };
    // The largest training side has 240 rows.
    assert_eq!(scores.cross_validation.len(), 3);
    let best = |by: fn(&routers::CvScore) -> f64, fit: &routers::TargetFit| {
        let table = fit.cross_validation.iter();
        let best = table.reduce(|a, b| if by(b) > by(a) { b } else { a });
        best.expect("not empty").n_neighbors
    };
    let gain = |score: &routers::CvScore| score.mean_gain.expect("scores are chosen by it");
    assert_eq!(scores.n_neighbors, best(gain, scores));
    assert!(
        scores.cross_validation.iter().any(|it| gain(it) > 0.2),
        "{scores:?}"
    );
    let error = |score: &routers::CvScore| -score.difference_error.expect("costs are");
    assert_eq!(costs_fit.n_neighbors, best(error, costs_fit));
    // Unknown dollars cannot be judged by.
    let refused = prepared.fit(&targets).expect_err("no dollars").to_string();
    assert!(refused.contains("`selection` is utility"), "{refused}");
    // The paper's way needs none.
    let paper = params
        .selecting(Selection::Paper)
        .prepare(rows.view(), &|_| ())
        .expect("prepared");
    let with_costs = paper.fit_to_route(&targets, &costs).expect("fitted");
    assert_eq!(
        with_costs.fits(),
        paper.fit(&targets).expect("fitted").fits()
    );
}

#[test]
fn an_output_known_in_one_fold_only_is_left_out_of_it() {
    let (rows, scores, _) = two_models(100);
    let alone = fit(&[2, 8, 32], &rows, scores.clone());
    // A third LLM, known in the first fold only.
    let mut more = Array2::from_elem((100, 3), f32::NAN);
    more.slice_mut(ndarray::s![.., ..2]).assign(&scores);
    more.slice_mut(ndarray::s![..7, 2]).fill(0.5);
    let knn = fit(&[2, 8, 32], &rows, more);
    assert_eq!(knn.fits(), alone.fits(), "it does not count for any k");
    assert!(knn.fits()[0].n_neighbors > 2);
}

/// A table in the order of its tasks: every unshuffled fold asks for a task that no other fold has.
#[test]
fn shuffled_folds_know_every_task() {
    let n_rows = 100;
    let rows = Array2::from_shape_fn((n_rows, 5), |(row, column)| {
        let noise = ((row * 37 + column * 19 + row * row % 11) % 29) as f32 / 290.0;
        noise + f32::from(u8::from(row / 20 == column))
    });
    let scores = Array2::from_shape_fn((n_rows, 1), |(row, _)| [0.0, 1.0, 0.2, 0.8, 0.5][row / 20]);
    let targets = [Target {
        name: "score".to_owned(),
        values: scores,
    }];
    let table = |selection| {
        let params = params(&[2, 4, 64]).check().expect("good");
        let params = params.selecting(selection);
        let knn = params.fit(rows.view(), &targets, &|_| ()).expect("fitted");
        let fit = knn.fits()[0].clone();
        (
            fit.n_neighbors,
            fit.cross_validation.iter().map(|it| it.mean_r2).collect(),
        )
    };
    let (k, r2): (usize, Vec<f64>) = table(Selection::R2);
    assert!(r2[0] > 0.99 && r2[2] < 0.5, "{r2:?}");
    assert!(k < 64);
    let (_, r2): (usize, Vec<f64>) = table(Selection::Paper);
    assert!(r2.iter().all(|&r2| r2 <= 0.0), "{r2:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_pattern_of_unknowns_has_scores(is_known in prop::collection::vec(any::<bool>(), 30 * 2), k in 1_usize..20) {
        let (rows, mut scores, cost_usd) = two_models(30);
        for (value, is_known) in scores.iter_mut().zip(is_known) {
            if !is_known {
                *value = f32::NAN;
            }
        }
        let targets = [Target { name: "score".to_owned(), values: scores.clone() }];
        let costs = RoutingCosts {
            cost_usd: cost_usd.view(),
            predicted_usd: &|_| cost_usd.clone(),
            inverse_propensities: None,
        };
        // More than one row known in some fold, and known in another: there is a score.
        let has_score = (0..2).any(|model| {
            let known = |fold: usize| (0..6).filter(|i| !scores[[fold * 6 + i, model]].is_nan()).count();
            (0..5).any(|fold| known(fold) > 1 && (0..5).any(|other| other != fold && known(other) > 0))
        });
        for selection in [Selection::Paper, Selection::R2, Selection::Utility] {
            let params = params(&[k, k + 4]).check().expect("good").selecting(selection);
            let prepared = params.prepare(rows.view(), &|_| ()).expect("prepared");
            let knn = prepared.fit_to_route(&targets, &costs).expect("fitted");
            let table = &knn.fits()[0].cross_validation;
            // Where most known scores are alone in their rows, a k above what any LLM is known in is left out.
            prop_assert!((1..=2).contains(&table.len()));
            prop_assert!(selection != Selection::Paper || table.len() == 2);
            if selection == Selection::Paper && has_score {
                prop_assert!(table.iter().all(|score| score.mean_r2.is_finite()), "{:?}", table);
            }
        }
    }
}
