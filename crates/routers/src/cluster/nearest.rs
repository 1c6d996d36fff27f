//! The nearest centroid of each row, by blocked matrix products.
//!
//! One rule decides, whatever the batch, the block or the number of threads:
//!
//! ```text
//! distance(x, c) = |c|^2 / 2 - x . c      of float32 values, summed in float64 in a fixed order (`dot.rs`)
//! nearest        = least distance, then lower number
//! ```
//!
//! That is half of `|x - c|^2` less what all centroids of a row share. A product in float32 proposes; centroids that it cannot tell apart within its
//! rounding error are settled by the rule.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};
use pulp::Arch;
use rayon::prelude::*;

use crate::{dot::dot_products_f64, products::add_product};

/// Rows of a matrix product. With as many centroids its operands and its result stay in the caches of one core.
const ROWS: usize = 256;
/// Fewer rows than this are decided by the rule alone: packing centroids for a product would cost more than it saves.
const FEW_ROWS: usize = 8;
/// Values that are compared at a time: a cache line of float32.
const LANES: usize = 16;

/// The nearest centroid of each row of length 1, or 0; of equally near ones the first. The shapes are `(n_rows, dim)` and `(n_clusters, dim)`.
pub(super) fn nearest(rows: ArrayView2<'_, f32>, centroids: ArrayView2<'_, f32>) -> Vec<u32> {
    let centroids = Centroids::new(centroids);
    let runs: Vec<ArrayView2<'_, f32>> = rows.axis_chunks_iter(Axis(0), ROWS).collect();
    let scratch = || Array2::zeros((ROWS, centroids.len()));
    runs.into_par_iter()
        .map_init(scratch, |scratch, rows| {
            if rows.nrows() < FEW_ROWS {
                centroids.nearest_by_rule(rows)
            } else {
                centroids.nearest_of(rows, scratch.slice_mut(s![..rows.nrows(), ..]))
            }
        })
        .flatten_iter()
        .collect()
}

struct Centroids {
    values: Array2<f32>,
    /// `|c|^2 / 2`.
    half_squares: Vec<f64>,
    /// The same for the float32 product.
    narrow_half_squares: Vec<f32>,
    /// Most that a distance by the float32 product is off.
    error: f32,
}

impl Centroids {
    /// ```text
    /// error = 2^-24 (dim + 4) (l + l^2)      l: the length of the longest centroid
    /// ```
    ///
    /// A product of a row of length 1 with a centroid is off by at most `2^-24 dim l`, in whatever order it is summed (Higham 2002, "Accuracy and
    /// stability of numerical algorithms", section 3.1); the rest is for rounding the square and the difference.
    fn new(centroids: ArrayView2<'_, f32>) -> Self {
        let values = centroids.as_standard_layout().into_owned();
        let square = |centroid: &[f32]| {
            let mut square = [0.0];
            dot_products_f64(centroid, centroid, &mut square);
            square[0]
        };
        let dim = values.ncols();
        let half_squares: Vec<f64> = (slice(values.view()).chunks_exact(dim))
            .map(|centroid| square(centroid) / 2.0)
            .collect();
        let longest = half_squares.iter().copied().fold(0.0, f64::max);
        let longest = (2.0 * longest).sqrt();
        let error = 2.0_f64.powi(-24) * (dim as f64 + 4.0) * (longest + longest * longest);
        Self {
            narrow_half_squares: half_squares.iter().map(|&it| it as f32).collect(),
            // Below the least normal number roundings are no longer relative.
            error: error as f32 + f32::MIN_POSITIVE,
            half_squares,
            values,
        }
    }

    fn len(&self) -> usize {
        self.half_squares.len()
    }

    fn nearest_by_rule(&self, rows: ArrayView2<'_, f32>) -> Vec<u32> {
        let mut products = vec![0.0; self.len()];
        let of_row = |row: &[f32]| {
            dot_products_f64(row, slice(self.values.view()), &mut products);
            let distances = self.half_squares.iter().zip(&products).enumerate();
            first_least(distances.map(|(cluster, (half, product))| (cluster, half - product)))
        };
        slice(rows).chunks_exact(rows.ncols()).map(of_row).collect()
    }

    fn nearest_of(
        &self,
        rows: ArrayView2<'_, f32>,
        mut distances: ArrayViewMut2<'_, f32>,
    ) -> Vec<u32> {
        for mut distances in distances.outer_iter_mut() {
            distances.assign(&ndarray::ArrayView1::from(&self.narrow_half_squares));
        }
        add_product(distances.view_mut(), -1.0, rows, self.values.t());
        let rows = slice(rows).chunks_exact(rows.ncols());
        let distances = slice(distances.view()).chunks_exact(self.len());
        let mut candidates = Vec::new();
        rows.zip(distances)
            .map(|(row, distances)| {
                within(distances, 2.0 * self.error, &mut candidates);
                match candidates[..] {
                    [only] => only as u32,
                    _ => self.settle(row, &candidates),
                }
            })
            .collect()
    }

