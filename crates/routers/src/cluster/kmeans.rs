//! k-means: initial centroids by k-means++, our steps by matrix products, and `linfa-clustering`'s from where those end.

use linfa::{DatasetBase, traits::Fit as _};
use linfa_clustering::{KMeansInit, KMeansParams};
use linfa_nn::distance::Distance as _;
use ndarray::{Array2, ArrayView2, Axis, s};
use pulp::Arch;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_xoshiro::{Xoshiro256Plus, rand_core::SeedableRng as _};
use rayon::prelude::*;

use super::{distance::UnrolledL2, nearest::nearest, params::ClusterParams};
use crate::{Error, Result};

/// For each number of clusters in `params` their centroids, of `rows` of shape `(n_rows, dim)`; of as many clusters as there are different rows, if
/// those are fewer.
///
/// Lloyd's steps from initial centroids that k-means++ draws (Arthur and Vassilvitskii 2007), once: a smaller number starts from the first
/// centroids of a larger one, as if they were its own draws.
///
/// # Errors
/// [`Error::Clustering`].
pub(super) fn centroids(
    rows: ArrayView2<'_, f32>,
    params: &ClusterParams,
) -> Result<Vec<Array2<f32>>> {
    // They ascend.
    let most = params.n_clusters.last().copied().unwrap_or(1);
    let drawn = plus_plus(rows, most, params.seed);
    let first = |&n: &usize| drawn.slice(s![..n.min(drawn.nrows()), ..]).to_owned();
    (params.n_clusters.iter())
        .map(|n| converge(rows, first(n), params))
        .collect()
}

/// Lloyd's steps from given centroids, until one moves them all together by less than the tolerance.
///
/// linfa computes the distance of each row from each centroid by itself, so that a step takes several times as long as a matrix product, and k-means
/// took two fifths of a blend's fit. The steps here only lead to where linfa's k-means begins: it has one step left as a rule, and goes on if that is
/// not enough.
///
/// # Deviations
/// An empty cluster stays where it is; scikit-learn moves it to the row that is farthest from its centroid. linfa's step takes the old centroid
/// for one more row of its cluster: it is shorter, and ends at the same places.
fn converge(
    rows: ArrayView2<'_, f32>,
    initial: Array2<f32>,
    params: &ClusterParams,
) -> Result<Array2<f32>> {
    let (mut centroids, mut n_left) = (initial, params.max_iterations);
    while n_left > 1 {
        n_left -= 1;
        let means = means(rows, &nearest(rows, centroids.view()), &centroids);
        let moved = UnrolledL2.distance(means.view(), centroids.view());
        centroids = means;
        if moved < params.tolerance {
            break;
        }
    }
    // Never drawn from: the centroids are given.
    let unused = Xoshiro256Plus::seed_from_u64(0);
    let fitted = KMeansParams::new(centroids.nrows(), unused, UnrolledL2)
        .n_runs(1)
        .max_n_iterations(n_left)
        .tolerance(params.tolerance)
        .init_method(KMeansInit::Precomputed(centroids))
        .fit(&DatasetBase::from(rows));
    match fitted {
        Ok(fitted) => Ok(fitted.centroids().clone()),
        Err(error) => Err(Error::Clustering {
            message: error.to_string(),
        }),
    }
}

/// The mean of each cluster's rows, summed in float64 in the order of the rows; the centroid itself where it has none.
fn means(rows: ArrayView2<'_, f32>, clusters: &[u32], centroids: &Array2<f32>) -> Array2<f32> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); centroids.nrows()];
    for (row, &cluster) in clusters.iter().enumerate() {
        members[cluster as usize].push(row);
    }
    let of_cluster = |(centroid, members): (ndarray::ArrayView1<'_, f32>, Vec<usize>)| {
        if members.is_empty() {
            return centroid.to_vec();
        }
        let mut sums = vec![0.0; rows.ncols()];
        for &row in &members {
            let row = rows.row(row);
            add(
                &mut sums,
                row.to_slice().expect("rows lie one after the other"),
            );
        }
        let n = members.len() as f64;
        sums.into_iter().map(|sum| (sum / n) as f32).collect()
    };
    let clusters: Vec<_> = centroids.outer_iter().zip(members).collect();
    let means: Vec<Vec<f32>> = clusters.into_par_iter().map(of_cluster).collect();
    Array2::from_shape_vec(centroids.dim(), means.concat()).expect("one mean per centroid")
}

/// Adds a row to sums, compiled for each instruction set.
fn add(sums: &mut [f64], row: &[f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += f64::from(value);
            }
        },
    );
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

#[cfg(test)]
mod tests {
    use ndarray::array;
    use serde::Deserialize;

    use super::{super::nearest::nearest, *};

    fn params(n_clusters: &[usize]) -> ClusterParams {
        ClusterParams {
            n_clusters: n_clusters.to_vec(),
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
            let ours = converge(rows.view(), initial, &params(&[1])).expect("clustered");
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
        let found = centroids(rows.view(), &params(&[2])).expect("clustered");
        let found = &found[0];
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
        let found = centroids(rows.view(), &params(&[1, 2, 3])).expect("clustered");
        let n_found: Vec<usize> = found.iter().map(Array2::nrows).collect();
        assert_eq!(n_found, [1, 2, 2]);
        assert_eq!(plus_plus(Array2::zeros((4, 2)).view(), 3, 1).nrows(), 1);
    }
}
