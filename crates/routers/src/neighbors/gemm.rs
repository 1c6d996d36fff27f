//! Candidates by blocked float32 matrix products.

use std::{
    ops::Range,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use gemm::Parallelism;
use rayon::prelude::*;

use super::{
    ask::Ask,
    candidates::{Candidate, Candidates, Wanted},
    lists::NeighborLists,
    scan,
};
use crate::{UnitRows, folds::k_folds, neighbor_rows::Searched};

/// Most rows of a block. A product of two blocks (4 MiB) stays in the outer cache, and packing the blocks costs a few percent of it.
const BLOCK: usize = 1024;
/// Fewer queries than this are answered by dot products: packing the rows for a matrix product would cost more than it saves.
const FEW_QUERIES: usize = 8;
/// Rows whose dot products with a query are taken at a time.
const DOT_PRODUCTS: usize = 256;

/// Some rows and the candidates found for them so far.
struct Block {
    rows: Range<usize>,
    fold: usize,
    candidates: Mutex<Vec<Candidates>>,
    n_products_left: AtomicUsize,
}

/// The similarity matrix is symmetric, so each pair of blocks is multiplied once and serves the lists of both; pairs within a fold are
/// not needed at all. With five folds that is 0.4 of the full matrix product.
pub(super) fn nearest_in_other_folds(
    rows: &UnitRows,
    folds: &[Range<usize>],
    ask: Ask<'_>,
) -> NeighborLists {
    let wanted = Wanted::new(ask.ks, rows.dim());
    let blocks: Vec<Block> = folds
        .iter()
        .enumerate()
        .flat_map(|(fold, fold_rows)| split(fold_rows, BLOCK).map(move |rows| (fold, rows)))
        .map(|(fold, rows)| Block {
            fold,
            candidates: Mutex::new(rows.clone().map(|_| Candidates::new()).collect()),
            rows,
            n_products_left: AtomicUsize::new(0),
        })
        .collect();
    let pairs: Vec<(&Block, &Block)> = (0..blocks.len())
        .flat_map(|i| (i + 1..blocks.len()).map(move |j| (i, j)))
        .map(|(i, j)| (&blocks[i], &blocks[j]))
        // Cross-validation never asks for neighbors from a row's own fold, so those products would be thrown away.
        .filter(|(a, b)| a.fold != b.fold)
        .collect();
    for (a, b) in &pairs {
        a.n_products_left.fetch_add(1, Ordering::Relaxed);
        b.n_products_left.fetch_add(1, Ordering::Relaxed);
    }
    pairs
        .par_iter()
        .for_each_init(Vec::new, |product, &(a, b)| {
            let (left, right) = (rows.slice(a.rows.clone()), rows.slice(b.rows.clone()));
            multiply(left, right, rows.dim(), product);
            let n_columns = b.rows.len();
            let mut lists = lock(&a.candidates);
            for (i, (similarities, list)) in
                product.chunks_exact(n_columns).zip(&mut *lists).enumerate()
            {
                take_row(similarities, b.rows.start, list, &wanted, |row| {
                    rows.decide(rows.row(a.rows.start + i), row)
                });
            }
            // One lock at a time, so that no thread holds what another waits for while it waits itself.
            drop(lists);
            take_columns(rows, product, a, b, &wanted);
            for block in [a, b] {
                // Relaxed is enough: the counter guards no data, it only says when progress is reported.
                if block.n_products_left.fetch_sub(1, Ordering::Relaxed) == 1 {
                    (ask.on_progress)(block.rows.len() as u64);
                }
            }
        });
    let finished: Vec<Vec<u32>> = blocks
        .into_par_iter()
        .flat_map_iter(|block| {
            let lists = block
                .candidates
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner);
            block.rows.zip(lists)
        })
        .map(|(i, list)| list.finish(&wanted, |row| rows.decide(rows.row(i), row)))
        .collect();
    NeighborLists {
        k_max: wanted.k_max(),
        rows: finished.concat(),
    }
}

