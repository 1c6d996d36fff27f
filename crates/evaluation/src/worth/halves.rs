use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

/// The half that each prompt is in, 0 or 1: groups are dealt out whole, in a random order. `groups` has one number from 0 per prompt; `None`: each
/// prompt is a group of its own.
pub(super) fn halves(n_prompts: usize, groups: Option<&[usize]>, seed: u64) -> Vec<usize> {
    nth_halves(n_prompts, groups, seed, 0)
}

/// As [`halves`], with a number that says which of many random orders of one seed it is.
pub(super) fn nth_halves(
    n_prompts: usize,
    groups: Option<&[usize]>,
    seed: u64,
    nth: u64,
) -> Vec<usize> {
    let n_groups = match groups {
        None => n_prompts,
        Some(groups) => groups.iter().max().map_or(0, |largest| largest + 1),
    };
    let mut order: Vec<usize> = (0..n_groups).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // From the far end: resamples are drawn from the first streams.
    rng.set_stream(nth.wrapping_neg());
    order.shuffle(&mut rng);
    let mut half_of = vec![0; n_groups];
    for (place, group) in order.into_iter().enumerate() {
        half_of[group] = place % 2;
    }
    match groups {
        None => half_of,
        Some(groups) => groups.iter().map(|&group| half_of[group]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_stay_whole_and_halves_are_equal() {
        let of_prompts = halves(9, None, 42);
        assert_eq!(of_prompts.iter().sum::<usize>(), 4);
        assert_eq!(of_prompts, halves(9, None, 42));
        assert_ne!(of_prompts, halves(9, None, 43));
        assert_eq!(of_prompts, nth_halves(9, None, 42, 0));
        assert_ne!(of_prompts, nth_halves(9, None, 42, 1));
        let groups = [0, 1, 0, 2, 2, 3, 1, 3, 0];
        let of_groups = halves(9, Some(&groups), 42);
        let of_group: Vec<usize> = (0..4)
            .map(|group| of_groups[groups.iter().position(|&g| g == group).expect("there")])
            .collect();
        assert!(
            groups
                .iter()
                .zip(&of_groups)
                .all(|(&group, &half)| half == of_group[group])
        );
        assert_eq!(of_group.iter().sum::<usize>(), 2);
    }
}
