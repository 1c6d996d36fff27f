use std::path::Path;

use ndarray::{Array1, Array2};
use routers::labels::Standardizer;

use crate::{
    Result,
    tensors::{self, Tensor, TensorFile},
};

/// The way back from z-scores to dollars, for each LLM.
///
/// ```text
/// dollars = z-score * deviation + mean
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CostScale {
    /// Mean of each LLM's dollars.
    mean: Array1<f64>,
    /// Deviation of each LLM's dollars.
    deviation: Array1<f64>,
}

pub(crate) const SCALE: &str = "cost.safetensors";
const MEAN: &str = "mean";
const DEVIATION: &str = "deviation";
/// A z-score so high that a mean behind it is lost in rounding: it is far below half the last digit of `2^100 * deviation` as long as it is
/// less than 2^46 deviations.
const HIGH: f32 = (1_u128 << 100) as f32;

impl CostScale {
    /// The scale of a fitted standardizer of so many LLMs.
    pub fn of(standardizer: &Standardizer, n_models: usize) -> Self {
        // Two points tell a line, and these two tell it to the last bit: 0 * deviation + mean, and 2^100 * deviation.
        let at = |z_score| standardizer.restore(&Array2::from_elem((1, n_models), z_score));
        Self {
            mean: at(0.0).row(0).to_owned(),
            deviation: at(HIGH).row(0).mapv(|value| value / f64::from(HIGH)),
        }
    }

    /// z-scores to dollars, of shape `(n_prompts, n_models)`.
    pub fn restore(&self, z_scores: &Array2<f32>) -> Array2<f64> {
        z_scores.mapv(f64::from) * &self.deviation + &self.mean
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let lists = [(MEAN, &self.mean), (DEVIATION, &self.deviation)];
        let lists = lists.map(|(name, values)| Tensor::list(name, &values.to_vec()));
        tensors::write(&folder.join(SCALE), &lists)
    }

    pub(crate) fn read(folder: &Path, n_models: usize) -> Result<Self> {
        let file = TensorFile::open(&folder.join(SCALE))?;
        let list = |name| file.list(name, Some(n_models)).map(Array1::from);
        Ok(Self {
            mean: list(MEAN)?,
            deviation: list(DEVIATION)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_scale_restores_what_its_standardizer_does() {
        // Ordinary costs, a constant column, tiny ones beside a huge mean, and none at all.
        let costs = array![
            [1e-5, 0.003, 1e9, f64::NAN],
            [7.3e-4, 0.003, 1e9 + 1.0, f64::NAN],
            [2.1e-6, 0.003, 1e9 + 0.5, f64::NAN]
        ];
        let standardizer = Standardizer::fit(&costs);
        let scale = CostScale::of(&standardizer, 4);
        let z_scores = Array2::from_shape_fn((50, 4), |(row, column)| {
            (row as f32 - 25.0) / 7.0 + column as f32 / 3.0
        });
        let bits = |values: Array2<f64>| values.mapv(f64::to_bits);
        assert_eq!(
            bits(scale.restore(&z_scores)),
            bits(standardizer.restore(&z_scores))
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        scale.write(folder.path()).expect("written");
        assert_eq!(CostScale::read(folder.path(), 4).expect("read"), scale);
        assert!(CostScale::read(folder.path(), 3).is_err());
    }
}
