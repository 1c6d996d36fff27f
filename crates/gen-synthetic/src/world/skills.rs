use std::f64::consts::FRAC_PI_2;

use anyhow::ensure;
use dataset::worth;
use ndarray::{Array2, Array3};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::config::{Drift, Signal, WorldConfig};
use crate::config::Family;

/// Times at which a drifting world is added up.
const N_TIMES: usize = 64;
/// Bisections of the scale: enough for all digits of a double.
const N_BISECTIONS: usize = 60;
/// The generator of skills is none of a row.
const STREAM: u64 = u64::MAX;

/// Expected scores of every LLM in every family, at every time.
#[derive(Debug)]
pub(super) struct Skills {
    qualities: Vec<f64>,
    /// At time 0 and at the end of a full drift, of shape `(n_families, n_models)`, with variance 1.
    start: Array2<f64>,
    end: Array2<f64>,
    /// Per LLM the mean of its skills.
    means: Vec<f64>,
    scale: f64,
    drift: Drift,
    gain: f64,
}

impl Skills {
    /// Draws skills, and scales them to the signal that the settings ask for. `qualities` and `costs` have one mean per LLM.
    pub(super) fn new(
        config: &WorldConfig,
        seed: u32,
        qualities: Vec<f64>,
        costs: &[f64],
    ) -> anyhow::Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.into());
        rng.set_stream(STREAM);
        // Even, not normal: without tails scores stay within [0, 1] at larger scales. Variance 1.
        let most = 3.0_f64.sqrt();
        let shape = (Family::ALL.len(), qualities.len());
        let mut draw = || Array2::from_shape_simple_fn(shape, || rng.random_range(-most..most));
        let mut skills = Self {
            start: draw(),
            end: draw(),
            means: vec![0.0; qualities.len()],
            qualities,
            scale: 1.0,
            drift: config.drift,
            gain: 0.0,
        };
        let population = Population::new(&mut skills, costs);
        let most = population.largest_scale(&skills, config.reach())?;
        skills.scale = match config.signal {
            Signal::Deviation(deviation) => deviation,
            Signal::Gain(gain) => population.scale_of(&skills, gain, most)?,
        };
        ensure!(
            skills.scale <= most,
            "the signal's deviation of {} takes scores out of [0, 1]; at most {most:.4} does not",
            skills.scale
        );
        skills.gain = population.gain(&skills, skills.scale);
        Ok(skills)
    }

    /// Mean scores, per LLM.
    pub(super) fn qualities(&self) -> &[f64] {
        &self.qualities
    }

    /// What the Bayes router gains, averaged over the grid of worths.
    pub(super) fn gain(&self) -> f64 {
        self.gain
    }

    /// Expected score of an LLM on a prompt of mean difficulty of this family.
    pub(super) fn mean_score(&self, family_idx: usize, model_idx: usize, time: f64) -> f64 {
        self.qualities[model_idx]
            + self.scale * (self.skill(family_idx, model_idx, time) - self.means[model_idx])
    }

    /// Before its mean is taken off.
    fn skill(&self, family_idx: usize, model_idx: usize, time: f64) -> f64 {
        // On a circle, so that skills vary as much at every time.
        let (sin, cos) = (time * self.drift.skills * FRAC_PI_2).sin_cos();
        let at = (family_idx, model_idx);
        cos * self.start[at] + sin * self.end[at]
    }
}

/// Shares of the families at a time; they sum to 1. Every second family gives way to the others.
pub(super) fn family_weights(drift: Drift, time: f64) -> Vec<f64> {
    let weight = |i: usize| match i % 2 {
        0 => 1.0 - drift.families * time,
        _ => 1.0 - drift.families * (1.0 - time),
    };
    let weights: Vec<f64> = (0..Family::ALL.len()).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// All families at all times with their shares.
struct Population<'a> {
    /// (n_times, n_families)
    weights: Array2<f64>,
    /// Skills less their means, (n_times, n_families, n_models).
    deviations: Array3<f64>,
    costs: &'a [f64],
}

