//! One suite over every back end: the rule decides, whatever proposes the candidates.

use std::sync::Arc;

use half::f16;
use ndarray::{Array2, Axis};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::*;
use crate::{HalfRows, dot::dot_f64, folds::k_folds};

const BACKENDS: [Backend; 4] = [
    Backend::Gemm,
    Backend::LinfaLinear,
    Backend::LinfaBalltree,
    Backend::LinfaKdtree,
];

fn ask(ks: &[usize], backend: Backend) -> Ask<'_> {
    Ask {
        ks,
        backend,
        on_progress: &|_| (),
    }
}

fn random_rows(n_rows: usize, dim: usize, seed: u64) -> UnitRows {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    UnitRows::new(Array2::from_shape_simple_fn((n_rows, dim), || {
        StandardNormal.sample(&mut rng)
    }))
    .expect("finite")
}

/// Few distinct vectors, some of them zero: as many ties as there can be.
fn tied_rows(n_rows: usize, dim: usize) -> UnitRows {
    UnitRows::new(Array2::from_shape_fn((n_rows, dim), |(row, column)| {
        if row % 7 == 3 {
            0.0
        } else {
            f32::from(u8::from(column % (1 + row % 3) == 0))
        }
    }))
    .expect("finite")
}

/// The rule, written down plainly.
fn by_the_rule(
    queries: &UnitRows,
    query: usize,
    rows: &UnitRows,
    among: impl Iterator<Item = usize>,
    ks: &[usize],
) -> Vec<u32> {
    let mut ranked: Vec<(f64, u32)> = among
        .map(|row| (dot_f64(queries.row(query), rows.row(row)), row as u32))
        .collect();
    ranked.sort_by(|(a, i), (b, j)| b.total_cmp(a).then(i.cmp(j)));
    let mut nearest: Vec<u32> = ranked
        .iter()
        .take(ks[ks.len() - 1])
        .map(|&(_, row)| row)
        .collect();
    let mut start = 0;
    for &k in ks {
        nearest[start..k].sort_unstable();
        start = k;
    }
    nearest
}

/// The same rows as a file of float16 has them.
fn halves(rows: &UnitRows) -> HalfRows {
    let halves: Vec<f16> = rows.view().iter().map(|&x| f16::from_f32(x)).collect();
    HalfRows::new(Arc::new(halves), rows.view().dim()).expect("finite")
}

fn check_nearest(queries: &UnitRows, rows: &UnitRows, ks: &[usize]) {
    let halves = halves(rows);
    for (rows, unit) in [
        (rows.clone().into(), rows.clone()),
        (NeighborRows::from(halves.clone()), halves.to_unit_rows()),
    ] {
        for backend in BACKENDS {
            let lists = nearest(queries, &rows, ask(ks, backend)).expect("found");
            for query in 0..queries.n_rows() {
                let expected = by_the_rule(queries, query, &unit, 0..rows.n_rows(), ks);
                assert_eq!(
                    lists.of(query),
                    expected,
                    "{rows:?}, {backend:?}, query {query} of {}",
                    queries.n_rows()
                );
            }
        }
    }
}

fn check_folds(rows: &UnitRows, n_folds: usize, ks: &[usize]) {
    let folds = k_folds(rows.n_rows(), n_folds);
    for backend in BACKENDS {
        let lists = nearest_in_other_folds(rows, &folds, ask(ks, backend)).expect("found");
        for fold in &folds {
            for row in fold.clone() {
                let others = (0..rows.n_rows()).filter(|other| !fold.contains(other));
                assert_eq!(
                    lists.of(row),
                    by_the_rule(rows, row, rows, others, ks),
                    "{backend:?}, row {row}"
                );
            }
        }
    }
}

#[test]
fn random_vectors() {
    let rows = random_rows(700, 48, 1);
    check_nearest(&random_rows(60, 48, 2), &rows, &[1, 2, 16, 100]);
    check_folds(&rows, 5, &[2, 4, 8, 64]);
}

#[test]
fn ties_go_to_the_lower_row_number() {
    let rows = tied_rows(500, 12);
    check_nearest(&tied_rows(20, 12), &rows, &[1, 3, 8, 50]);
    check_folds(&rows, 5, &[1, 3, 8, 50]);
}

#[test]
fn zero_vectors_are_equally_far_from_all() {
    let rows = UnitRows::new(Array2::zeros((300, 4))).expect("finite");
    check_nearest(&rows, &rows, &[1, 40]);
    let all = NeighborRows::from(rows.clone());
    let lists = nearest(&rows, &all, ask(&[3], Backend::Gemm)).expect("found");
    assert_eq!(lists.of(299), [0, 1, 2]);
}

#[test]
fn k_of_all_rows() {
    let rows = random_rows(9, 3, 3);
    check_nearest(&random_rows(9, 3, 4), &rows, &[9]);
    check_nearest(&random_rows(1, 3, 5), &random_rows(1, 3, 6), &[1]);
}

#[test]
fn a_query_does_not_depend_on_its_batch() {
    let (rows, queries) = (random_rows(3_000, 64, 7), random_rows(50, 64, 8));
    let ks = [4, 32];
    for rows in [halves(&rows).into(), NeighborRows::from(rows)] {
        let batch = nearest(&queries, &rows, ask(&ks, Backend::Gemm)).expect("found");
        for query in 0..queries.n_rows() {
            let single = UnitRows::new(queries.view().select(Axis(0), &[query])).expect("finite");
            let alone = nearest(&single, &rows, ask(&ks, Backend::Gemm)).expect("found");
            assert_eq!(alone.of(0), batch.of(query), "query {query}");
        }
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let rows = random_rows(2_500, 32, 9);
    let folds = k_folds(rows.n_rows(), 5);
    let with = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .expect("a thread pool");
        pool.install(|| {
            nearest_in_other_folds(&rows, &folds, ask(&[2, 16, 128], Backend::Gemm)).expect("found")
        })
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));
}

#[test]
fn progress_counts_every_row_once() {
    let rows = random_rows(2_100, 8, 10);
    for backend in BACKENDS {
        let n_done = std::sync::atomic::AtomicU64::new(0);
        let count = |n| _ = n_done.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
        let ask = Ask {
            on_progress: &count,
            ..ask(&[4], backend)
        };
        nearest_in_other_folds(&rows, &k_folds(2_100, 3), ask).expect("found");
        assert_eq!(n_done.into_inner(), 2_100, "{backend:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_back_end_follows_the_rule(n_rows in 12_usize..150, dim in 1_usize..20, seed: u64, k in 1_usize..9) {
        // Coarse values make ties and near ties common.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let coarse = Array2::from_shape_simple_fn((n_rows, dim), || {
            let value: f32 = StandardNormal.sample(&mut rng);
            value.round()
        });
        let rows = UnitRows::new(coarse).expect("finite");
        check_folds(&rows, 3, &[k]);
        check_nearest(&rows, &rows, &[k, k + 3]);
    }
}
