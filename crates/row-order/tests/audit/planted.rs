//! Invented tasks whose LLMs were gathered from known numbers of ranks.

use std::num::NonZeroUsize;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use row_order::{AuditParams, Task, interleave};

pub(crate) fn width(width: usize) -> NonZeroUsize {
    NonZeroUsize::new(width).unwrap()
}

pub(crate) fn params(n_permutations: usize) -> AuditParams {
    AuditParams {
        candidate_widths: [1, 2, 4, 8].map(width).to_vec(),
        n_permutations,
        seed: 1,
        significance: 0.05,
    }
}

/// An LLM's ranks, and the population whose idea of difficult documents it shares.
#[derive(Clone, Copy)]
pub(crate) struct Planted {
    pub(crate) width: usize,
    /// None answers at random.
    pub(crate) population: Option<usize>,
}

pub(crate) fn planted(widths: &[usize]) -> Vec<Planted> {
    let planted = |&width| Planted {
        width,
        population: Some(0),
    };
    widths.iter().map(planted).collect()
}

/// 0/1 scores: an LLM answers with probability `sigmoid(6 (ability - difficulty))`, abilities and difficulties even over (0, 1).
pub(crate) fn tasks(planted: &[Planted], lengths: &[usize], seed: u64) -> Vec<Task> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let abilities: Vec<f64> = planted.iter().map(|_| rng.random()).collect();
    let task = |(task_idx, &n)| {
        let difficulties: [Vec<f64>; 2] =
            std::array::from_fn(|_| (0..n).map(|_| rng.random()).collect());
        let columns = planted.iter().zip(&abilities).map(|(model, ability)| {
            let scores: Vec<f64> = (0..n)
                .map(|document| {
                    let logit = model
                        .population
                        .map_or(0.0, |which| 6.0 * (ability - difficulties[which][document]));
                    f64::from(rng.random::<f64>() < 1.0 / (1.0 + (-logit).exp()))
                })
                .collect();
            Some(interleave(&scores, width(model.width)))
        });
        let task_idx: usize = task_idx;
        Task {
            name: format!("task-{task_idx}"),
            columns: columns.collect(),
        }
    };
    lengths.iter().enumerate().map(task).collect()
}