impl<'a> Population<'a> {
    /// Also finds the means of the skills.
    fn new(skills: &mut Skills, costs: &'a [f64]) -> Self {
        let drift = skills.drift;
        let n_times = if drift == Drift::default() {
            1
        } else {
            N_TIMES
        };
        let time = |i: usize| (i as f64 + 0.5) / n_times as f64;
        let (n_families, n_models) = skills.start.dim();
        let mut weights = Array2::zeros((n_times, n_families));
        for (i, mut row) in weights.rows_mut().into_iter().enumerate() {
            for (weight, share) in row.iter_mut().zip(family_weights(drift, time(i))) {
                *weight = share / n_times as f64;
            }
        }
        let shape = (n_times, n_families, n_models);
        let mut deviations = Array3::from_shape_fn(shape, |(i, f, m)| skills.skill(f, m, time(i)));
        for (m, mean) in skills.means.iter_mut().enumerate() {
            let of_model = weights.indexed_iter();
            *mean = of_model
                .map(|((i, f), weight)| weight * deviations[(i, f, m)])
                .sum();
            deviations
                .slice_mut(ndarray::s![.., .., m])
                .map_inplace(|it| *it -= *mean);
        }
        Self {
            weights,
            deviations,
            costs,
        }
    }

    /// The largest scale at which no expected score leaves [0, 1], where prompts of a family reach this far from its mean.
    fn largest_scale(&self, skills: &Skills, reach: f64) -> anyhow::Result<f64> {
        let mut largest = f64::MAX;
        for ((_, _, m), deviation) in self.deviations.indexed_iter() {
            let quality = skills.qualities[m];
            let (above, below) = (1.0 - reach - quality, quality - reach);
            ensure!(
                above >= 0.0 && below >= 0.0,
                "a mean score of {quality:.4} leaves [0, 1] by `difficulty-slope` and `conversations.effect`, which reach {reach:.4} to either side"
            );
            let room = if *deviation > 0.0 { above } else { below };
            if *deviation != 0.0 {
                largest = largest.min(room / deviation.abs());
            }
        }
        Ok(largest)
    }

    /// The scale at which the Bayes router gains this much.
    fn scale_of(&self, skills: &Skills, gain: f64, most: f64) -> anyhow::Result<f64> {
        // With one LLM skills deviate and nothing is gained, so a gain of 0 is the scale 0 there too.
        if gain == 0.0 {
            return Ok(0.0);
        }
        let reached = self.gain(skills, most);
        ensure!(
            reached >= gain,
            "`signal.gain` is {gain}, and with scores in [0, 1] these LLMs allow at most {reached:.4}"
        );
        let (mut low, mut high) = (0.0, most);
        for _ in 0..N_BISECTIONS {
            let middle = (low + high) / 2.0;
            match self.gain(skills, middle) < gain {
                true => low = middle,
                false => high = middle,
            }
        }
        Ok(high)
    }

    fn gain(&self, skills: &Skills, scale: f64) -> f64 {
        let worths = worth::grid(self.costs);
        let n_models = self.costs.len();
        let gains = worths.iter().map(|&worth_usd| {
            // Deviations have mean 0, so an LLM's mean utility is that of its mean score.
            let means = (0..n_models)
                .map(|m| worth::utility(skills.qualities[m], self.costs[m], worth_usd));
            let means: Vec<f64> = means.collect();
            let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::MIN, f64::max);
            let single = largest(&mut means.iter().copied());
            let cells = self.weights.indexed_iter().map(|((i, f), weight)| {
                let utility = |m| means[m] + scale * self.deviations[(i, f, m)];
                weight * (largest(&mut (0..n_models).map(utility)) - single)
            });
            cells.sum::<f64>()
        });
        gains.sum::<f64>() / worths.len() as f64
    }
}
