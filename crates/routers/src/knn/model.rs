use std::{ops::Range, sync::Arc};

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, s};

use super::{
    drawn::Shared,
    known::KnownRows,
    means::{RunningMean, known_means},
    target::{Target, TargetFit, output_ranges, side_by_side},
};
use crate::{Backend, Error, InMemory, Nearest, NeighborRows, Neighbors, Result, UnitRows};

/// Queries that a search elsewhere is asked for at a time: what it finds is held in memory, some kilobytes for each.
const QUERIES_ELSEWHERE: usize = 1024;

/// Fitted k-nearest-neighbors regression; made by [`super::CheckedKnnParams::fit`], or from what a fit left.
#[derive(Debug, Clone)]
pub struct Knn {
    neighbors: Held,
    /// The mean of each output, for queries none of whose neighbors has a value.
    fallback: Array1<f64>,
    /// The columns of each target among the neighbors' values.
    outputs: Vec<Range<usize>>,
    fits: Vec<TargetFit>,
    /// Of targets whose k counts the neighbors that know an LLM.
    known: Option<Known>,
}

/// Who searches.
#[derive(Debug, Clone)]
enum Held {
    /// What can be stored, too.
    InMemory(Arc<InMemory>),
    Elsewhere(Arc<dyn Neighbors>),
}