pub(super) fn nearest<R: Searched>(queries: &UnitRows, rows: &R, ask: Ask<'_>) -> NeighborLists {
    nearest_of_others(queries, rows, ask, |_, _| true)
}

/// Of each query the nearest among the rows that `is_other` than the query says.
pub(super) fn nearest_of_others<R: Searched>(
    queries: &UnitRows,
    rows: &R,
    ask: Ask<'_>,
    is_other: impl Fn(usize, u32) -> bool + Copy + Sync,
) -> NeighborLists {
    let on_progress = ask.on_progress;
    let wanted = Wanted::new(ask.ks, rows.dim()).rounded(R::ROUNDINGS);
    let n_queries = queries.n_rows();
    let finished: Vec<Vec<u32>> = if n_queries < FEW_QUERIES {
        (0..n_queries)
            .map(|query| {
                let of_query = Query {
                    vector: queries.row(query),
                    is_other: |row| is_other(query, row),
                };
                let list = candidates_by_dot_products(of_query, rows, &wanted);
                on_progress(1);
                list.finish(&wanted, |row| rows.decide(queries.row(query), row))
            })
            .collect()
    } else {
        // Several blocks for each thread, so that none waits long for the others at the end.
        let block = n_queries
            .div_ceil(4 * rayon::current_num_threads())
            .clamp(FEW_QUERIES, BLOCK);
        split(&(0..n_queries), block)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map_init(Room::default, |room, block| {
                let lists = candidates_by_products(queries, &block, rows, &wanted, room, is_other);
                on_progress(block.len() as u64);
                let finish = |(query, list): (usize, Candidates)| {
                    list.finish(&wanted, |row| rows.decide(queries.row(query), row))
                };
                block.zip(lists).map(finish).collect::<Vec<_>>()
            })
            .flatten_iter()
            .collect()
    };
    NeighborLists {
        k_max: wanted.k_max(),
        rows: finished.concat(),
    }
}

/// What one thread writes into again and again.
#[derive(Default)]
struct Room {
    product: Vec<f32>,
    rows: Vec<f32>,
}

fn candidates_by_products<R: Searched>(
    queries: &UnitRows,
    block: &Range<usize>,
    rows: &R,
    wanted: &Wanted,
    room: &mut Room,
    is_other: impl Fn(usize, u32) -> bool + Copy,
) -> Vec<Candidates> {
    let mut lists: Vec<Candidates> = block.clone().map(|_| Candidates::new()).collect();
    for columns in split(&(0..rows.n_rows()), BLOCK) {
        let right = rows.block(columns.clone(), &mut room.rows);
        let left = queries.slice(block.clone());
        multiply(left, right, rows.dim(), &mut room.product);
        for (i, (similarities, list)) in (room.product)
            .chunks_exact(columns.len())
            .zip(&mut lists)
            .enumerate()
        {
            let query = block.start + i;
            let is_other = |row| is_other(query, row);
            take_other(
                similarities,
                columns.start,
                list,
                wanted,
                |row| rows.decide(queries.row(query), row),
                is_other,
            );
        }
    }
    lists
}

/// A query, and which rows may be its neighbors.
#[derive(Clone, Copy)]
struct Query<'a, F> {
    vector: &'a [f32],
    is_other: F,
}

/// One query against all rows, which is bound by memory: every thread reads its share of the rows once.
fn candidates_by_dot_products<R: Searched>(
    query: Query<'_, impl Fn(u32) -> bool + Copy + Sync>,
    rows: &R,
    wanted: &Wanted,
) -> Candidates {
    let decide = |row: u32| rows.decide(query.vector, row);
    let take_share = |share: Range<usize>| {
        let mut list = Candidates::new();
        let mut similarities = Vec::new();
        let mut room = Vec::new();
        for some in split(&share, DOT_PRODUCTS) {
            let values = rows.block(some.clone(), &mut room);
            scan::dot_products(query.vector, values, &mut similarities);
            let start = some.start;
            take_other(
                &similarities,
                start,
                &mut list,
                wanted,
                decide,
                query.is_other,
            );
        }
        list
    };
    let n_rows = rows.n_rows();
    let shares: Vec<Range<usize>> =
        split(&(0..n_rows), n_rows.div_ceil(rayon::current_num_threads())).collect();
    let lists: Vec<Candidates> = shares.into_par_iter().map(take_share).collect();
    let mut merged = Candidates::new();
    for candidate in lists.into_iter().flat_map(Candidates::into_found) {
        merged.push(candidate, wanted, decide);
    }
    merged
}

