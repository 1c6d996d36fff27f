use std::path::Path;

use dataset::{DatasetInfo, PairIdx, PartTable};
use ndarray::{Array1, ArrayView1};

use crate::{Error, Result};

/// The pair's observed scores, those of the small LLM first. `path` is the file that names the pair, for messages.
///
/// # Errors
/// [`Error::Dataset`] without a pair, or for one that is not two of the table's LLMs.
pub fn pair_scores<'a>(
    info: &DatasetInfo,
    path: &Path,
    table: &'a PartTable,
) -> Result<[ArrayView1<'a, f32>; 2]> {
    let pair = info.pair.as_ref().ok_or_else(|| dataset::Error::NoPair {
        path: path.to_owned(),
    })?;
    let PairIdx { small, large } = pair.positions(path, &table.models)?;
    Ok([small, large].map(|model_idx| table.scores.column(model_idx)))
}

/// What binary routers other than RoRF learn: whether the small LLM of the pair does at least as well.
#[derive(Debug, Clone)]
pub struct PairLabels {
    /// 1 where its score is at least the large one's, 0 where it is lower, NaN where one of them is unknown; shape `(n_prompts)`.
    pub small_wins: Array1<f32>,
    /// Number of ones.
    pub n_small: usize,
    /// Number of zeros.
    pub n_large: usize,
}

impl PairLabels {
    /// The labels of a table, of which there must be both.
    ///
    /// # Errors
    /// As for [`pair_scores`]; [`Error::OneLabel`].
    pub fn of(info: &DatasetInfo, path: &Path, table: &PartTable) -> Result<Self> {
        let [small, large] = pair_scores(info, path, table)?;
        let scores = small.iter().zip(large);
        let small_wins: Array1<f32> = scores.map(|(&small, &large)| label(small, large)).collect();
        let n_of = |label| small_wins.iter().filter(|&&it| it == label).count();
        let (n_small, n_large) = (n_of(1.0), n_of(0.0));
        // With one class there is no best fit: the likelihood only grows as weights do, without bound.
        if n_small == 0 || n_large == 0 {
            return Err(Error::OneLabel { n_small, n_large });
        }
        Ok(Self {
            small_wins,
            n_small,
            n_large,
        })
    }
}

fn label(small: f32, large: f32) -> f32 {
    // `>=` is false for NaN, which would count an unknown score as a win of the large LLM.
    if small.is_nan() || large.is_nan() {
        f32::NAN
    } else {
        f32::from(u8::from(small >= large))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_is_the_small_one_s() {
        for (small, large, expected) in [(0.5, 0.5, 1.0), (0.6, 0.5, 1.0), (0.4, 0.5, 0.0)] {
            assert_eq!(label(small, large), expected, "{small}, {large}");
        }
        assert!(label(f32::NAN, 0.5).is_nan() && label(0.5, f32::NAN).is_nan());
    }
}
