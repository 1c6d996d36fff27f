use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, s};

use super::{
    means::{RunningMean, known_means},
    target::{Target, TargetFit, output_ranges, side_by_side},
};
use crate::{
    Backend, Error, Result, UnitRows,
    neighbors::{self, Ask},
};

/// Fitted k-nearest-neighbors regression; made by [`super::CheckedKnnParams::fit`], or from what a fit left.
#[derive(Debug, Clone)]
pub struct Knn {
    rows: UnitRows,
    /// All targets side by side.
    values: Array2<f32>,
    /// The mean of each output, for queries none of whose neighbors has a value.
    fallback: Array1<f64>,
    /// The columns of each target.
    outputs: Vec<Range<usize>>,
    fits: Vec<TargetFit>,
    backend: Backend,
}

impl Knn {
    pub(super) fn new(
        rows: UnitRows,
        values: Array2<f32>,
        fits: Vec<TargetFit>,
        outputs: Vec<Range<usize>>,
        backend: Backend,
    ) -> Self {
        Self {
            fallback: known_means(&values, 0..rows.n_rows()),
            rows,
            values,
            outputs,
            fits,
            backend,
        }
    }

    /// Puts a regression together again from the rows that its fit kept ([`Knn::rows`]), its targets, and the k of each. It predicts the
    /// same to the last bit. The rows are not copied.
    ///
    /// # Errors
    /// [`Error::BadParameter`] for a k of 0 or above the number of rows; [`Error::Shape`] when a target has other rows, or there is not one k
    /// for each; [`Error::Empty`] for a target without columns.
    pub fn from_parts(
        rows: UnitRows,
        targets: &[Target],
        n_neighbors: &[usize],
        backend: Backend,
    ) -> Result<Self> {
        let n_rows = rows.n_rows();
        if n_neighbors.len() != targets.len() {
            return Err(Error::Shape {
                what: "n-neighbors",
                expected: (targets.len(), 1),
                found: (n_neighbors.len(), 1),
            });
        }
        if let Some(k) = n_neighbors.iter().find(|&&k| k == 0 || k > n_rows) {
            return Err(Error::BadParameter {
                name: "n-neighbors",
                found: k.to_string(),
                expected: "at least 1, and at most the number of rows",
            });
        }
        let values = side_by_side(n_rows, targets)?;
        let fits = targets.iter().zip(n_neighbors);
        let fits = fits.map(|(target, &n_neighbors)| TargetFit {
            target: target.name.clone(),
            n_neighbors,
            cross_validation: Vec::new(),
        });
        Ok(Self::new(
            rows,
            values,
            fits.collect(),
            output_ranges(targets),
            backend,
        ))
    }

    /// How each target's k was chosen, in the order in which the targets were given.
    pub fn fits(&self) -> &[TargetFit] {
        &self.fits
    }

    /// How neighbors are searched for, to be stored.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The rows that can be neighbors, to be stored.
    pub fn rows(&self) -> &UnitRows {
        &self.rows
    }

    /// The values that a target's neighbors are averaged over, of shape `(n_rows, n_outputs)`, NaN where unknown, to be stored.
    ///
    /// # Panics
    /// When there is no such target.
    pub fn values(&self, target_idx: usize) -> ArrayView2<'_, f32> {
        self.values.slice(s![.., self.outputs[target_idx].clone()])
    }

    /// Predicts every target for some embeddings of shape `(n_queries, dim)`; the matrices have shape `(n_queries, n_outputs)`.
    ///
    /// A prediction does not depend on the other queries. `on_progress` counts queries.
    ///
    /// # Errors
    /// [`Error::Shape`] when the dimension is not the fitted one; [`Error::NotFinite`]; [`Error::Backend`].
    pub fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
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
        let queries = UnitRows::new(embeddings.to_owned())?;
        let mut ks: Vec<usize> = self.fits.iter().map(|fit| fit.n_neighbors).collect();
        ks.sort_unstable();
        ks.dedup();
        let ask = Ask {
            ks: &ks,
            backend: self.backend,
            on_progress,
        };
        let lists = neighbors::nearest(&queries, &self.rows, ask)?;
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
