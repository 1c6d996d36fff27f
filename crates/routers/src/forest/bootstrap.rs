use rand::{Rng as _, RngCore};

use super::sweep::Sample;

/// The rows that a tree sees, ascending, each once with the number of times it counts.
pub(super) fn samples(labels: &[u8], draw: bool, rng: &mut impl RngCore) -> Vec<Sample> {
    let mut weights = vec![u32::from(!draw); labels.len()];
    if draw {
        // Weights instead of repeated rows: about a third of the draws repeat a row, and every sweep would read it again.
        for _ in labels {
            weights[rng.random_range(0..labels.len())] += 1;
        }
    }
    let rows = labels.iter().zip(weights).enumerate();
    rows.filter(|(_, (_, weight))| *weight > 0)
        .map(|(row, (&class, weight))| Sample {
            row: row as u32,
            class,
            weight,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_bootstrap_has_as_many_draws_as_rows() {
        let labels: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let samples = samples(&labels, true, &mut rng);
        let n_draws: u32 = samples.iter().map(|sample| sample.weight).sum();
        assert_eq!(n_draws, 10_000);
        // A row is left out with probability 1/e; the standard deviation of the share is about .003.
        let share = samples.len() as f64 / 10_000.0;
        assert!((share - (1.0 - (-1.0_f64).exp())).abs() < 0.02, "{share}");
        assert!(
            samples
                .iter()
                .all(|sample| sample.class == labels[sample.row as usize])
        );
        assert!(samples.is_sorted_by(|a, b| a.row < b.row));
    }

    #[test]
    fn without_a_bootstrap_every_row_counts_once() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let samples = samples(&[2, 0, 1], false, &mut rng);
        let rows: Vec<_> = samples.iter().map(|s| (s.row, s.class, s.weight)).collect();
        assert_eq!(rows, [(0, 2, 1), (1, 0, 1), (2, 1, 1)]);
    }
}
