//! Means over clusters through their public API.

use ndarray::{Array2, Axis, array};
use proptest::prelude::*;
use routers::{Cluster, ClusterParams, ClusterTarget, Error, Target};

fn params(n_clusters: &[usize]) -> ClusterParams {
    ClusterParams {
        n_clusters: n_clusters.to_vec(),
        prior_rows: 5.0,
        max_iterations: 50,
        tolerance: 1e-4,
        n_folds: 4,
        seed: 42,
    }
}

fn target(values: Array2<f32>) -> Target {
    Target {
        name: "score".to_owned(),
        values,
    }
}

fn fit(n_clusters: &[usize], rows: &Array2<f32>, values: Array2<f32>) -> Result<Cluster, Error> {
    let checked = params(n_clusters).check()?;
    checked.fit(rows.view(), &[target(values)], &|_| ())
}

fn predict(cluster: &Cluster, queries: &Array2<f32>) -> Array2<f32> {
    let predicted = cluster.predict(queries.view(), &|_| ());
    predicted.expect("predicted").remove(0)
}

/// Two directions, 45 rows of each by turns.
fn two_directions() -> Array2<f32> {
    Array2::from_shape_fn((90, 3), |(row, column)| {
        let along = if row % 2 == column { 10.0 } else { 0.0 };
        along + ((row * 7 + column * 5) % 11) as f32 / 11.0
    })
}

#[test]
fn a_cluster_predicts_its_mean_drawn_to_the_overall_mean() {
    let values = Array2::from_shape_fn((90, 2), |(row, output)| match (row % 2, output) {
        (0, 0) => 1.0,
        (1, 1) => f32::NAN,
        _ => 0.0,
    });
    let cluster = fit(&[2], &two_directions(), values).expect("fitted");
    let predicted = predict(&cluster, &array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    // (45 + 5 * .5) / 50 and (0 + 5 * .5) / 50.
    assert_eq!(predicted.column(0).to_vec(), [0.95, 0.05]);
    // Known in the first cluster only, at 0: (0 + 5 * 0) / (0 + 5) in the other.
    assert_eq!(predicted.column(1).to_vec(), [0.0, 0.0]);
}

#[test]
fn the_number_of_clusters_is_the_first_with_the_least_error() {
    let values = Array2::from_shape_fn((90, 2), |(row, output)| {
        f32::from(u8::from(row % 2 == output))
    });
    let cluster = fit(&[1, 2, 30], &two_directions(), values).expect("fitted");
    let found = &cluster.fits()[0];
    assert_eq!(found.n_clusters, 2);
    let errors: Vec<f64> = (found.cross_validation.iter())
        .filter_map(|score| score.difference_error)
        .collect();
    assert_eq!(errors.len(), 3);
    assert!(errors[1] < errors[0] && errors[1] < errors[2], "{errors:?}");
    // With fewer than two rows for each fold there is nothing to choose by.
    let few = fit(&[3, 4], &array![[1.0, 0.0]], array![[0.5]]).expect("fitted");
    assert_eq!(few.fits()[0].n_clusters, 3);
    assert!(few.fits()[0].cross_validation.is_empty());
    assert_eq!(predict(&few, &array![[0.0, 2.0]]), array![[0.5]]);
}

#[test]
fn batches_threads_and_parts_do_not_matter() {
    let rows = Array2::from_shape_fn((300, 7), |(row, column)| {
        ((row * 31 + column * 17 + row * row % 13) % 23) as f32 - 11.0
    });
    let values = Array2::from_shape_fn((300, 3), |(row, column)| {
        ((row * 13 + column) % 7) as f32 / 6.0
    });
    let with = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build();
        let cluster = pool
            .expect("a thread pool")
            .install(|| fit(&[8, 20], &rows, values.clone()));
        cluster.expect("fitted")
    };
    let cluster = with(1);
    let batch = predict(&cluster, &rows).mapv(f32::to_bits);
    for n_threads in [2, 5] {
        let other = with(n_threads);
        assert_eq!(other.fits(), cluster.fits());
        assert_eq!(other.targets(), cluster.targets());
    }
    for (i, query) in rows.outer_iter().enumerate().step_by(37) {
        let single = predict(&cluster, &query.insert_axis(Axis(0)).to_owned());
        assert_eq!(single.row(0).mapv(f32::to_bits), batch.row(i), "query {i}");
    }
    let parts = vec![("score".to_owned(), cluster.targets()[0].clone())];
    let again = Cluster::from_parts(parts).expect("good parts");
    assert_eq!(predict(&again, &rows).mapv(f32::to_bits), batch);
}

#[test]
fn what_does_not_fit_is_refused() {
    let rows = array![[1.0, 0.0], [0.0, 1.0]];
    let no_row = fit(&[1], &rows, array![[1.0]]);
    assert!(matches!(no_row, Err(Error::Shape { .. })));
    let bad = fit(&[1], &array![[f32::NAN, 0.0]], array![[1.0]]);
    assert!(matches!(bad, Err(Error::NotFinite { row: 0 })));
    let cluster = fit(&[1], &rows, array![[1.0], [0.0]]).expect("fitted");
    let other = cluster.predict(array![[1.0]].view(), &|_| ());
    assert!(matches!(other, Err(Error::Shape { .. })));
    assert_eq!(predict(&cluster, &Array2::zeros((0, 2))).dim(), (0, 1));

    let part = |centroids: Array2<f32>, values: Array2<f32>| ClusterTarget { centroids, values };
    for (parts, expected) in [
        (vec![], "target matrix"),
        (
            vec![part(Array2::zeros((0, 2)), Array2::zeros((0, 1)))],
            "centroid matrix",
        ),
        (
            vec![part(array![[1.0]], array![[1.0], [2.0]])],
            "cluster value matrix",
        ),
        (vec![part(array![[f32::NAN]], array![[1.0]])], "not finite"),
        (
            vec![part(array![[1.0]], array![[f32::INFINITY]])],
            "is infinite",
        ),
        (
            vec![
                part(array![[1.0]], array![[1.0]]),
                part(array![[1.0, 2.0]], array![[1.0]]),
            ],
            "centroid matrix",
        ),
    ] {
        let named = parts
            .into_iter()
            .map(|part| ("score".to_owned(), part))
            .collect();
        let error = Cluster::from_parts(named).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_pattern_of_unknowns_can_be_fitted(is_known in prop::collection::vec(any::<bool>(), 20 * 3)) {
        let rows = Array2::from_shape_fn((20, 4), |(row, column)| ((row * 7 + column * 3) % 5) as f32 - 2.0);
        let values = Array2::from_shape_fn((20, 3), |(row, output)| {
            if is_known[row * 3 + output] { (row % 3) as f32 } else { f32::NAN }
        });
        let cluster = fit(&[2, 4], &rows, values.clone()).expect("fitted");
        for (predicted, truth) in predict(&cluster, &rows).axis_iter(Axis(1)).zip(values.axis_iter(Axis(1))) {
            let is_known = truth.iter().any(|it| !it.is_nan());
            prop_assert!(predicted.iter().all(|it| it.is_finite() == is_known));
        }
    }
}
