//! The way back from z-scores to dollars, for each LLM.

use std::path::Path;

use dataset::Standardizer;
use ndarray::Array1;

use crate::{
    Error, Result,
    tensors::{self, Tensor, TensorFile},
};

pub(crate) const SCALE: &str = "cost.safetensors";
const MEAN: &str = "mean";
const DEVIATION: &str = "deviation";

pub(crate) fn write(folder: &Path, scale: &Standardizer) -> Result<()> {
    let (mean, deviation) = (scale.mean().to_vec(), scale.deviation().to_vec());
    let lists = [
        Tensor::list(MEAN, &mean),
        Tensor::list(DEVIATION, &deviation),
    ];
    tensors::write(&folder.join(SCALE), &lists)
}

pub(crate) fn read(folder: &Path, n_models: usize) -> Result<Standardizer> {
    let file = TensorFile::open(&folder.join(SCALE))?;
    let list = |name| file.list(name, Some(n_models)).map(Array1::from);
    Standardizer::from_parts(list(MEAN)?, list(DEVIATION)?)
        .map_err(|error| Error::router(file.path())(error.into()))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn a_scale_comes_back_as_it_was() {
        // Ordinary costs, a constant column, tiny ones beside a huge mean, and none at all.
        let costs: Array2<f64> = array![
            [1e-5, 0.003, 1e9, f64::NAN],
            [7.3e-4, 0.003, 1e9 + 1.0, f64::NAN],
            [2.1e-6, 0.003, 1e9 + 0.5, f64::NAN]
        ];
        let scale = Standardizer::fit(&costs);
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(folder.path(), &scale).expect("written");
        assert_eq!(read(folder.path(), 4).expect("read"), scale);
        assert!(read(folder.path(), 3).is_err());

        let lists = [
            Tensor::list(MEAN, &[1.0_f64]),
            Tensor::list(DEVIATION, &[-1.0_f64]),
        ];
        tensors::write(&folder.path().join(SCALE), &lists).expect("written");
        let error = read(folder.path(), 1).expect_err("no deviation");
        assert!(matches!(error, Error::Router { .. }), "{error}");
    }
}
