//! What CARROT (KNN) takes at SPROUT's size, against one float32 matrix product of all train rows with all train rows.
//!
//! `cargo bench -p routers` builds with the release profile; `cargo bench -p routers --profile dev` with the one that `cargo run` uses.
//! `scripts/bench_knn.py` compares with scikit-learn.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::time::Instant;

use gemm::Parallelism;
use ndarray::{Array2, Axis, s};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{Backend, KnnParams, Selection, Target};

const N_TRAIN: usize = 37_604;
const N_TEST: usize = 6_637;
const DIM: usize = 1_536;
const N_MODELS: usize = 13;
const N_RUNS: usize = 3;
const N_SINGLE_QUERIES: usize = 101;

fn main() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut random =
        |shape| Array2::from_shape_simple_fn(shape, || rng.random_range(-1.0_f32..1.0));
    let (train, test) = (random((N_TRAIN, DIM)), random((N_TEST, DIM)));
    let targets = ["score", "output_tokens"].map(|name| Target {
        name: name.to_owned(),
        values: random((N_TRAIN, N_MODELS)).mapv(f32::abs),
    });

    let product = median(N_RUNS, || multiply_all(&train));
    println!("one {N_TRAIN} x {N_TRAIN} x {DIM} float32 product: {product:.2} s");

    let n_neighbors = (1..10).map(|power| 1 << power).collect();
    let params = KnnParams {
        n_neighbors,
        n_folds: 5,
        tune_queries: 0,
        selection: Selection::Paper,
        seed: 42,
        backend: Backend::Gemm,
    }
    .check()
    .expect("good parameters");
    let mut knn = None;
    let fit = median(N_RUNS, || {
        knn = Some(params.fit(train.view(), &targets, &|_| ()).expect("fitted"))
    });
    let knn = knn.expect("fitted at least once");
    let predict = median(N_RUNS, || {
        _ = knn.predict(test.view(), &|_| ()).expect("predicted")
    });
    println!(
        "fit {fit:.2} s, predict {N_TEST} queries {predict:.2} s: {:.2} of the product",
        (fit + predict) / product
    );

    let mut queries = test.axis_iter(Axis(0));
    let single = median(N_SINGLE_QUERIES, || {
        let query = queries
            .next()
            .expect("more queries than runs")
            .insert_axis(Axis(0));
        _ = knn.predict(query, &|_| ()).expect("predicted");
    });
    println!(
        "one query: {:.2} ms at the median of {N_SINGLE_QUERIES}",
        1e3 * single
    );
}

/// The product in blocks, on all cores, so that the result need not be held.
fn multiply_all(rows: &Array2<f32>) {
    const BLOCK: usize = 2_048;
    let mut product = Array2::<f32>::zeros((BLOCK, N_TRAIN));
    for start in (0..N_TRAIN).step_by(BLOCK) {
        let block = rows.slice(s![start..N_TRAIN.min(start + BLOCK), ..]);
        let n_rows = block.nrows();
        // SAFETY: all three are whole matrices in standard order, and `product` has room for the block's rows.
        unsafe {
            gemm::gemm(
                n_rows,
                N_TRAIN,
                DIM,
                product.as_mut_ptr(),
                1,
                N_TRAIN as isize,
                false,
                block.as_ptr(),
                1,
                DIM as isize,
                rows.as_ptr(),
                DIM as isize,
                1,
                0.0,
                1.0,
                false,
                false,
                false,
                Parallelism::Rayon(0),
            );
        }
    }
    std::hint::black_box(&product);
}

fn median(n_runs: usize, mut work: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..n_runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_unstable_by(f64::total_cmp);
    seconds[n_runs / 2]
}
