//! k-means by `linfa-clustering`, with a distance that is compiled for each instruction set.

use linfa::{DatasetBase, traits::Fit as _};
use linfa_clustering::{KMeansInit, KMeansParams};
use linfa_nn::distance::Distance;
use ndarray::{Array2, ArrayView, ArrayView2, Axis, Dimension};
use pulp::Arch;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_xoshiro::{Xoshiro256Plus, rand_core::SeedableRng as _};
use rayon::prelude::*;

use super::params::ClusterParams;
use crate::{Error, Result};

/// Centroids of `n_clusters` clusters of `rows` of shape `(n_rows, dim)`, or of as many as there are different rows, if those are fewer.
///
/// Lloyd's steps from initial centroids that k-means++ draws (Arthur and Vassilvitskii 2007), once.
///
/// # Errors
/// [`Error::Clustering`].
pub(super) fn centroids(
    rows: ArrayView2<'_, f32>,
    n_clusters: usize,
    params: &ClusterParams,
) -> Result<Array2<f32>> {
    lloyd(rows, plus_plus(rows, n_clusters, params.seed), params)
}

/// Lloyd's steps from given centroids.
///
/// # Deviations
/// linfa's step takes the old centroid for one more row of its cluster, so that an empty cluster stays where it is; the steps are shorter than
/// scikit-learn's, and end at the same places.
fn lloyd(
    rows: ArrayView2<'_, f32>,
    initial: Array2<f32>,
    params: &ClusterParams,
) -> Result<Array2<f32>> {
    // Never drawn from: the initial centroids are given.
    let unused = Xoshiro256Plus::seed_from_u64(0);
    let fitted = KMeansParams::new(initial.nrows(), unused, UnrolledL2)
        .n_runs(1)
        .max_n_iterations(params.max_iterations)
        .tolerance(params.tolerance)
        .init_method(KMeansInit::Precomputed(initial))
        .fit(&DatasetBase::from(rows));
    match fitted {
        Ok(fitted) => Ok(fitted.centroids().clone()),
        Err(error) => Err(Error::Clustering {
            message: error.to_string(),
        }),
    }
}

/// The nearest centroid of each row; of equally near ones the first.
pub(super) fn nearest(rows: ArrayView2<'_, f32>, centroids: ArrayView2<'_, f32>) -> Vec<u32> {
    let rows: Vec<ArrayView<'_, f32, _>> = rows.outer_iter().collect();
    rows.into_par_iter()
        .map(|row| {
            let (mut nearest, mut least) = (0, f32::INFINITY);
            for (cluster, centroid) in centroids.outer_iter().enumerate() {
                let distance = UnrolledL2.rdistance(row, centroid);
                if distance < least {
                    (nearest, least) = (cluster as u32, distance);
                }
            }
            nearest
        })
        .collect()
}

/// Rows drawn one after the other, each with a probability in proportion to its squared distance from the nearest that is drawn already.
fn plus_plus(rows: ArrayView2<'_, f32>, n_clusters: usize, seed: u64) -> Array2<f32> {
    let n_rows = rows.nrows();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = vec![rng.random_range(0..n_rows)];
    let mut distances = vec![f32::INFINITY; n_rows];
    while drawn.len() < n_clusters {
        let last = rows.row(drawn[drawn.len() - 1]);
        distances.par_iter_mut().enumerate().for_each(|(row, it)| {
            *it = it.min(UnrolledL2.rdistance(rows.row(row), last));
        });
        let total: f64 = distances.iter().map(|&it| f64::from(it)).sum();
        if total == 0.0 {
            break;
        }
        let mut rest = rng.random_range(0.0..total);
        let next = distances.iter().position(|&it| {
            rest -= f64::from(it);
            rest < 0.0
        });
        // Rounding can leave a rest after the last row.
        let farthest = || (0..n_rows).rev().find(|&row| distances[row] > 0.0);
        drawn.extend(next.or_else(farthest));
    }
    rows.select(Axis(0), &drawn)
}

/// Euclidean distance, summed in one order whatever the instruction set; linfa's own is summed one value at a time, and takes many times as long.
#[derive(Debug, Clone, Copy, PartialEq)]
struct UnrolledL2;

impl Distance<f32> for UnrolledL2 {
    fn distance<D: Dimension>(&self, a: ArrayView<'_, f32, D>, b: ArrayView<'_, f32, D>) -> f32 {
        self.rdistance(a, b).sqrt()
    }

    fn rdistance<D: Dimension>(&self, a: ArrayView<'_, f32, D>, b: ArrayView<'_, f32, D>) -> f32 {
        match (a.as_slice(), b.as_slice()) {
            (Some(a), Some(b)) => squared_distance(a, b),
            _ => a.iter().zip(&b).map(|(x, y)| (x - y) * (x - y)).sum(),
        }
    }

