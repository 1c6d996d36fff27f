use std::ops::Range;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, completion::completed};

/// What is to be predicted: one matrix, one k.
#[derive(Debug, Clone)]
pub struct Target {
    /// What the values are: `score`, `output_tokens`, `cost`.
    pub name: String,
    /// Shape `(n_rows, n_outputs)`; NaN where unknown.
    pub values: Array2<f32>,
}

impl Target {
    /// The same with what its rows let expect in the place of what is unknown, where they do ([`crate::completed`]).
    pub(crate) fn completed(&self) -> Self {
        Self {
            name: self.name.clone(),
            values: completed(self.values.view()).unwrap_or_else(|| self.values.clone()),
        }
    }
}

/// How the k of one target was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TargetFit {
    /// The target's name.
    pub target: String,
    /// The k in force.
    pub n_neighbors: usize,
    /// Where k counts the neighbors that know an LLM, how many values at what all LLMs share each LLM's own count besides its own
    /// ([`crate::Knn::counting_known`]); `None` where k counts all neighbors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_values: Option<f64>,
    /// How many sampled rows k was chosen by, each predicted from all others; `None` where it was by all rows, each predicted from other folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_queries: Option<usize>,
    /// Cross-validation of every k that the folds allow; empty where there were too few rows for one.
    pub cross_validation: Vec<CvScore>,
}

/// The cross-validation score of one k.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CvScore {
    /// Number of neighbors.
    pub n_neighbors: usize,
    /// Coefficient of determination: the mean over folds of the mean over outputs.
    pub mean_r2: f64,
    /// Out-of-fold gain of routing over not routing, in scores, where k was chosen by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_gain: Option<f64>,
    /// Mean squared out-of-fold error of differences between LLMs, where k was chosen by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference_error: Option<f64>,
    /// The strength that goes with this k, where it counts the neighbors that know an LLM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_values: Option<f64>,
    /// By sampled rows, the standard error of what k was chosen by: of the gain, else of the error of differences, else of R2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
}

/// All targets in one matrix.
///
/// # Errors
/// [`Error::Shape`] or [`Error::Empty`].
pub(crate) fn side_by_side(n_rows: usize, targets: &[Target]) -> Result<Array2<f32>> {
    for target in targets {
        let (found, n_outputs) = (target.values.dim(), target.values.ncols());
        if found.0 != n_rows {
            return Err(Error::Shape {
                what: "target",
                expected: (n_rows, n_outputs),
                found,
            });
        }
        if n_outputs == 0 {
            return Err(Error::Empty {
                what: "target",
                shape: found,
            });
        }
    }
    let n_outputs = targets.iter().map(|target| target.values.ncols()).sum();
    let mut values = Array2::zeros((n_rows, n_outputs));
    for (target, outputs) in targets.iter().zip(output_ranges(targets)) {
        values
            .slice_mut(ndarray::s![.., outputs])
            .assign(&target.values);
    }
    Ok(values)
}

/// The columns of each target when all stand side by side.
pub(crate) fn output_ranges(targets: &[Target]) -> Vec<Range<usize>> {
    let mut start = 0;
    targets
        .iter()
        .map(|target| {
            let end = start + target.values.ncols();
            std::mem::replace(&mut start, end)..end
        })
        .collect()
}