/// Holds the columns of a product of blocks against the thresholds of `b`'s rows.
fn take_columns(rows: &UnitRows, product: &[f32], a: &Block, b: &Block, wanted: &Wanted) {
    let mut lists = lock(&b.candidates);
    // Copied, because the scan compares a whole row of the product with one contiguous run of thresholds.
    let mut thresholds: Vec<f32> = lists.iter().map(Candidates::threshold).collect();
    for (similarities, row) in product.chunks_exact(thresholds.len()).zip(a.rows.clone()) {
        let mut start = 0;
        while let Some(hits) = scan::next_reaching_each(similarities, &thresholds, start) {
            start = hits.end;
            for column in hits {
                if similarities[column] >= thresholds[column] {
                    let candidate = Candidate::new(similarities[column], row as u32);
                    lists[column].push(candidate, wanted, |row| {
                        rows.decide(rows.row(b.rows.start + column), row)
                    });
                    thresholds[column] = lists[column].threshold();
                }
            }
        }
    }
}

/// Holds similarities to the rows from `first_row` on against a list's threshold.
fn take_row(
    similarities: &[f32],
    first_row: usize,
    list: &mut Candidates,
    wanted: &Wanted,
    decide: impl Fn(u32) -> f64 + Copy,
) {
    take_other(similarities, first_row, list, wanted, decide, |_| true);
}

/// The same of the rows that `is_other` says.
fn take_other(
    similarities: &[f32],
    first_row: usize,
    list: &mut Candidates,
    wanted: &Wanted,
    decide: impl Fn(u32) -> f64 + Copy,
    is_other: impl Fn(u32) -> bool,
) {
    let mut start = 0;
    while let Some(hits) = scan::next_reaching(similarities, list.threshold(), start) {
        start = hits.end;
        for column in hits {
            let row = (first_row + column) as u32;
            if similarities[column] >= list.threshold() && is_other(row) {
                list.push(Candidate::new(similarities[column], row), wanted, decide);
            }
        }
    }
}

/// `product = left . right'`, row after row; both sides are rows of `dim` values, row after row.
fn multiply(left: &[f32], right: &[f32], dim: usize, product: &mut Vec<f32>) {
    let (m, n) = (left.len() / dim, right.len() / dim);
    assert!(
        left.len() == m * dim && right.len() == n * dim,
        "both sides have vectors of one length"
    );
    product.resize(m * n, 0.0);
    let (row, column) = (|stride: usize| stride as isize, 1);
    // SAFETY: `left` holds m x dim values, `right` n x dim and `product` m x n, each row after row; the strides say just that, with
    // `right` read as its transpose. `product` is borrowed mutably, so it overlaps neither.
    unsafe {
        gemm::gemm(
            m,
            n,
            dim,
            product.as_mut_ptr(),
            column,
            row(n),
            false,
            left.as_ptr(),
            column,
            row(dim),
            right.as_ptr(),
            row(dim),
            column,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Cuts rows into runs of nearly the same length, of at most `longest`.
fn split(rows: &Range<usize>, longest: usize) -> impl Iterator<Item = Range<usize>> + use<> {
    let n_runs = rows.len().div_ceil(longest).max(1);
    let start = rows.start;
    k_folds(rows.len(), n_runs)
        .into_iter()
        .map(move |run| start + run.start..start + run.end)
}

fn lock(candidates: &Mutex<Vec<Candidates>>) -> MutexGuard<'_, Vec<Candidates>> {
    // A poisoned lock means that another thread panicked; rayon carries that panic to the caller, so there is nothing to add here.
    candidates.lock().unwrap_or_else(PoisonError::into_inner)
}
