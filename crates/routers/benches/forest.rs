//! What a random forest of 100 trees takes, on made-up rows or on those that `scripts/bench_routers.py` compares with scikit-learn on.
//!
//! ```text
//! cargo bench -p routers --bench forest                            made-up rows, 14,667 x 384
//! cargo bench -p routers --bench forest -- FOLDER DIM SEED...      one run with each seed
//! ```
//!
//! FOLDER holds `train.f32` and `test.f32`, little-endian rows of DIM values, and `labels.u8`, a class below 4 for each train row. For each
//! seed, a line of JSON goes to stdout, and the probabilities of the test rows to `FOLDER/ours-SEED.f64`.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod inputs;

use std::{error::Error, fs, path::Path, time::Instant};

use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{ForestParams, MaxFeatures};

use self::inputs::{Rows, read_rows, rows_asked_for};

const N_TRAIN: usize = 14_667;
const N_TEST: usize = 3_667;
const DIM: usize = 384;
const N_CLASSES: usize = 4;
const N_RUNS: u64 = 3;

struct Table {
    train: Array2<f32>,
    labels: Vec<u8>,
    test: Array2<f32>,
}

fn main() -> Result<(), Box<dyn Error>> {
    match rows_asked_for()? {
        Rows::MadeUp => {
            let table = made_up();
            (0..N_RUNS).try_for_each(|seed| run(&table, seed, None))
        }
        Rows::Files { folder, dim, seeds } => {
            let table = read(&folder, dim)?;
            let mut seeds = seeds.into_iter();
            seeds.try_for_each(|seed| run(&table, seed, Some(&folder)))
        }
    }
}

fn run(table: &Table, seed: u64, folder: Option<&Path>) -> Result<(), Box<dyn Error>> {
    // scikit-learn's defaults.
    let params = ForestParams {
        n_trees: 100,
        max_depth: None,
        max_features: MaxFeatures::Sqrt,
        min_samples_leaf: 1,
        bootstrap: true,
        seed,
    };
    let params = params.check()?;
    let start = Instant::now();
    let forest = params.fit(table.train.view(), &table.labels, N_CLASSES, &|_| ())?;
    let fit = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let probabilities = forest.predict_proba(table.test.view())?;
    let predict = start.elapsed().as_secs_f64();
    let n_nodes = forest.n_nodes();
    println!(r#"{{"seed": {seed}, "fit": {fit:.4}, "predict": {predict:.4}, "nodes": {n_nodes}}}"#);
    if let Some(folder) = folder {
        let bytes: Vec<u8> = probabilities.iter().flat_map(|p| p.to_le_bytes()).collect();
        fs::write(folder.join(format!("ours-{seed}.f64")), bytes)?;
    }
    Ok(())
}

fn read(folder: &Path, dim: usize) -> Result<Table, Box<dyn Error>> {
    Ok(Table {
        train: read_rows(&folder.join("train.f32"), dim)?,
        labels: fs::read(folder.join("labels.u8"))?,
        test: read_rows(&folder.join("test.f32"), dim)?,
    })
}

/// Rows whose first features say a little about the class.
fn made_up() -> Table {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut rows =
        |n_rows| Array2::from_shape_simple_fn((n_rows, DIM), || rng.random_range(-1.0_f32..1.0));
    let (train, test) = (rows(N_TRAIN), rows(N_TEST));
    let mut noise = ChaCha8Rng::seed_from_u64(1);
    let mut is_above = |value: f32| u8::from(value + noise.random_range(-2.0_f32..2.0) > 0.0);
    let labels = train
        .rows()
        .into_iter()
        .map(|row| 2 * is_above(row[0]) + is_above(row[1]));
    Table {
        labels: labels.collect(),
        train,
        test,
    }
}
