use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, s};

use super::{
    drawn::Shared,
    known::KnownRows,
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
    /// Of targets whose k counts the neighbors that know an LLM.
    known: Option<Known>,
}

/// What predicts targets whose k counts the neighbors that know an LLM.
#[derive(Debug, Clone)]
struct Known {
    /// The other targets' outputs are known nowhere in it.
    rows: KnownRows,
    /// Of each target.
    shared: Vec<Shared>,
}

impl Knn {
    pub(super) fn new(
        rows: UnitRows,
        values: Array2<f32>,
        fits: Vec<TargetFit>,
        outputs: Vec<Range<usize>>,
        backend: Backend,
    ) -> Self {
        let known = Known::of(&rows, &values, &fits, &outputs);
        Self {
            fallback: known_means(&values, 0..rows.n_rows()),
            known,
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
            prior_values: None,
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

    /// The same with targets whose k counts the neighbors that know an LLM: one number for each target, `None` where it counts all neighbors. A log
    /// of one answer per prompt needs it, where of k neighbors few know any one LLM.
    ///
    /// ```text
    /// f_m(x)        = mean of y_m over the k nearest of the rows that know m (or over all of those)
    /// level(x)      = mean over m of (f_m(x) - mean_m) / sd_m
    /// prediction_m  = mean_m + sd_m level + n_m / (n_m + prior_values) (f_m - mean_m - sd_m level)       n_m: how many rows know m
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one number for each target; [`Error::BadParameter`] for a negative or infinite one.
    pub fn counting_known(mut self, prior_values: &[Option<f64>]) -> Result<Self> {
        if prior_values.len() != self.fits.len() {
            return Err(Error::Shape {
                what: "prior-values",
                expected: (self.fits.len(), 1),
                found: (prior_values.len(), 1),
            });
        }
        let is_good = |it: &f64| it.is_finite() && *it >= 0.0;
        if let Some(bad) = prior_values.iter().flatten().find(|it| !is_good(it)) {
            return Err(Error::BadParameter {
                name: "prior-values",
                found: bad.to_string(),
                expected: "a finite number of at least 0",
            });
        }
        for (fit, &prior_values) in self.fits.iter_mut().zip(prior_values) {
            fit.prior_values = prior_values;
        }
        self.known = Known::of(&self.rows, &self.values, &self.fits, &self.outputs);
        Ok(self)
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
        if let Some(known) = &self.known {
            known.predict(&queries, &self.fits, &self.outputs, &mut predictions);
        }
        let of_all = self.fits.iter().filter(|fit| fit.prior_values.is_none());
        let mut ks: Vec<usize> = of_all.map(|fit| fit.n_neighbors).collect();
        if ks.is_empty() {
            on_progress(n_queries as u64);
            return Ok(predictions);
        }
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
                for ((_, outputs), predictions) in chosen
                    .filter(|((fit, _), _)| fit.prior_values.is_none() && fit.n_neighbors == k)
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

impl Known {
    fn of(
        rows: &UnitRows,
        values: &Array2<f32>,
        fits: &[TargetFit],
        outputs: &[Range<usize>],
    ) -> Option<Self> {
        if fits.iter().all(|fit| fit.prior_values.is_none()) {
            return None;
        }
        let mut counted = values.clone();
        for (_, outputs) in fits
            .iter()
            .zip(outputs)
            .filter(|(fit, _)| fit.prior_values.is_none())
        {
            counted.slice_mut(s![.., outputs.clone()]).fill(f32::NAN);
        }
        let shared =
            |outputs: &Range<usize>| Shared::of(values.slice(s![.., outputs.clone()]), |_| true);
        Some(Self {
            rows: KnownRows::new(rows, counted.view(), |_| true),
            shared: outputs.iter().map(shared).collect(),
        })
    }

    fn predict(
        &self,
        queries: &UnitRows,
        fits: &[TargetFit],
        outputs: &[Range<usize>],
        predictions: &mut [Array2<f32>],
    ) {
        let counted = || fits.iter().filter(|fit| fit.prior_values.is_some());
        let mut ks: Vec<usize> = counted().map(|fit| fit.n_neighbors).collect();
        ks.sort_unstable();
        ks.dedup();
        let means = self.rows.means(queries, &ks);
        for (target, fit) in fits.iter().enumerate() {
            let (Some(strength), Ok(k)) = (fit.prior_values, ks.binary_search(&fit.n_neighbors))
            else {
                continue;
            };
            let mut drawn = means[k].slice(s![.., outputs[target].clone()]).to_owned();
            for (mut drawn, mut predicted) in drawn
                .outer_iter_mut()
                .zip(predictions[target].outer_iter_mut())
            {
                let drawn = drawn.as_slice_mut().expect("it was made row by row");
                self.shared[target].draw(drawn, strength);
                for (predicted, &drawn) in predicted.iter_mut().zip(&*drawn) {
                    *predicted = drawn as f32;
                }
            }
        }
    }
}
