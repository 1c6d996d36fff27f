use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::{Error, Result, Truth};

/// How often each prompt is in each resample.
#[derive(Debug, Clone, PartialEq)]
pub struct Resamples(Source);

#[derive(Debug, Clone, PartialEq)]
enum Source {
    Drawn { n_resamples: usize, seed: u64 },
    Given(Array2<u32>),
}

impl Resamples {
    /// Resamples that are drawn: as many prompts as there are with something known, each with the same probability and put back. Resample `i`
    /// is drawn from stream `i` of ChaCha8 with the seed, whatever came before.
    ///
    /// # Errors
    /// [`Error::NoResamples`].
    pub fn drawn(n_resamples: usize, seed: u64) -> Result<Self> {
        if n_resamples == 0 {
            return Err(Error::NoResamples);
        }
        Ok(Self(Source::Drawn { n_resamples, seed }))
    }

    /// Resamples that are given, say drawn by clusters or from another generator: counts of shape `(n_resamples, n_prompts)`.
    ///
    /// # Errors
    /// [`Error::NoResamples`].
    pub fn given(counts: Array2<u32>) -> Result<Self> {
        if counts.nrows() == 0 {
            return Err(Error::NoResamples);
        }
        Ok(Self(Source::Given(counts)))
    }

    /// Number of resamples; at least 1.
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Source::Drawn { n_resamples, .. } => *n_resamples,
            Source::Given(counts) => counts.nrows(),
        }
    }

    /// Refuses given counts of another number of prompts.
    pub(crate) fn check_fits(&self, truth: &Truth<'_>) -> Result<()> {
        match &self.0 {
            Source::Given(counts) if counts.ncols() != truth.n_prompts() => Err(Error::Shape {
                what: "resamples",
                expected: (counts.nrows(), truth.n_prompts()),
                found: counts.dim(),
            }),
            _ => Ok(()),
        }
    }

    /// Writes how often each prompt is in a resample.
    pub(crate) fn count(&self, resample_idx: usize, truth: &Truth<'_>, counts: &mut Vec<u32>) {
        counts.clear();
        match &self.0 {
            Source::Given(given) => counts.extend(given.row(resample_idx)),
            Source::Drawn { seed, .. } => {
                counts.resize(truth.n_prompts(), 0);
                let mut rng = ChaCha8Rng::seed_from_u64(*seed);
                // Any resample can be drawn by itself, in any order and on any thread; nothing has to be kept.
                rng.set_stream(resample_idx as u64);
                let n_prompts = truth.n_prompts();
                for _ in 0..truth.n_scored_prompts() {
                    // Prompts of which nothing is known are few: drawing again is cheaper than a list of the others.
                    let prompt_idx = loop {
                        let prompt_idx = rng.random_range(0..n_prompts);
                        if truth.is_scored(prompt_idx) {
                            break prompt_idx;
                        }
                    };
                    counts[prompt_idx] += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn counts(truth: &Truth<'_>, seed: u64, resample_idx: usize) -> Vec<u32> {
        let mut counts = Vec::new();
        let resamples = Resamples::drawn(9, seed).expect("resamples");
        resamples.count(resample_idx, truth, &mut counts);
        counts
    }

    #[test]
    fn a_resample_has_as_many_prompts_and_none_of_which_nothing_is_known() {
        let scores =
            Array2::from_shape_fn((50, 2), |(i, _)| if i % 5 == 0 { f32::NAN } else { 1.0 });
        let costs = Array2::ones((50, 2));
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let drawn = counts(&truth, 42, 3);
        assert_eq!(drawn.iter().sum::<u32>(), 40);
        assert!(drawn.iter().step_by(5).all(|&n| n == 0));
        assert_eq!(drawn, counts(&truth, 42, 3), "the same seed and place");
        assert_ne!(drawn, counts(&truth, 42, 4), "another place");
        assert_ne!(drawn, counts(&truth, 43, 3), "another seed");
    }

    #[test]
    fn all_prompts_are_as_likely() {
        let (scores, costs) = (Array2::ones((10, 1)), Array2::ones((10, 1)));
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let resamples = Resamples::drawn(2_000, 42).expect("resamples");
        let (mut sums, mut drawn) = (vec![0_u32; 10], Vec::new());
        for resample_idx in 0..2_000 {
            resamples.count(resample_idx, &truth, &mut drawn);
            sums.iter_mut().zip(&drawn).for_each(|(sum, n)| *sum += n);
        }
        // Each is binomial with 20,000 draws at 1 / 10: 2,000 with a standard deviation of 42.
        assert!(sums.iter().all(|&n| n.abs_diff(2_000) < 5 * 42), "{sums:?}");
    }

    #[test]
    fn what_is_wrong_with_resamples_is_said() {
        assert_eq!(Resamples::drawn(0, 42), Err(Error::NoResamples));
        assert_eq!(
            Resamples::given(Array2::zeros((0, 3))),
            Err(Error::NoResamples)
        );
        let (scores, costs) = (array![[1.0]], array![[1.0]]);
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let given = Resamples::given(Array2::ones((2, 3))).expect("resamples");
        assert_eq!(
            given.check_fits(&truth),
            Err(Error::Shape {
                what: "resamples",
                expected: (2, 1),
                found: (2, 3)
            })
        );
    }
}
