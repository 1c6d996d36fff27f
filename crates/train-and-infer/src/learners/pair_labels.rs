use anyhow::bail;
use dataset::Split;
use ndarray::Array1;

use super::pair_scores::pair_scores;
use crate::setup::Setup;

/// What binary routers other than RoRF learn: whether the small LLM of the pair does at least as well.
pub(crate) struct PairLabels {
    /// 1 where its score is at least the large one's, 0 where it is lower, NaN where one of them is unknown; shape `(n_prompts)`.
    pub(crate) small_wins: Array1<f32>,
    /// Number of ones.
    pub(crate) n_small: usize,
    /// Number of zeros.
    pub(crate) n_large: usize,
}

impl PairLabels {
    /// The labels of a train part, of which there must be both.
    pub(crate) fn of(setup: &Setup, train: &Split) -> anyhow::Result<Self> {
        let [small, large] = pair_scores(setup, train)?;
        let scores = small.iter().zip(large);
        let small_wins: Array1<f32> = scores.map(|(&small, &large)| label(small, large)).collect();
        let n_of = |label| small_wins.iter().filter(|&&it| it == label).count();
        let (n_small, n_large) = (n_of(1.0), n_of(0.0));
        // With one class there is no best fit: the likelihood only grows as weights do, without bound.
        if n_small == 0 || n_large == 0 {
            bail!(
                "the small LLM of the pair scores at least as high as the large one on {n_small} train prompts, and lower on {n_large}: \
                 there is nothing to learn"
            );
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
