//! Candidates by the searches of `linfa-nn`: Euclidean distance between unit vectors, which orders as cosine similarity does.

use std::ops::Range;

use linfa_nn::{
    BallTree, KdTree, LinearSearch, NearestNeighbour, NearestNeighbourIndex, distance::L2Dist,
};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::{
    Backend, NeighborLists, UnitRows,
    candidates::{Candidate, Candidates, Wanted},
    dot_f64,
};
use crate::{Error, Result};

/// Candidates beyond `k_max` that are asked for at first.
const SPARE: usize = 8;
/// `linfa-nn` orders by float32 sums of squared differences, which round differently than products do; its order is trusted only where
/// similarities differ by this many times their own error.
const TRUST: f64 = 8.0;

pub(super) fn nearest_in_other_folds(
    rows: &UnitRows,
    folds: &[Range<usize>],
    ks: &[usize],
    backend: Backend,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<NeighborLists> {
    let mut lists = Vec::with_capacity(folds.len());
    for fold in folds {
        let others: Vec<u32> = (0..rows.n_rows())
            .filter(|row| !fold.contains(row))
            .map(|row| row as u32)
            .collect();
        lists.push(search(
            rows,
            fold.clone(),
            rows,
            &others,
            ks,
            backend,
            on_progress,
        )?);
    }
    let k_max = ks.last().copied().unwrap_or_default();
    Ok(NeighborLists {
        k_max,
        rows: lists.concat(),
    })
}

pub(super) fn nearest(
    queries: &UnitRows,
    rows: &UnitRows,
    ks: &[usize],
    backend: Backend,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<NeighborLists> {
    let all: Vec<u32> = (0..rows.n_rows() as u32).collect();
    let found = search(
        queries,
        0..queries.n_rows(),
        rows,
        &all,
        ks,
        backend,
        on_progress,
    )?;
    Ok(NeighborLists {
        k_max: ks.last().copied().unwrap_or_default(),
        rows: found,
    })
}

/// The nearest of `among` for some of the queries.
fn search(
    queries: &UnitRows,
    which: Range<usize>,
    rows: &UnitRows,
    among: &[u32],
    ks: &[usize],
    backend: Backend,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<u32>> {
    let wanted = Wanted::new(ks, rows.dim());
    let is_zero = |values: &[f32]| values.iter().all(|&value| value == 0.0);
    // A zero vector has distance 1 to every unit vector, as if its similarity were 1/2. It is no part of the index; its similarity, 0,
    // is known without a search.
    let (zero, indexed): (Vec<u32>, Vec<u32>) = among
        .iter()
        .partition(|&&row| is_zero(rows.row(row as usize)));
    let points = rows.view().select(
        Axis(0),
        &indexed.iter().map(|&row| row as usize).collect::<Vec<_>>(),
    );
    let index = if indexed.is_empty() {
        None
    } else {
        Some(build(&points, backend)?)
    };
    let neighbors = |query: usize| -> Result<Vec<u32>> {
        let vector = queries.row(query);
        let decide = |row: u32| dot_f64(vector, rows.row(row as usize));
        let mut list = Candidates::new();
        let mut push = |row: u32| {
            list.push(Candidate::new(decide(row) as f32, row), &wanted, decide);
        };
        zero.iter().copied().for_each(&mut push);
        if is_zero(vector) {
            indexed.iter().copied().for_each(&mut push);
        } else if let Some(index) = &index {
            nearest_indexed(&**index, &indexed, vector, &wanted, decide, backend)?
                .into_iter()
                .for_each(&mut push);
        }
        on_progress(1);
        Ok(list.finish(&wanted, decide))
    };
    let lists = which
        .into_par_iter()
        .map(neighbors)
        .collect::<Result<Vec<_>>>()?;
    Ok(lists.concat())
}

/// The `k_max` nearest of the indexed rows and all that the index may have confused with the last of them.
fn nearest_indexed(
    index: &(dyn NearestNeighbourIndex<f32> + '_),
    indexed: &[u32],
    vector: &[f32],
    wanted: &Wanted,
    decide: impl Fn(u32) -> f64,
    backend: Backend,
) -> Result<Vec<u32>> {
    let mut n_asked = wanted.k_max() + SPARE;
    loop {
        let found = index
            .k_nearest(vector.into(), n_asked.min(indexed.len()))
            .map_err(|error| failed(backend, &error))?;
        let found: Vec<u32> = found.into_iter().map(|(_, i)| indexed[i]).collect();
        if n_asked >= indexed.len() {
            return Ok(found);
        }
        let mut similarities: Vec<f64> = found.iter().map(|&row| decide(row)).collect();
        similarities.sort_unstable_by(|a, b| b.total_cmp(a));
        let is_clear = similarities.last().is_some_and(|last| {
            similarities[wanted.k_max() - 1] - last > TRUST * f64::from(wanted.error())
        });
        if is_clear {
            return Ok(found);
        }
        n_asked *= 2;
    }
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