    fn rdist_to_dist(&self, rdist: f32) -> f32 {
        rdist.sqrt()
    }

    fn dist_to_rdist(&self, dist: f32) -> f32 {
        dist * dist
    }
}

fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    /// Running sums: enough additions in flight to hide the latency of each.
    const LANES: usize = 64;
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut sums = [0.0_f32; LANES];
            let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
            let rest = a.remainder().iter().zip(b.remainder());
            let rest: f32 = rest.map(|(x, y)| (x - y) * (x - y)).sum();
            for (a, b) in a.zip(b) {
                for lane in 0..LANES {
                    let difference = a[lane] - b[lane];
                    sums[lane] += difference * difference;
                }
            }
            sums.iter().sum::<f32>() + rest
        },
    )
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use serde::Deserialize;

    use super::*;

    fn params() -> ClusterParams {
        ClusterParams {
            n_clusters: vec![1],
            prior_rows: 5.0,
            max_iterations: 300,
            tolerance: 1e-6,
            n_folds: 4,
            seed: 42,
        }
    }

    fn inertia(rows: ArrayView2<'_, f32>, centroids: ArrayView2<'_, f32>) -> f64 {
        let of_row = |row: ndarray::ArrayView1<'_, f32>| {
            let to = |centroid: ndarray::ArrayView1<'_, f32>| -> f64 {
                let pairs = row.into_iter().zip(centroid);
                pairs
                    .map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2))
                    .sum()
            };
            (centroids.outer_iter().map(to)).fold(f64::INFINITY, f64::min)
        };
        rows.outer_iter().map(of_row).sum()
    }

    #[derive(Deserialize)]
    struct Golden {
        rows: Vec<Vec<f32>>,
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        initial: Vec<Vec<f32>>,
        inertia: f64,
    }

    fn matrix(rows: &[Vec<f32>]) -> Array2<f32> {
        Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).expect("one length")
    }

    /// From the same initial centroids. The two end at other places where a row is as near to two centroids on the way: 1%.
    #[test]
    fn reaches_the_inertia_of_sklearn() {
        let text = include_str!("../../tests/golden/cluster/sklearn.json");
        let golden: Golden = serde_json::from_str(text).expect("what make.py wrote");
        let rows = matrix(&golden.rows);
        for case in &golden.cases {
            let initial = matrix(&case.initial);
            let before = inertia(rows.view(), initial.view());
            let ours = lloyd(rows.view(), initial, &params()).expect("clustered");
            let ours = inertia(rows.view(), ours.view());
            assert!(ours < 0.9 * before, "it moved: {before} to {ours}");
            assert!(
                (ours / case.inertia - 1.0).abs() < 0.01,
                "{ours}, not {}",
                case.inertia
            );
        }
    }

    #[test]
    fn clusters_that_are_apart_are_found() {
        let rows = array![[1.0, 0.0], [0.0, 1.0], [0.99, 0.01], [0.01, 0.99]];
        let found = centroids(rows.view(), 2, &params()).expect("clustered");
        let clusters = nearest(rows.view(), found.view());
        assert_eq!(clusters[0], clusters[2]);
        assert_eq!(clusters[1], clusters[3]);
        assert_ne!(clusters[0], clusters[1]);
        let expected = array![0.995_f32, 0.005];
        let first = found.row(clusters[0] as usize);
        assert!((&first - &expected).iter().all(|it| it.abs() < 1e-5));
    }

    #[test]
    fn no_more_clusters_than_different_rows() {
        let rows = array![[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]];
        let found = centroids(rows.view(), 3, &params()).expect("clustered");
        assert_eq!(found.nrows(), 2);
        assert_eq!(plus_plus(Array2::zeros((4, 2)).view(), 3, 1).nrows(), 1);
    }

    #[test]
    fn distance_is_that_of_float64() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut random =
            |n| ndarray::Array1::from_shape_simple_fn(n, || rng.random_range(-1.0..1.0));
        for dim in [1, 63, 64, 384, 400] {
            let (a, b): (ndarray::Array1<f32>, _) = (random(dim), random(dim));
            let expected: f64 = (a.iter().zip(&b))
                .map(|(&x, &y): (&f32, &f32)| (f64::from(x) - f64::from(y)).powi(2))
                .sum();
            let found = f64::from(UnrolledL2.rdistance(a.view(), b.view()));
            assert!((found / expected - 1.0).abs() < 1e-5, "{dim}");
        }
    }
}
