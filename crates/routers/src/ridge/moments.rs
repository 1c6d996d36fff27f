use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::{cholesky::Cholesky, system::positive_definite};
use crate::products::{add_product, product};

/// Columns of a tile of the Gram matrix: tiles are computed by several threads, each over all rows.
const TILE: usize = 256;

/// Sums over some rows of features, of `m` columns.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    pub(super) n_rows: usize,
    /// Sum of the rows, length `m`.
    pub(super) sum: Array1<f64>,
    /// `X'X`, of which the lower triangle counts.
    gram: Array2<f64>,
}

impl Moments {
    pub(super) fn of(features: ArrayView2<'_, f64>) -> Self {
        let m = features.ncols();
        let corners = || (0..m).step_by(TILE);
        let tiles: Vec<(usize, usize)> = corners()
            .flat_map(|i| corners().filter(move |&j| j <= i).map(move |j| (i, j)))
            .collect();
        let columns = |start: usize| features.slice(s![.., start..m.min(start + TILE)]);
        let products: Vec<Array2<f64>> = tiles
            .par_iter()
            .map(|&(i, j)| product(columns(i).t(), columns(j)))
            .collect();
        let mut gram = Array2::zeros((m, m));
        for ((i, j), tile) in tiles.into_iter().zip(products) {
            gram.slice_mut(s![i..i + tile.nrows(), j..j + tile.ncols()])
                .assign(&tile);
        }
        Self {
            n_rows: features.nrows(),
            sum: features.sum_axis(Axis(0)),
            gram,
        }
    }

    /// The sums over all rows of several.
    pub(super) fn total<'a>(m: usize, parts: impl Iterator<Item = &'a Self>) -> Self {
        let mut total = Self {
            n_rows: 0,
            sum: Array1::zeros(m),
            gram: Array2::zeros((m, m)),
        };
        for part in parts {
            total.n_rows += part.n_rows;
            total.sum += &part.sum;
            total.gram += &part.gram;
        }
        total
    }

    /// Mean of the rows, of which there must be one.
    pub(super) fn mean(&self) -> Array1<f64> {
        &self.sum / self.n_rows as f64
    }

    /// `X'X + alpha I` with X centred on its mean.
    ///
    /// # Panics
    /// When alpha is so small that rounding leaves no positive definite matrix; [`super::check_alphas`] keeps it far above.
    pub(super) fn factor(&self, alpha: f64) -> Cholesky {
        let mut centred = self.gram.clone();
        let mean = self.mean().insert_axis(Axis(1));
        let factor = -(self.n_rows as f64);
        add_product(centred.view_mut(), factor, mean.view(), mean.t());
        centred.diag_mut().mapv_inplace(|x| x + alpha);
        positive_definite(centred)
    }
}
