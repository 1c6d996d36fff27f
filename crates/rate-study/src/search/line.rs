//! Points on a line.

use ndarray::{Array2, s};

use super::Asked;

pub(super) fn means(asked: Asked<'_>) -> Vec<Array2<f64>> {
    let (points, outputs, queries) = (asked.points, asked.outputs, asked.queries);
    let n = points.nrows();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_unstable_by(|&a, &b| points[[a, 0]].total_cmp(&points[[b, 0]]).then(a.cmp(&b)));
    let places: Vec<f64> = order.iter().map(|&row| points[[row, 0]]).collect();
    // Row i: the sum of the outputs of the first i points.
    let mut sums = Array2::zeros((n + 1, outputs.ncols()));
    for (i, &row) in order.iter().enumerate() {
        for output in 0..outputs.ncols() {
            sums[[i + 1, output]] = sums[[i, output]] + f64::from(outputs[[row, output]]);
        }
    }
    let of_one_k = |&k: &usize| {
        let mut means = Array2::zeros((queries.nrows(), outputs.ncols()));
        for (query, mut mean) in queries.column(0).iter().zip(means.rows_mut()) {
            let first = first_of_run(&places, *query, k);
            mean.assign(&sums.slice(s![first + k, ..]));
            mean -= &sums.slice(s![first, ..]);
            mean /= k as f64;
        }
        means
    };
    asked.ks.iter().map(of_one_k).collect()
}

/// Where the run of the k places nearest to `query` begins.
fn first_of_run(places: &[f64], query: f64, k: usize) -> usize {
    let above = places.partition_point(|&place| place < query);
    let (mut low, mut high) = (above.saturating_sub(k), above.min(places.len() - k));
    while low < high {
        let middle = low.midpoint(high);
        // Is the place after the run nearer than the run's first?
        if query - places[middle] > places[middle + k] - query {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
