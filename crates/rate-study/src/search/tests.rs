use ndarray::{Array2, Axis, array};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Sums of a few hundred float32 outputs of at most 1: by running sums, by float32 rounding of a mean.
const ROUNDING: f64 = 1e-6;

fn even(n: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, columns), || rng.random())
}

/// By sorting all distances.
fn plain(
    points: &Array2<f64>,
    outputs: &Array2<f32>,
    query: usize,
    queries: &Array2<f64>,
    k: usize,
) -> Vec<f64> {
    let distance = |row: usize| {
        (&points.row(row) - &queries.row(query))
            .mapv(|x| x * x)
            .sum()
    };
    let mut rows: Vec<usize> = (0..points.nrows()).collect();
    rows.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
    let nearest = outputs.select(Axis(0), &rows[..k]);
    nearest
        .axis_iter(Axis(1))
        .map(|column| column.iter().map(|&x| f64::from(x)).sum::<f64>() / k as f64)
        .collect()
}

#[test]
fn all_searches_average_the_nearest() {
    for (dim, n) in [
        (1, 1),
        (1, 2),
        (1, 300),
        (2, 300),
        (4, 300),
        (8, 300),
        (8, 40),
    ] {
        let (points, queries) = (even(n, dim, 1), even(20, dim, 2));
        let outputs = even(n, 3, 3).mapv(|x| x as f32);
        let ks = [1, (n / 7).max(1), n];
        for search in [
            Search::Line,
            Search::KdTree,
            Search::BallTree,
            Search::Products,
        ] {
            let means = match search.means(&points, outputs.view(), &queries, &ks) {
                Err(Error::NotALine { .. }) if dim > 1 => continue,
                found => found.expect("averaged"),
            };
            for (means, &k) in means.iter().zip(&ks) {
                for query in 0..queries.nrows() {
                    let expected = plain(&points, &outputs, query, &queries, k);
                    for (mean, expected) in means.row(query).iter().zip(expected) {
                        assert!(
                            (mean - expected).abs() < ROUNDING,
                            "{search:?}, {dim} dimensions, {k} of {n}: {mean} for {expected}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (points, outputs) = (array![[0.1, 0.2], [0.3, 0.4]], array![[1.0_f32], [0.0]]);
    let queries = array![[0.5, 0.5]];
    for k in [0, 3] {
        let found = Search::KdTree.means(&points, outputs.view(), &queries, &[1, k]);
        assert!(
            matches!(found, Err(Error::BadNeighbors { n_rows: 2, .. })),
            "{k}"
        );
    }
    let found = Search::Line.means(&points, outputs.view(), &queries, &[1]);
    assert!(matches!(found, Err(Error::NotALine { dim: 2 })));
    let found = Search::KdTree.means(&points, outputs.view(), &array![[0.5]], &[1]);
    assert!(matches!(
        found,
        Err(Error::Shape {
            expected: (1, 2),
            ..
        })
    ));
    let found = Search::KdTree.means(&points, array![[1.0_f32]].view(), &queries, &[1]);
    assert!(matches!(
        found,
        Err(Error::Shape {
            expected: (2, 1),
            ..
        })
    ));
}
