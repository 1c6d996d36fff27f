use std::collections::BTreeMap;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Deals the prompts of each benchmark out to folds, one fold from 0 to `n_folds - 1` per prompt: the folds of a benchmark differ in size by 1
/// at most, and one with fewer prompts than folds has fewer folds.
///
/// Prompts are put in order of their ids, shuffled (Fisher and Yates) with the seed, and dealt out in turn. So neither the order of rows nor
/// which other benchmarks there are changes a prompt's fold.
///
/// # Panics
/// Without a fold, or when ids and labels differ in number.
///
/// ```
/// let texts = |texts: [&str; 4]| texts.map(str::to_owned).to_vec();
/// let folds = evaluation::study::folds(&texts(["p", "q", "r", "s"]), &texts(["a", "b", "a", "b"]), 2, 42);
/// assert!(folds[0] != folds[2] && folds[1] != folds[3]);
/// ```
pub fn folds(ids: &[String], benchmarks: &[String], n_folds: usize, seed: u64) -> Vec<usize> {
    assert!(n_folds > 0, "at least one fold");
    assert_eq!(ids.len(), benchmarks.len(), "one label per prompt");
    let mut by_benchmark: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (prompt_idx, benchmark) in benchmarks.iter().enumerate() {
        by_benchmark.entry(benchmark).or_default().push(prompt_idx);
    }
    let mut folds = vec![0; ids.len()];
    for mut prompt_idxs in by_benchmark.into_values() {
        prompt_idxs.sort_by_key(|&prompt_idx| &ids[prompt_idx]);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for last in (1..prompt_idxs.len()).rev() {
            prompt_idxs.swap(last, rng.random_range(0..=last));
        }
        for (place, prompt_idx) in prompt_idxs.into_iter().enumerate() {
            folds[prompt_idx] = place % n_folds;
        }
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids `0` to `99`, every third of benchmark `a`.
    fn rows() -> (Vec<String>, Vec<String>) {
        let label = |i: usize| if i.is_multiple_of(3) { "a" } else { "b" };
        (0..100)
            .map(|i| (i.to_string(), label(i).to_owned()))
            .unzip()
    }

    #[test]
    fn every_benchmark_is_dealt_out_evenly() {
        let (ids, labels) = rows();
        let dealt = folds(&ids, &labels, 5, 42);
        for (label, expected) in [("a", [7, 7, 7, 7, 6]), ("b", [14, 13, 13, 13, 13])] {
            let mut sizes = [0; 5];
            for (fold, _) in dealt
                .iter()
                .zip(&labels)
                .filter(|(_, other)| *other == label)
            {
                sizes[*fold] += 1;
            }
            assert_eq!(sizes, expected, "{label}");
        }
        assert_ne!(dealt, folds(&ids, &labels, 5, 43), "another seed");
        assert_eq!(folds(&ids, &labels, 1, 42), [0; 100]);
        assert_eq!(folds(&[], &[], 5, 42), [0_usize; 0]);
    }

    #[test]
    fn the_order_of_rows_does_not_matter() {
        let (mut ids, mut labels) = rows();
        let mut dealt = folds(&ids, &labels, 5, 42);
        ids.reverse();
        labels.reverse();
        dealt.reverse();
        assert_eq!(folds(&ids, &labels, 5, 42), dealt);
        // Nor does it matter which other benchmarks there are.
        let (only_a, of_a): (Vec<String>, Vec<usize>) = ids
            .iter()
            .zip(&dealt)
            .zip(&labels)
            .filter(|(_, label)| *label == "a")
            .map(|((id, fold), _)| (id.clone(), *fold))
            .unzip();
        assert_eq!(
            folds(&only_a, &vec!["a".to_owned(); only_a.len()], 5, 42),
            of_a
        );
    }
}
