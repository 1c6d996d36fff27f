use std::path::Path;

use ndarray::{Array2, Axis};

use crate::{Error, Field, Result, column_name};

/// With which probability each LLM was asked for each prompt, and so with which its score is known.
#[derive(Debug, Clone, PartialEq)]
pub struct TablePropensities {
    /// Shape `(n_prompts, n_models)`; NaN where nobody says it.
    pub values: Array2<f64>,
    /// Whether they were estimated, see [`crate::EstimatedPropensities`]; otherwise the source says them. What is estimated is for judging alone: a
    /// fit to some of the rows estimates its own, since these know whom the other rows were asked of.
    pub are_estimated: bool,
}

impl TablePropensities {
    /// As the source says them.
    pub fn recorded(values: Array2<f64>) -> Self {
        Self {
            values,
            are_estimated: false,
        }
    }

    /// Predicted from the prompts.
    pub fn estimated(values: Array2<f64>) -> Self {
        Self {
            values,
            are_estimated: true,
        }
    }

    /// Those of some prompts, in the order asked for.
    ///
    /// # Panics
    /// When there is no such prompt.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            values: self.values.select(Axis(0), rows),
            are_estimated: self.are_estimated,
        }
    }
}

/// Refuses an LLM whose score is known in a row where its propensity is not: a mean that is weighted by propensities could not count that row.
/// Takes each row's number, from 1, score and propensity; `path` is the file that the rows are in.
///
/// A propensity, `<model>/propensity`, is the probability in (0, 1] with which whoever wrote a log asked this LLM for this prompt, and so with
/// which its score is known. It may also be known where the score is not: a log that draws one LLM per prompt may tell what it drew from.
///
/// # Errors
/// [`Error::UnknownPropensity`] with the first such row.
pub fn check_propensities(
    path: &Path,
    model: &str,
    rows: impl IntoIterator<Item = (usize, f64, f64)>,
) -> Result<()> {
    let mut rows = rows.into_iter();
    match rows.find(|(_, score, propensity)| !score.is_nan() && propensity.is_nan()) {
        None => Ok(()),
        Some((row, ..)) => Err(Error::UnknownPropensity {
            path: path.to_owned(),
            column: column_name(model, Field::Propensity),
            row,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: f64 = f64::NAN;

    #[test]
    fn a_known_score_needs_its_propensity() {
        let check = |rows: &[(usize, f64, f64)]| {
            check_propensities(Path::new("t"), "a/b", rows.iter().copied())
        };
        assert!(check(&[(1, 0.0, 0.5), (2, UNKNOWN, UNKNOWN), (3, UNKNOWN, 0.5)]).is_ok());
        let error = check(&[(1, 1.0, 0.5), (7, 0.0, UNKNOWN)]).expect_err("no propensity");
        assert_eq!(
            error.to_string(),
            "column `a/b/propensity` of `t` is null in row 7, whose score is known; give the probability with which this LLM was asked, or give \
             propensities of no LLM at all"
        );
    }
}
