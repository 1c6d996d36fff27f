//! Exploration: a share of requests goes to LLMs drawn at random, with the probabilities logged, so that policies which were not followed can be
//! judged from the log.

use std::sync::Mutex;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Draws LLMs.
///
/// ```text
/// propensity[m] = p / K + (1 - p) [m is the best]      K: number of eligible LLMs, p: the share that explores
/// ```
#[derive(Debug)]
pub(crate) struct Explorer {
    share: f64,
    rng: Mutex<ChaCha8Rng>,
}

/// A share outside [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the share of requests that explore is `{0}`, expected a number from 0 to 1")]
pub(crate) struct BadShare(f64);

/// What was drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draw {
    /// The position of the LLM to send the request to.
    pub(crate) chosen_idx: usize,
    /// Whether chance chose it; the best may come up, too.
    pub(crate) explored: bool,
    /// With which probability each LLM of the router would have been chosen; 0 for those that are not eligible.
    pub(crate) propensities: Vec<f64>,
}

impl Explorer {
    /// Explores this share of requests. With a seed the draws are the same on each run, else they are the system's chance.
    ///
    /// # Errors
    /// [`BadShare`].
    pub(crate) fn new(share: f64, seed: Option<u64>) -> Result<Self, BadShare> {
        if !(0.0..=1.0).contains(&share) {
            return Err(BadShare(share));
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "nobody may foresee the draws of a server, unless a test gives the seed"
        )]
        let seed = seed.unwrap_or_else(rand::random);
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Ok(Self {
            share,
            rng: Mutex::new(rng),
        })
    }

    /// The share of requests that explore: [`decision_log::DecisionLine::explore`].
    pub(crate) fn share(&self) -> f64 {
        self.share
    }

    /// Draws for one request among the eligible LLMs of the router's `n_models`, by their positions; `None` without exploration. `best_idx`, the choice
    /// of the rule, is one of them.
    ///
    /// A request whose session keeps its LLM is not to be drawn for, as it was not chance that chose.
    pub(crate) fn draw(
        &self,
        n_models: usize,
        eligible: &[usize],
        best_idx: usize,
    ) -> Option<Draw> {
        if self.share == 0.0 || eligible.is_empty() {
            return None;
        }
        let by_chance = self.share / eligible.len() as f64;
        let mut propensities = vec![0.0; n_models];
        eligible
            .iter()
            .for_each(|&model_idx| propensities[model_idx] = by_chance);
        propensities[best_idx] += 1.0 - self.share;
        let mut rng = self.rng.lock().expect("nobody panics while drawing");
        let explored = rng.random::<f64>() < self.share;
        let chosen_idx = match explored {
            true => eligible[rng.random_range(0..eligible.len())],
            false => best_idx,
        };
        Some(Draw {
            chosen_idx,
            explored,
            propensities,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_come_as_often_as_their_propensities_say() {
        let explorer = Explorer::new(0.3, Some(42)).expect("a share");
        let n = 20_000;
        let mut counts = [0_u32; 5];
        let mut n_explored = 0_u32;
        for _ in 0..n {
            let draw = explorer.draw(5, &[0, 2, 4], 2).expect("it explores");
            let expected = [0.1, 0.0, 0.8, 0.0, 0.1];
            for (found, expected) in draw.propensities.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-15, "{draw:?}");
            }
            counts[draw.chosen_idx] += 1;
            n_explored += u32::from(draw.explored);
            assert!(draw.explored || draw.chosen_idx == 2);
        }
        assert_eq!([counts[1], counts[3]], [0, 0]);
        // Four standard errors of a share of .1, .3 or .8 among 20,000 are .008, .013 and .011.
        let share = |count: u32| f64::from(count) / f64::from(n);
        assert!((share(counts[0]) - 0.1).abs() < 0.009, "{counts:?}");
        assert!((share(counts[4]) - 0.1).abs() < 0.009, "{counts:?}");
        assert!((share(counts[2]) - 0.8).abs() < 0.012, "{counts:?}");
        assert!((share(n_explored) - 0.3).abs() < 0.013, "{n_explored}");
    }

    #[test]
    fn nothing_is_drawn_without_exploration() {
        let explorer = Explorer::new(0.0, None).expect("a share");
        assert_eq!(explorer.draw(2, &[0, 1], 1), None);
        let always = Explorer::new(1.0, None).expect("a share");
        let draw = always.draw(3, &[1], 1).expect("it explores");
        assert_eq!(
            (draw.chosen_idx, draw.propensities),
            (1, vec![0.0, 1.0, 0.0])
        );
        assert!(draw.explored);
        assert_eq!(always.draw(3, &[], 0), None);
    }

    #[test]
    fn a_share_is_between_none_and_all() {
        for share in [-0.1, 1.1, f64::NAN] {
            let error = Explorer::new(share, None).expect_err("refused").to_string();
            assert!(error.contains("expected a number from 0 to 1"), "{error}");
        }
    }
}