/// A target whose values lie elsewhere ([`Knn::over`]).
#[derive(Debug, Clone, PartialEq)]
pub struct OverTarget {
    /// What the values are.
    pub name: String,
    /// The k in force.
    pub n_neighbors: usize,
    /// The mean of each output over all rows, NaN where it is known in none: for queries none of whose neighbors has a value.
    pub means: Vec<f64>,
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
        neighbors: InMemory,
        fits: Vec<TargetFit>,
        outputs: Vec<Range<usize>>,
    ) -> Self {
        let values = neighbors.values();
        Self {
            fallback: known_means(&values, 0..neighbors.n_rows()),
            known: Known::of(&neighbors, &fits, &outputs),
            neighbors: Held::InMemory(Arc::new(neighbors)),
            outputs,
            fits,
        }
    }

    /// Puts a regression together again from the rows that its fit kept ([`Knn::rows`]), its targets, and the k of each. It predicts the
    /// same to the last bit. The rows are not copied.
    ///
    /// # Errors
    /// [`Error::BadParameter`] for a k of 0 or above the number of rows; [`Error::Shape`] when a target has other rows, or there is not one k
    /// for each; [`Error::Empty`] for a target without columns.
    pub fn from_parts(
        rows: impl Into<NeighborRows>,
        targets: &[Target],
        n_neighbors: &[usize],
        backend: Backend,
    ) -> Result<Self> {
        let rows = rows.into();
        let n_rows = rows.n_rows();
        if n_neighbors.len() != targets.len() {
            return Err(Error::Shape {
                what: "n-neighbors",
                expected: (targets.len(), 1),
                found: (n_neighbors.len(), 1),
            });
        }
        check_ks(n_neighbors.iter().copied(), n_rows)?;
        let values = side_by_side(n_rows, targets)?;
        let fits = targets.iter().zip(n_neighbors);
        let fits = fits.map(|(target, &n_neighbors)| TargetFit {
            target: target.name.clone(),
            n_neighbors,
            prior_values: None,
            n_queries: None,
            cross_validation: Vec::new(),
        });
        Ok(Self::new(
            InMemory::new(rows, values, backend)?,
            fits.collect(),
            output_ranges(targets),
        ))
    }

    /// A regression over neighbors that are not held here. The targets' outputs are side by side in the values of each row.
    ///
    /// # Errors
    /// [`Error::BadParameter`] for a k of 0 or above the number of rows; [`Error::Shape`] when each row has other values than the targets' outputs.
    pub fn over(neighbors: Arc<dyn Neighbors>, targets: &[OverTarget]) -> Result<Self> {
        check_ks(
            targets.iter().map(|target| target.n_neighbors),
            neighbors.n_rows(),
        )?;
        let fallback: Vec<f64> = targets.iter().flat_map(|it| &it.means).copied().collect();
        if fallback.len() != neighbors.n_values() {
            return Err(Error::Shape {
                what: "value",
                expected: (neighbors.n_rows(), fallback.len()),
                found: (neighbors.n_rows(), neighbors.n_values()),
            });
        }
        let mut start = 0;
        let outputs = targets.iter().map(|target| {
            let end = start + target.means.len();
            std::mem::replace(&mut start, end)..end
        });
        let outputs = outputs.collect();
        let fits = targets.iter().map(|target| TargetFit {
            target: target.name.clone(),
            n_neighbors: target.n_neighbors,
            prior_values: None,
            n_queries: None,
            cross_validation: Vec::new(),
        });
        Ok(Self {
            fits: fits.collect(),
            fallback: fallback.into(),
            outputs,
            known: None,
            neighbors: Held::Elsewhere(neighbors),
        })
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
    /// [`Error::Shape`] when there is not one number for each target; [`Error::BadParameter`] for a negative or infinite one, or for neighbors that are
    /// not held here, which would have to be searched for each LLM.
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
        self.known = match &self.neighbors {
            Held::InMemory(held) => Known::of(held, &self.fits, &self.outputs),
            Held::Elsewhere(_) => match prior_values.iter().flatten().next() {
                None => None,
                Some(found) => {
                    return Err(Error::BadParameter {
                        name: "prior-values",
                        found: found.to_string(),
                        expected: "none, where neighbors are not held in memory",
                    });
                }
            },
        };
        Ok(self)
    }

    /// How each target's k was chosen, in the order in which the targets were given.
    pub fn fits(&self) -> &[TargetFit] {
        &self.fits
    }

    /// The rows and values that neighbors are searched among, to be stored; `None` where they are elsewhere ([`Knn::over`]).
    pub fn in_memory(&self) -> Option<&InMemory> {
        match &self.neighbors {
            Held::InMemory(held) => Some(held),
            Held::Elsewhere(_) => None,
        }
    }

    /// What is searched among.
    pub fn neighbors(&self) -> &dyn Neighbors {
        match &self.neighbors {
            Held::InMemory(held) => &**held,
            Held::Elsewhere(neighbors) => &**neighbors,
        }
    }

    /// The columns of a target among the values of each neighbor.
    ///
    /// # Panics
    /// When there is no such target.
    pub fn outputs(&self, target_idx: usize) -> Range<usize> {
        self.outputs[target_idx].clone()
    }

    /// The mean of each output of a target over the rows of the fit, NaN where it is known in none.
    ///
    /// # Panics
    /// When there is no such target.
    pub fn means(&self, target_idx: usize) -> ArrayView1<'_, f64> {
        self.fallback.slice(s![self.outputs(target_idx)])
    }

    /// The same as [`Knn::predict`], and for each query how many parts of the rows could not be searched; empty where none was missing.
    ///
    /// # Errors
    /// As [`Knn::predict`].
    pub fn predict_noting(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(Vec<Array2<f32>>, Vec<u32>)> {
        let mut n_missing = Vec::new();
        let predictions = self.predict_with(embeddings, on_progress, &mut n_missing)?;
        if n_missing.iter().all(|&n| n == 0) {
            n_missing.clear();
        }
        Ok((predictions, n_missing))
    }

    /// Predicts every target for some embeddings of shape `(n_queries, dim)`; the matrices have shape `(n_queries, n_outputs)`.
    ///
    /// A prediction does not depend on the other queries. `on_progress` counts queries.
    ///
    /// # Errors
    /// [`Error::Shape`] when the dimension is not the fitted one; [`Error::NotFinite`]; [`Error::Backend`] or [`Error::Neighbors`].
    pub fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<Array2<f32>>> {
        self.predict_with(embeddings, on_progress, &mut Vec::new())
    }

    fn predict_with(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
        n_missing: &mut Vec<u32>,
    ) -> Result<Vec<Array2<f32>>> {
        let (n_queries, dim) = embeddings.dim();
        let neighbors = self.neighbors();
        if dim != neighbors.dim() {
            let expected = (n_queries, neighbors.dim());
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
        let of_all = self.fits.iter().filter(|fit| fit.prior_values.is_none());
        let mut ks: Vec<usize> = of_all.map(|fit| fit.n_neighbors).collect();
        ks.sort_unstable();
        ks.dedup();
        let at_once = match &self.neighbors {
            Held::InMemory(_) => n_queries,
            Held::Elsewhere(_) => QUERIES_ELSEWHERE,
        };
        for first in (0..n_queries).step_by(at_once) {
            let some = first..n_queries.min(first + at_once);
            let queries = embeddings.slice(s![some.clone(), ..]).to_owned();
            let queries = UnitRows::new(queries).map_err(|error| match error {
                Error::NotFinite { row } => Error::NotFinite { row: first + row },
                error => error,
            })?;
            if let Some(known) = &self.known {
                known.predict(&queries, &self.fits, &self.outputs, &mut predictions);
            }
            if ks.is_empty() {
                on_progress(some.len() as u64);
            } else {
                let nearest = neighbors.nearest(&queries, &ks, on_progress)?;
                n_missing.extend((0..some.len()).map(|query| nearest.n_missing(query)));
                self.average(&nearest, &ks, some, &mut predictions)?;
            }
        }
        Ok(predictions)
    }

    /// Predicts the targets whose k counts all neighbors, for some of the queries: those whose neighbors were found.
    fn average(
        &self,
        nearest: &Nearest<'_>,
        ks: &[usize],
        queries: Range<usize>,
        predictions: &mut [Array2<f32>],
    ) -> Result<()> {
        let (values, k_max) = (nearest.all_values(), ks.last().copied().unwrap_or(0));
        if (nearest.n_queries(), nearest.k()) != (queries.len(), k_max) {
            return Err(Error::Shape {
                what: "neighbor",
                expected: (queries.len(), k_max),
                found: (nearest.n_queries(), nearest.k()),
            });
        }
        for (found, query) in queries.enumerate() {
            let mut mean = RunningMean::new(values.ncols());
            let mut start = 0;
            for &k in ks {
                mean.add(nearest.places(found, start..k), values);
                start = k;
                let chosen = self.fits.iter().zip(&self.outputs).zip(&mut *predictions);
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
        Ok(())
    }
}

fn check_ks(mut ks: impl Iterator<Item = usize>, n_rows: usize) -> Result<()> {
    match ks.find(|&k| k == 0 || k > n_rows) {
        None => Ok(()),
        Some(k) => Err(Error::BadParameter {
            name: "n-neighbors",
            found: k.to_string(),
            expected: "at least 1, and at most the number of rows",
        }),
    }
}

impl Known {
    fn of(held: &InMemory, fits: &[TargetFit], outputs: &[Range<usize>]) -> Option<Self> {
        if fits.iter().all(|fit| fit.prior_values.is_none()) {
            return None;
        }
        let values = held.values();
        let mut counted = values.to_owned();
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
            rows: KnownRows::new(held.rows(), counted.view(), |_| true),
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
