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
use crate::{UnitRows, dot::dot_f64, folds::k_folds};

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
            multiply(rows, &a.rows, rows, &b.rows, product);
            let n_columns = b.rows.len();
            let mut lists = lock(&a.candidates);
            for (i, (similarities, list)) in
                product.chunks_exact(n_columns).zip(&mut *lists).enumerate()
            {
                take_row(similarities, b.rows.start, list, &wanted, |row| {
                    decide(rows, a.rows.start + i, rows, row)
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
        .map(|(i, list)| list.finish(&wanted, |row| decide(rows, i, rows, row)))
        .collect();
    NeighborLists {
        k_max: wanted.k_max(),
        rows: finished.concat(),
    }
}

pub(super) fn nearest(queries: &UnitRows, rows: &UnitRows, ask: Ask<'_>) -> NeighborLists {
    let on_progress = ask.on_progress;
    let wanted = Wanted::new(ask.ks, rows.dim());
    let n_queries = queries.n_rows();
    let finished: Vec<Vec<u32>> = if n_queries < FEW_QUERIES {
        (0..n_queries)
            .map(|query| {
                let list = candidates_by_dot_products(queries.row(query), rows, &wanted);
                on_progress(1);
                list.finish(&wanted, |row| decide(queries, query, rows, row))
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
            .map_init(Vec::new, |product, block| {
                let lists = candidates_by_products(queries, &block, rows, &wanted, product);
                on_progress(block.len() as u64);
                let finish = |(query, list): (usize, Candidates)| {
                    list.finish(&wanted, |row| decide(queries, query, rows, row))
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

fn candidates_by_products(
    queries: &UnitRows,
    block: &Range<usize>,
    rows: &UnitRows,
    wanted: &Wanted,
    product: &mut Vec<f32>,
) -> Vec<Candidates> {
    let mut lists: Vec<Candidates> = block.clone().map(|_| Candidates::new()).collect();
    for columns in split(&(0..rows.n_rows()), BLOCK) {
        multiply(queries, block, rows, &columns, product);
        for (i, (similarities, list)) in product
            .chunks_exact(columns.len())
            .zip(&mut lists)
            .enumerate()
        {
            take_row(similarities, columns.start, list, wanted, |row| {
                decide(queries, block.start + i, rows, row)
            });
        }
    }
    lists
}

/// One query against all rows, which is bound by memory: every thread reads its share of the rows once.
fn candidates_by_dot_products(query: &[f32], rows: &UnitRows, wanted: &Wanted) -> Candidates {
    let decide = |row: u32| dot_f64(query, rows.row(row as usize));
    let take_share = |share: Range<usize>| {
        let mut list = Candidates::new();
        let mut similarities = Vec::new();
        for some in split(&share, DOT_PRODUCTS) {
            scan::dot_products(query, rows.slice(some.clone()), &mut similarities);
            take_row(&similarities, some.start, &mut list, wanted, decide);
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
                        decide(rows, b.rows.start + column, rows, row)
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
    let mut start = 0;
    while let Some(hits) = scan::next_reaching(similarities, list.threshold(), start) {
        start = hits.end;
        for column in hits {
            if similarities[column] >= list.threshold() {
                list.push(
                    Candidate::new(similarities[column], (first_row + column) as u32),
                    wanted,
                    decide,
                );
            }
        }
    }
}

/// `product = rows of a . rows of b`, of shape `(a.len(), b.len())`, row after row.
fn multiply(
    a_rows: &UnitRows,
    a: &Range<usize>,
    b_rows: &UnitRows,
    b: &Range<usize>,
    product: &mut Vec<f32>,
) {
    let (m, n, dim) = (a.len(), b.len(), a_rows.dim());
    let (left, right) = (a_rows.slice(a.clone()), b_rows.slice(b.clone()));
    assert_eq!(
        right.len(),
        n * dim,
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

fn decide(queries: &UnitRows, query: usize, rows: &UnitRows, row: u32) -> f64 {
    dot_f64(queries.row(query), rows.row(row as usize))
}
