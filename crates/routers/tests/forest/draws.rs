//! What decides a forest, and what does not.

use ndarray::Axis;
use routers::{Forest, ForestParams};

use super::{SHARE_TOLERANCE, check, fit, forest_params, noisy_table};

#[test]
fn a_class_without_rows_has_probability_zero() {
    let (rows, labels) = noisy_table(200, 5, 3);
    let labels: Vec<u8> = labels
        .iter()
        .map(|&label| if label == 2 { 3 } else { label })
        .collect();
    let probabilities = fit(forest_params(0), &rows, &labels, 6)
        .predict_proba(rows.view())
        .expect("predicted");
    for class in [2, 4, 5] {
        assert_eq!(probabilities.column(class).sum(), 0.0);
    }
    for sum in probabilities.sum_axis(Axis(1)) {
        assert!((sum - 1.0).abs() < 4.0 * SHARE_TOLERANCE, "{sum}");
    }
}

#[test]
fn neither_threads_nor_neighbors_decide() {
    let (rows, labels) = noisy_table(700, 30, 4);
    let (queries, _) = noisy_table(150, 30, 5);
    let results = [1, 2, 3].map(|n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .expect("a pool");
        pool.install(|| {
            let forest = fit(forest_params(9), &rows, &labels, 4);
            let probabilities = forest.predict_proba(queries.view()).expect("predicted");
            (forest.to_arrays(), probabilities)
        })
    });
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
    let forest = Forest::from_arrays(results[0].0.clone()).expect("a forest");
    for (i, query) in queries.axis_iter(Axis(0)).enumerate() {
        let alone = forest
            .predict_proba(query.insert_axis(Axis(0)))
            .expect("predicted");
        assert_eq!(alone.row(0), results[0].1.row(i), "query {i}");
    }
    // A view that is not contiguous is read as what it shows.
    let transposed = rows.t().as_standard_layout().into_owned();
    let same = check(forest_params(9))
        .fit(transposed.t(), &labels, 4, &|_| ())
        .expect("fitted");
    assert_eq!(same, forest);
    assert_eq!(
        same.predict_proba(queries.t().as_standard_layout().t())
            .expect("predicted"),
        results[0].1
    );
}

#[test]
fn the_seed_decides() {
    let (rows, labels) = noisy_table(300, 10, 6);
    let of_seed = |seed| fit(forest_params(seed), &rows, &labels, 4);
    assert_eq!(of_seed(1), of_seed(1));
    assert_ne!(of_seed(1), of_seed(2));
    // Trees do not depend on how many there are.
    let params = ForestParams {
        n_trees: 3,
        ..forest_params(1)
    };
    let (few, many) = (
        fit(params, &rows, &labels, 4).to_arrays(),
        of_seed(1).to_arrays(),
    );
    let n_nodes = few.features.len();
    assert_eq!(few.thresholds, many.thresholds[..n_nodes]);
    assert_eq!(few.roots, many.roots[..3]);
    // Nor are trees alike.
    let (first, second) = (many.roots[1] as usize, many.roots[2] as usize);
    assert_ne!(many.thresholds[..first], many.thresholds[first..second]);
}

#[test]
fn progress_counts_trees() {
    let (rows, labels) = noisy_table(50, 3, 7);
    let n_done = std::sync::atomic::AtomicU64::new(0);
    let count = |n| _ = n_done.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
    check(forest_params(0))
        .fit(rows.view(), &labels, 4, &count)
        .expect("fitted");
    assert_eq!(n_done.into_inner(), 100);
}
