use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis};
use rand::{SeedableRng, seq::index};
use rand_chacha::ChaCha8Rng;

use crate::{
    Result, UnitRows,
    dot::{dot_f64, dot_products_f64},
    products::product,
    ridge::Cholesky,
};

/// What is first added to the diagonal of the landmarks' kernel matrix, whose diagonal is 1: above the rounding of thousands of rows, and far below
/// what distinct landmarks differ by.
const JITTER: f64 = 1e-10;

/// Rows that all others are compared with.
#[derive(Debug, Clone)]
pub(crate) struct Landmarks {
    rows: UnitRows,
    /// Of each row, about 1, or 0 for a zero vector.
    squared_lengths: Vec<f64>,
}

impl Landmarks {
    /// Rows as they are.
    pub(crate) fn new(rows: UnitRows) -> Self {
        let squared_lengths = (0..rows.n_rows())
            .map(|row| dot_f64(rows.row(row), rows.row(row)))
            .collect();
        Self {
            rows,
            squared_lengths,
        }
    }

    /// So many of the distinct rows, drawn by the seed; all of them where there are no more. Of equal rows the first can be drawn.
    pub(crate) fn draw(rows: &UnitRows, n_landmarks: usize, seed: u64) -> Result<Self> {
        let distinct = distinct(rows);
        let drawn: Vec<usize> = if distinct.len() <= n_landmarks {
            distinct
        } else {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut drawn = index::sample(&mut rng, distinct.len(), n_landmarks).into_vec();
            drawn.sort_unstable();
            drawn.into_iter().map(|i| distinct[i]).collect()
        };
        let values = rows.view().select(Axis(0), &drawn);
        let shape = values.dim();
        let values = Arc::new(values.into_raw_vec_and_offset().0);
        Ok(Self::new(UnitRows::from_unit(values, shape)?))
    }

    /// The rows.
    pub(crate) fn rows(&self) -> &UnitRows {
        &self.rows
    }

    /// Number of landmarks.
    pub(crate) fn len(&self) -> usize {
        self.rows.n_rows()
    }

    /// Squared distances of some rows to all landmarks, shape `(n_rows, n_landmarks)`, by a matrix product: for fits.
    pub(super) fn squared_distances(&self, rows: ArrayView2<'_, f32>) -> Array2<f64> {
        let landmarks = self.rows.view().mapv(f64::from);
        let rows = rows.mapv(f64::from);
        let mut distances = product(rows.view(), landmarks.t());
        for (mut distances, row) in distances.outer_iter_mut().zip(rows.outer_iter()) {
            let squared_length = row.dot(&row);
            for (distance, landmark) in distances.iter_mut().zip(&self.squared_lengths) {
                *distance = (squared_length + landmark - 2.0 * *distance).max(0.0);
            }
        }
        distances
    }

    /// Squared distances of one row to all landmarks, summed in one order whatever the batch: for predictions.
    pub(super) fn squared_distances_of(&self, row: &[f32], distances: &mut [f64]) {
        let squared_length = dot_f64(row, row);
        dot_products_f64(row, self.rows.slice(0..self.len()), distances);
        for (distance, landmark) in distances.iter_mut().zip(&self.squared_lengths) {
            *distance = (squared_length + landmark - 2.0 * *distance).max(0.0);
        }
    }

    /// L of the landmarks' own kernel matrix, `K + jitter I = L L'`.
    pub(super) fn factor(&self, gamma: f64) -> Cholesky {
        let kernel = self
            .squared_distances(self.rows.view())
            .mapv(|distance| gaussian(gamma, distance));
        let mut jitter = JITTER;
        loop {
            let mut jittered = kernel.clone();
            jittered.diag_mut().mapv_inplace(|x| x + jitter);
            match Cholesky::factor(jittered) {
                Some(factored) => return factored,
                // Rounding of very many rows that nearly agree. The matrix has no eigenvalue below 0 by more, so this ends long before
                // jitter is 1.
                None => jitter *= 10.0,
            }
        }
    }
}

/// The kernel at a squared distance.
pub(super) fn gaussian(gamma: f64, squared_distance: f64) -> f64 {
    (-gamma * squared_distance).exp()
}

/// The first of each set of equal rows, ascending.
fn distinct(rows: &UnitRows) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.n_rows()).collect();
    // -0 and 0 are equal, and no value is NaN.
    let compare = |&a: &usize, &b: &usize| {
        let (a, b) = (rows.row(a).iter(), rows.row(b).iter());
        a.partial_cmp(b).expect("unit rows are finite")
    };
    order.sort_by(compare);
    order.dedup_by(|a, b| rows.row(*a) == rows.row(*b));
    order.sort_unstable();
    order
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn rows(values: Array2<f32>) -> UnitRows {
        UnitRows::new(values).expect("finite")
    }

    #[test]
    fn equal_rows_are_drawn_once() {
        let values = array![[0.0, 1.0], [3.0, 4.0], [-0.0, 2.0], [0.0, 0.0], [0.6, 0.8]];
        let rows = rows(values);
        assert_eq!(distinct(&rows), [0, 1, 3]);
        let all = Landmarks::draw(&rows, 5, 0).expect("unit rows");
        assert_eq!(
            all.rows().view(),
            array![[0.0, 1.0], [0.6, 0.8], [0.0, 0.0]]
        );
        assert_eq!(Landmarks::draw(&rows, 2, 0).expect("unit rows").len(), 2);
    }

    #[test]
    fn distances_are_those_of_the_geometry() {
        let landmarks = Landmarks::new(rows(array![[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]));
        let query = [0.6_f32, 0.8];
        // (.6, .8) - (0, 1) = (.6, -.2); - (1, 0) = (-.4, .8); - (0, 0) = (.6, .8).
        let expected = [0.4, 0.8, 1.0];
        let mut distances = [0.0; 3];
        landmarks.squared_distances_of(&query, &mut distances);
        let by_product = landmarks.squared_distances(ArrayView2::from(&[query]));
        for ((one, by_product), expected) in distances.iter().zip(&by_product).zip(expected) {
            assert!((one - expected).abs() < 1e-7 && (one - by_product).abs() < 1e-15);
        }
    }

    #[test]
    fn rows_that_nearly_agree_can_be_factored() {
        let near = Array2::from_shape_fn((90, 3), |(row, column)| {
            if column == 0 {
                1.0
            } else {
                (row * column) as f32 * 1e-7
            }
        });
        let landmarks = Landmarks::draw(&rows(near), 90, 0).expect("unit rows");
        assert!(landmarks.len() > 50, "distinct");
        landmarks.factor(0.5);
    }
}
