//! What a blend predicts that does not route: each LLM's mean score and mean cost.

use std::path::Path;

use dataset::{MeanCost, PredictedCost};
use ndarray::{Array1, ArrayView1, ArrayView2, Axis};

use crate::{
    Error, MeanCostUnit, Result,
    model_outputs::{PerModelOutputs, check_dim},
    tensors::{self, Tensor, TensorFile},
};

const SCORE: &str = "mean/score";
const INPUT_TOKENS: &str = "mean/input-tokens";
const OUTPUT_TOKENS: &str = "mean/output-tokens";
const USD: &str = "mean/cost-usd";

/// Predicts the same for every prompt.
#[derive(Debug, Clone)]
pub struct SavedMeans {
    scores: Array1<f64>,
    cost: MeanCost,
    dim: usize,
}

pub(crate) fn unit(cost: &MeanCost) -> MeanCostUnit {
    match cost {
        MeanCost::Tokens { .. } => MeanCostUnit::Tokens,
        MeanCost::Usd(_) => MeanCostUnit::Usd,
    }
}

/// Writes each LLM's mean score, in float64 like all means, and mean cost.
pub(crate) fn write(path: &Path, scores: ArrayView1<'_, f64>, cost: &MeanCost) -> Result<()> {
    let mut tensors = vec![Tensor::vector(SCORE, scores)];
    match cost {
        MeanCost::Tokens { input, output } => {
            tensors.push(Tensor::vector(INPUT_TOKENS, input.view()));
            tensors.push(Tensor::vector(OUTPUT_TOKENS, output.view()));
        }
        MeanCost::Usd(usd) => tensors.push(Tensor::vector(USD, usd.view())),
    }
    tensors::write(path, &tensors)
}

/// Reads what [`write`] wrote, for embeddings of so many dimensions and so many LLMs.
///
/// # Errors
/// Those of a file, and [`Error::BadNumber`].
pub(crate) fn read(
    path: &Path,
    unit: MeanCostUnit,
    dim: usize,
    n_models: usize,
) -> Result<SavedMeans> {
    let file = TensorFile::open(path)?;
    let expected: &[&str] = match unit {
        MeanCostUnit::Tokens => &[SCORE, INPUT_TOKENS, OUTPUT_TOKENS],
        MeanCostUnit::Usd => &[SCORE, USD],
    };
    file.has_only(expected)?;
    let list = |name: &str, least: f64| -> Result<Array1<f64>> {
        let numbers: Vec<f64> = file.list(name, Some(n_models))?;
        // An LLM without a known score or cost has NaN, and is never chosen.
        let is_good = |it: &f64| it.is_nan() || (it.is_finite() && *it >= least);
        match numbers.iter().find(|it| !is_good(it)) {
            Some(&found) => Err(Error::BadNumber {
                path: path.to_owned(),
                name: name.to_owned(),
                found,
                expected: "finite numbers, at least 0 for costs and tokens",
            }),
            None => Ok(numbers.into()),
        }
    };
    Ok(SavedMeans {
        scores: list(SCORE, f64::NEG_INFINITY)?,
        cost: match unit {
            MeanCostUnit::Tokens => MeanCost::Tokens {
                input: list(INPUT_TOKENS, 0.0)?,
                output: list(OUTPUT_TOKENS, 0.0)?,
            },
            MeanCostUnit::Usd => MeanCost::Usd(list(USD, 0.0)?),
        },
        dim,
    })
}

impl SavedMeans {
    /// Each LLM's mean score.
    pub fn scores(&self) -> ArrayView1<'_, f64> {
        self.scores.view()
    }

    /// Each LLM's mean cost.
    pub fn cost(&self) -> &MeanCost {
        &self.cost
    }

    /// Predicts for embeddings of shape `(n_prompts, dim)`, whatever they are. `on_progress` counts prompts.
    ///
    /// # Errors
    /// [`Error::Dimension`] for embeddings of another length.
    pub fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<PerModelOutputs> {
        check_dim(embeddings, self.dim)?;
        on_progress(embeddings.nrows() as u64);
        Ok(self.of_prompts(embeddings.nrows()))
    }

    /// What it predicts for so many prompts.
    pub fn of_prompts(&self, n_prompts: usize) -> PerModelOutputs {
        let scores = self.scores.mapv(|score| score as f32);
        let shape = (n_prompts, scores.len());
        let scores = scores.insert_axis(Axis(0));
        let scores = scores.broadcast(shape).expect("one row stands for all");
        PerModelOutputs {
            scores: scores.to_owned(),
            cost: PredictedCost::Mean(self.cost.clone()),
        }
    }
}