    /// Decides among some centroids, in ascending order, by the rule.
    fn settle(&self, row: &[f32], candidates: &[usize]) -> u32 {
        first_least(candidates.iter().map(|&cluster| {
            let centroid = self.values.slice(s![cluster..=cluster, ..]);
            let mut product = [0.0];
            dot_products_f64(row, slice(centroid), &mut product);
            (cluster, self.half_squares[cluster] - product[0])
        }))
    }
}

/// The values of a matrix that lies in memory row after row.
fn slice<'a>(matrix: ArrayView2<'a, f32>) -> &'a [f32] {
    matrix.to_slice().expect("rows lie one after the other")
}

fn first_least(distances: impl Iterator<Item = (usize, f64)>) -> u32 {
    let (mut nearest, mut least) = (0, f64::INFINITY);
    for (cluster, distance) in distances {
        if distance < least {
            (nearest, least) = (cluster, distance);
        }
    }
    nearest as u32
}

/// The places of all values that exceed the least by no more than `margin`, and of those that are NaN.
fn within(values: &[f32], margin: f32, places: &mut Vec<usize>) {
    places.clear();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let less = |a: f32, b: f32| if a < b { a } else { b };
            let mut least = [f32::INFINITY; LANES];
            let chunks = values.chunks_exact(LANES);
            let rest = chunks.remainder().iter().copied();
            for chunk in chunks {
                for lane in 0..LANES {
                    least[lane] = less(chunk[lane], least[lane]);
                }
            }
            let limit = least.into_iter().chain(rest).fold(f32::INFINITY, less) + margin;
            for (i, chunk) in values.chunks(LANES).enumerate() {
                // Without an early exit it is compiled to comparisons of whole registers.
                let any = (chunk.iter()).fold(false, |any, &value| any | !(value > limit));
                if any {
                    let hits = chunk
                        .iter()
                        .enumerate()
                        .filter(|(_, value)| !(**value > limit));
                    places.extend(hits.map(|(lane, _)| i * LANES + lane));
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, array};
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn random(shape: (usize, usize), seed: u64) -> Array2<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Array2::from_shape_simple_fn(shape, || rng.random_range(-1.0..1.0))
    }

    fn unit(rows: Array2<f32>) -> Array2<f32> {
        let rows = crate::UnitRows::new(rows).expect("finite");
        rows.view().to_owned()
    }

    /// By plain distances in float64.
    fn expected(rows: &Array2<f32>, centroids: &Array2<f32>) -> Vec<u32> {
        let wide = |it: ndarray::ArrayView1<'_, f32>| -> Array1<f64> { it.mapv(f64::from) };
        let of_row = |row| {
            let distance = |centroid| (&wide(row) - &wide(centroid)).mapv(|it| it * it).sum();
            first_least(centroids.outer_iter().map(distance).enumerate())
        };
        rows.outer_iter().map(of_row).collect()
    }

    #[test]
    fn the_nearest_is_that_of_float64_distances() {
        for (n_rows, n_clusters, dim) in [(1, 5, 3), (7, 16, 8), (300, 1, 5), (600, 130, 96)] {
            let rows = unit(random((n_rows, dim), 1));
            let centroids = random((n_clusters, dim), 2) * 0.5;
            let found = nearest(rows.view(), centroids.view());
            assert_eq!(
                found,
                expected(&rows, &centroids),
                "{n_rows} {n_clusters} {dim}"
            );
        }
    }

    /// Differences of the last bit, which a product in float32 cannot see: all of them are settled.
    #[test]
    fn what_float32_cannot_tell_apart_is_settled() {
        let rows = unit(random((400, 64), 3));
        let one = random((1, 64), 4) * 0.1;
        let mut centroids = Array2::zeros((40, 64));
        for (i, mut centroid) in centroids.outer_iter_mut().enumerate() {
            centroid.assign(&one.row(0));
            centroid[i] = f32::from_bits(centroid[i].to_bits() + 1 + (i % 3) as u32);
        }
        let found = nearest(rows.view(), centroids.view());
        assert_eq!(found, expected(&rows, &centroids));
        let n_different = found.iter().collect::<std::collections::HashSet<_>>().len();
        assert!(n_different > 5, "{n_different}");
    }

    #[test]
    fn of_equally_near_centroids_the_first_is_taken() {
        let rows = unit(random((20, 6), 5));
        let one = random((1, 6), 6);
        let centroids = ndarray::concatenate![Axis(0), random((1, 6), 7), one, one, one];
        for cluster in nearest(rows.view(), centroids.view()) {
            assert!(cluster < 2);
        }
    }

    #[test]
    fn neither_the_batch_nor_the_place_in_it_matters() {
        let rows = unit(random((530, 33), 8));
        let centroids = random((70, 33), 9) * 0.2;
        let together = nearest(rows.view(), centroids.view());
        for (row, &cluster) in together.iter().enumerate() {
            let alone = nearest(rows.slice(s![row..=row, ..]), centroids.view());
            assert_eq!(alone, [cluster]);
        }
    }

    #[test]
    fn products_that_overflow_are_decided_all_the_same() {
        let rows = unit(Array2::ones((9, 4)));
        let centroids = array![[3e38_f32; 4], [-3e38; 4], [0.9; 4], [f32::MIN_POSITIVE; 4]];
        assert_eq!(nearest(rows.view(), centroids.view()), [2; 9]);
    }
}
