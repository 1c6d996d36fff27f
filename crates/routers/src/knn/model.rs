use std::ops::Range;

use ndarray::{Array1, Array2};

use super::fit::{RunningMean, TargetFit};
use crate::{Backend, Error, Result, UnitRows, neighbors};

/// Fitted k-nearest-neighbors regression; made by [`super::CheckedKnnParams::fit`].
#[derive(Debug, Clone)]
pub struct Knn {
    pub(super) rows: UnitRows,
    /// All targets side by side.
    pub(super) values: Array2<f32>,
    /// The mean of each output, for queries none of whose neighbors has a value.
    pub(super) fallback: Array1<f64>,
    /// The columns of each target.
    pub(super) outputs: Vec<Range<usize>>,
    pub(super) fits: Vec<TargetFit>,
    pub(super) backend: Backend,
}

impl Knn {
    /// How each target's k was chosen, in the order in which the targets were given.
    pub fn fits(&self) -> &[TargetFit] {
        &self.fits
    }

    /// Number of rows that can be neighbors.
    pub fn n_rows(&self) -> usize {
        self.rows.n_rows()
    }

    /// Predicts every target for some embeddings of shape `(n_queries, dim)`; the matrices have shape `(n_queries, n_outputs)`.
    ///
    /// A prediction does not depend on the other queries. `on_progress` counts queries.
    ///
    /// # Errors
    /// [`Error::Shape`] when the dimension is not the fitted one; [`Error::NotFinite`]; [`Error::Backend`].
    pub fn predict(
        &self,
        embeddings: Array2<f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<Array2<f32>>> {
        let (n_queries, dim) = embeddings.dim();
        if dim != self.rows.dim() {
            let expected = (n_queries, self.rows.dim());
            return Err(Error::Shape {
                what: "query embedding",
                expected,
                found: (n_queries, dim),
            });
        }
        let mut predictions: Vec<Array2<f32>> = self
            .outputs
            .iter()
            .map(|outputs| Array2::zeros((n_queries, outputs.len())))
            .collect();
        if n_queries == 0 || self.fits.is_empty() {
            return Ok(predictions);
        }
        let queries = UnitRows::new(embeddings)?;
        let mut ks: Vec<usize> = self.fits.iter().map(|fit| fit.n_neighbors).collect();
        ks.sort_unstable();
        ks.dedup();
        let lists = neighbors::nearest(&queries, &self.rows, &ks, self.backend, on_progress)?;
        for query in 0..n_queries {
            let mut mean = RunningMean::new(self.values.ncols());
            let mut start = 0;
            for &k in &ks {
                mean.add(&lists.of(query)[start..k], self.values.view());
                start = k;
                let chosen = self.fits.iter().zip(&self.outputs).zip(&mut predictions);
                for ((_, outputs), predictions) in
                    chosen.filter(|((fit, _), _)| fit.n_neighbors == k)
                {
                    for (i, output) in outputs.clone().enumerate() {
                        predictions[[query, i]] =
                            mean.get(output).unwrap_or(self.fallback[output]) as f32;
                    }
                }
            }
        }
        Ok(predictions)
    }
}
