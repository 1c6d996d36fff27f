//! Candidates by the searches of `linfa-nn`: Euclidean distance between unit vectors, which orders as cosine similarity does.

use std::ops::Range;

use linfa_nn::{
    BallTree, KdTree, LinearSearch, NearestNeighbour, NearestNeighbourIndex, distance::L2Dist,
};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::{
    ask::Ask,
    backend::Backend,
    candidates::{Candidate, Candidates, Wanted},
    lists::NeighborLists,
};
use crate::{Error, Result, UnitRows, dot::dot_f64};

/// Candidates beyond `k_max` that are asked for at first.
const SPARE: usize = 8;
/// `linfa-nn` orders by float32 sums of squared differences, which round differently than products do; its order is trusted only where
/// similarities differ by this many times their own error.
const TRUST: f64 = 8.0;

pub(super) fn nearest_in_other_folds(
    rows: &UnitRows,
    folds: &[Range<usize>],
    ask: Ask<'_>,
) -> Result<NeighborLists> {
    let mut found = Vec::with_capacity(folds.len());
    for fold in folds {
        let others = (0..rows.n_rows()).filter(|row| !fold.contains(row));
        let search = Search::new(rows, others, ask);
        found.push(search.run(rows, fold.clone())?);
    }
    Ok(lists(ask.ks, found.concat()))
}

pub(super) fn nearest(queries: &UnitRows, rows: &UnitRows, ask: Ask<'_>) -> Result<NeighborLists> {
    let search = Search::new(rows, 0..rows.n_rows(), ask);
    let found = search.run(queries, 0..queries.n_rows())?;
    Ok(lists(ask.ks, found))
}

fn lists(ks: &[usize], rows: Vec<u32>) -> NeighborLists {
    let k_max = ks.last().copied().unwrap_or_default();
    NeighborLists { k_max, rows }
}

/// A search among some of the rows.
struct Search<'a> {
    rows: &'a UnitRows,
    /// Rows that are no part of the index: a zero vector has distance 1 to every unit vector, as if its similarity were 1/2. Its
    /// similarity, 0, is known without a search.
    zero: Vec<u32>,
    /// The others.
    indexed: Vec<u32>,
    wanted: Wanted,
    ask: Ask<'a>,
}

impl<'a> Search<'a> {
    fn new(rows: &'a UnitRows, among: impl Iterator<Item = usize>, ask: Ask<'a>) -> Self {
        let (zero, indexed) = among
            .map(|row| row as u32)
            .partition(|&row| is_zero(rows.row(row as usize)));
        Self {
            rows,
            zero,
            indexed,
            wanted: Wanted::new(ask.ks, rows.dim()),
            ask,
        }
    }

    /// The nearest rows of some of the queries, one query after the other.
    fn run(&self, queries: &UnitRows, which: Range<usize>) -> Result<Vec<u32>> {
        let positions: Vec<usize> = self.indexed.iter().map(|&row| row as usize).collect();
        let points = self.rows.view().select(Axis(0), &positions);
        let index = if positions.is_empty() {
            None
        } else {
            Some(build(&points, self.ask.backend)?)
        };
        let neighbors = |query: usize| -> Result<Vec<u32>> {
            let vector = queries.row(query);
            let decide = |row: u32| dot_f64(vector, self.rows.row(row as usize));
            let mut list = Candidates::new();
            let mut push = |row: u32| {
                list.push(
                    Candidate::new(decide(row) as f32, row),
                    &self.wanted,
                    decide,
                );
            };
            self.zero.iter().copied().for_each(&mut push);
            if is_zero(vector) {
                self.indexed.iter().copied().for_each(&mut push);
            } else if let Some(index) = &index {
                self.nearest_indexed(&**index, vector, decide)?
                    .into_iter()
                    .for_each(&mut push);
            }
            (self.ask.on_progress)(1);
            Ok(list.finish(&self.wanted, decide))
        };
        Ok(which
            .into_par_iter()
            .map(neighbors)
            .collect::<Result<Vec<_>>>()?
            .concat())
    }

    /// The `k_max` nearest of the indexed rows and all that the index may have confused with the last of them.
    fn nearest_indexed(
        &self,
        index: &(dyn NearestNeighbourIndex<f32> + '_),
        vector: &[f32],
        decide: impl Fn(u32) -> f64,
    ) -> Result<Vec<u32>> {
        let k_max = self.wanted.k_max();
        let mut n_asked = k_max + SPARE;
        loop {
            let found = index
                .k_nearest(vector.into(), n_asked.min(self.indexed.len()))
                .map_err(|error| failed(self.ask.backend, &error))?;
            let found: Vec<u32> = found.into_iter().map(|(_, i)| self.indexed[i]).collect();
            // Everything was returned, so nothing can have been confused with what was not.
            if n_asked >= self.indexed.len() {
                return Ok(found);
            }
            let mut similarities: Vec<f64> = found.iter().map(|&row| decide(row)).collect();
            similarities.sort_unstable_by(|a, b| b.total_cmp(a));
            let margin = TRUST * f64::from(self.wanted.error());
            if similarities
                .last()
                .is_some_and(|last| similarities[k_max - 1] - last > margin)
            {
                return Ok(found);
            }
            // Many rows may be as near as the last one, duplicates for example. Doubling finds out how many at twice the cost of knowing.
            n_asked *= 2;
        }
    }
}

fn is_zero(vector: &[f32]) -> bool {
    vector.iter().all(|&value| value == 0.0)
}

fn build(
    points: &Array2<f32>,
    backend: Backend,
) -> Result<Box<dyn NearestNeighbourIndex<f32> + Send + Sync + '_>> {
    match backend {
        Backend::LinfaBalltree => BallTree.from_batch(points, L2Dist),
        Backend::LinfaKdtree => KdTree.from_batch(points, L2Dist),
        Backend::LinfaLinear | Backend::Gemm => LinearSearch.from_batch(points, L2Dist),
    }
    .map_err(|error| failed(backend, &error))
}

fn failed(backend: Backend, error: &dyn std::error::Error) -> Error {
    let backend = match backend {
        Backend::LinfaBalltree => "linfa-balltree",
        Backend::LinfaKdtree => "linfa-kdtree",
        Backend::LinfaLinear | Backend::Gemm => "linfa-linear",
    };
    Error::Backend {
        backend,
        message: error.to_string(),
    }
}
