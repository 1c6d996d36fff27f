//! What the benches of fits share: which rows they run on, and how those are read.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use ndarray::Array2;

/// The rows to fit on.
pub(crate) enum Rows {
    /// Made up by the bench.
    MadeUp,
    /// Written by `scripts/bench_routers.py`.
    Files {
        folder: PathBuf,
        dim: usize,
        /// One fit with each.
        seeds: Vec<u64>,
    },
}

/// Reads the command line: nothing, or FOLDER DIM SEED...
pub(crate) fn rows_asked_for() -> Result<Rows, Box<dyn Error>> {
    // cargo itself says `--bench`.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    match &args[..] {
        [] => Ok(Rows::MadeUp),
        [folder, dim, seeds @ ..] => Ok(Rows::Files {
            folder: folder.into(),
            dim: dim.parse()?,
            seeds: seeds
                .iter()
                .map(|seed| seed.parse())
                .collect::<Result<_, _>>()?,
        }),
        _ => Err("expected no arguments, or FOLDER DIM SEED...".into()),
    }
}

/// Reads little-endian float32 rows of `dim` values.
pub(crate) fn read_rows(path: &Path, dim: usize) -> Result<Array2<f32>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let (values, _) = bytes.as_chunks();
    let values: Vec<f32> = values.iter().copied().map(f32::from_le_bytes).collect();
    Ok(Array2::from_shape_vec((values.len() / dim, dim), values)?)
}
