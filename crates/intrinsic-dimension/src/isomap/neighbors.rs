use ndarray::{Array2, Axis};
use rayon::prelude::*;

use crate::products;

/// A point, and how far another one is from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Neighbor {
    pub(super) point: usize,
    pub(super) distance: f64,
}

/// Points whose distances can be compared.
///
/// Which of two points is nearer is decided by the squared distance, summed coordinate after coordinate, then by the row. A matrix product
/// only proposes candidates: whichever of them lie within its rounding of each other are decided exactly.
pub(super) struct Distances {
    points: Array2<f64>,
    products: Array2<f64>,
    /// Most that a proposed squared distance is off.
    error: f64,
}

impl Distances {
    /// Of points of shape `(n, dim)`; takes a matrix of `(n, n)`.
    pub(super) fn new(points: Array2<f64>) -> Self {
        let (n, dim) = points.dim();
        let mut products = Array2::zeros((n, n));
        products::add_gram(&mut products, points.view());
        products::mirror(&mut products);
        // A product is off by dim * u * |a| |b| at most, with u half of epsilon; a squared distance is made of four of them and two additions,
        // each at most the largest square s: 4 * dim * u * s + 2 * u * 4 * s.
        let largest = products.diag().iter().fold(0.0_f64, |a, &b| a.max(b));
        let error = (2 * dim + 4) as f64 * f64::EPSILON * largest;
        Self {
            points,
            products,
            error,
        }
    }

    pub(super) fn n_points(&self) -> usize {
        self.points.nrows()
    }

    /// For each point the `n_neighbors` nearest others, the nearest first.
    pub(super) fn nearest(&self, n_neighbors: usize) -> Vec<Vec<Neighbor>> {
        (0..self.n_points())
            .into_par_iter()
            .map(|i| {
                let others = (0..self.n_points()).filter(|&j| j != i);
                let mut proposed: Vec<(f64, usize)> =
                    others.map(|j| (self.proposed(i, j), j)).collect();
                let (_, &mut (farthest, _), _) =
                    proposed.select_nth_unstable_by(n_neighbors - 1, |a, b| a.0.total_cmp(&b.0));
                let mut decided: Vec<(f64, usize)> = proposed
                    .into_iter()
                    .filter(|&(proposed, _)| proposed <= farthest + 2.0 * self.error)
                    .map(|(_, j)| (self.squared(i, j), j))
                    .collect();
                decided.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                decided.truncate(n_neighbors);
                decided
                    .into_iter()
                    .map(|(squared, point)| Neighbor {
                        point,
                        distance: squared.sqrt(),
                    })
                    .collect()
            })
            .collect()
    }

    /// The closest pair of a point of `left` and one of `right`, and its distance; of equally close ones the first by `left`, then by `right`.
    pub(super) fn closest(&self, left: &[usize], right: &[usize]) -> (usize, Neighbor) {
        let pairs = || {
            left.iter()
                .flat_map(|&i| right.iter().map(move |&j| (i, j)))
        };
        let least = pairs().fold(f64::INFINITY, |least, (i, j)| {
            least.min(self.proposed(i, j))
        });
        let (squared, i, j) = pairs()
            .filter(|&(i, j)| self.proposed(i, j) <= least + 2.0 * self.error)
            .map(|(i, j)| (self.squared(i, j), i, j))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .expect("a part of a graph has at least one point");
        let neighbor = Neighbor {
            point: j,
            distance: squared.sqrt(),
        };
        (i, neighbor)
    }

    fn proposed(&self, i: usize, j: usize) -> f64 {
        self.products[(i, i)] + self.products[(j, j)] - 2.0 * self.products[(i, j)]
    }

    fn squared(&self, i: usize, j: usize) -> f64 {
        let (a, b) = (
            self.points.index_axis(Axis(0), i),
            self.points.index_axis(Axis(0), j),
        );
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
    }
}

#[cfg(test)]
mod tests {
    use linfa_nn::{BallTree, LinearSearch, NearestNeighbour, distance::L2Dist};
    use ndarray::array;
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn neighbors_are_those_of_linfa_nn() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for dim in [1, 3, 40] {
            let points = Array2::from_shape_simple_fn((150, dim), || rng.random_range(-1.0..1.0));
            let nearest = Distances::new(points.clone()).nearest(7);
            let indexes = [
                LinearSearch::new()
                    .from_batch(&points, L2Dist)
                    .map_err(|e| e.to_string()),
                BallTree::new()
                    .from_batch(&points, L2Dist)
                    .map_err(|e| e.to_string()),
            ];
            for index in indexes {
                let index = index.expect("points with coordinates can be searched");
                for (i, neighbors) in nearest.iter().enumerate() {
                    let found = index.k_nearest(points.row(i), 8).expect("searched");
                    let expected: Vec<usize> = found.iter().skip(1).map(|(_, j)| *j).collect();
                    let rows: Vec<usize> = neighbors.iter().map(|n| n.point).collect();
                    assert_eq!(rows, expected, "point {i} of dimension {dim}");
                }
            }
        }
    }

    #[test]
    fn equally_near_points_are_taken_by_row() {
        // Far from the origin products lose all digits of these distances.
        let points = array![[1e8], [1e8 + 2.0], [1e8 + 1.0], [1e8 + 1.0], [1e8 + 1.0]];
        let distances = Distances::new(points);
        let rows = |neighbors: &[Neighbor]| neighbors.iter().map(|n| n.point).collect::<Vec<_>>();
        let nearest = distances.nearest(2);
        assert_eq!(rows(&nearest[0]), [2, 3]);
        assert_eq!(rows(&nearest[4]), [2, 3]);
        assert_eq!(nearest[4][0].distance, 0.0);
        let (i, neighbor) = distances.closest(&[1, 0], &[4, 3]);
        assert_eq!((i, neighbor.point, neighbor.distance), (1, 4, 1.0));
    }
}
