//! What MF takes with the reference's settings, on made-up rows or on those that `scripts/bench_routers.py` compares with PyTorch on.
//!
//! ```text
//! cargo bench -p routers --bench mf                            made-up rows, 16,000 x 1,536, 10 epochs
//! cargo bench -p routers --bench mf -- FOLDER DIM SEED...      100 epochs with each seed
//! ```
//!
//! FOLDER holds `train.f32`, little-endian rows of DIM values, and `labels.u8`, 0 or 1 for each row. For each seed, a line of JSON goes to
//! stdout, and the validation rows' numbers to `FOLDER/validation-SEED.u32`.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod inputs;

use std::{error::Error, fs, time::Instant};

use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{MfParams, MfReport};
use serde::Deserialize;

use self::inputs::{Rows, read_rows, rows_asked_for};

/// The part of configs/routers.toml that MF needs.
#[derive(Deserialize)]
struct Settings {
    mf: MfParams,
}

const N_ROWS: usize = 16_000;
const DIM: usize = 1_536;

fn main() -> Result<(), Box<dyn Error>> {
    match rows_asked_for()? {
        Rows::MadeUp => {
            let (embeddings, labels) = made_up();
            run(&embeddings, &labels, 10, 42).map(|_| ())
        }
        Rows::Files { folder, dim, seeds } => {
            let embeddings = read_rows(&folder.join("train.f32"), dim)?;
            let labels = fs::read(folder.join("labels.u8"))?;
            let labels: Vec<f32> = labels.into_iter().map(f32::from).collect();
            for seed in seeds {
                let report = run(&embeddings, &labels, 100, seed)?;
                let rows = report.validation_rows.iter();
                let bytes: Vec<u8> = rows.flat_map(|row| (*row as u32).to_le_bytes()).collect();
                fs::write(folder.join(format!("validation-{seed}.u32")), bytes)?;
            }
            Ok(())
        }
    }
}

fn run(
    embeddings: &Array2<f32>,
    labels: &[f32],
    n_epochs: u64,
    seed: u64,
) -> Result<MfReport, Box<dyn Error>> {
    // The reference's.
    let settings: Settings = toml::from_str(include_str!("../../../configs/routers.toml"))?;
    let params = MfParams {
        n_epochs,
        seed,
        ..settings.mf
    };
    let params = params.check()?;
    let start = Instant::now();
    let (_, report) = params.fit(embeddings.view(), labels, &|_| ())?;
    let fit = start.elapsed().as_secs_f64();
    let steps_per_second = report.n_steps as f64 / fit;
    let best = report.best.ok_or("no validation rows")?;
    let last = report.epochs.last().ok_or("no epochs")?;
    println!(
        r#"{{"seed": {seed}, "fit": {fit:.4}, "steps_per_second": {steps_per_second:.0}, "best_step": {}, "best": {:.6}, "last": {:.6}, "loss": {:.6}}}"#,
        best.step,
        best.log_likelihood,
        last.val_log_likelihood.ok_or("no validation rows")?,
        last.loss
    );
    Ok(report)
}

/// Unit rows, whose first components say a little about the label.
fn made_up() -> (Array2<f32>, Vec<f32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    // Their mean square is 1 / DIM.
    let bound = (3. / DIM as f32).sqrt();
    let rows = Array2::from_shape_simple_fn((N_ROWS, DIM), || rng.random_range(-bound..bound));
    let mut label = |x: f32| f32::from(u8::from(x + rng.random_range(-bound..bound) > 0.));
    let labels = rows.column(0).iter().map(|x| label(*x)).collect();
    (rows, labels)
}
