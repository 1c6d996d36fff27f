use rand_mt::Mt;

use crate::{Error, Result};

/// Row numbers of the two parts, each in the order in which scikit-learn returns them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainTestSplit {
    /// Train rows.
    pub train: Vec<u32>,
    /// Test rows.
    pub test: Vec<u32>,
}

/// Splits `0..n` as scikit-learn's `train_test_split(numpy.arange(n), test_size=test_size, random_state=seed)` does, bit for bit.
///
/// ```text
/// permutation = Fisher-Yates from the top over 0..n, indices drawn by masked rejection from MT19937(seed)
/// test  = permutation[..n_test]          n_test  = ceil(test_size * n)
/// train = permutation[n_test..]          n_train = n - n_test
/// ```
///
/// Sources: scikit-learn's `ShuffleSplit` and `_validate_shuffle_split`; NumPy's `RandomState.permutation`
/// (`numpy/random/mtrand.pyx`) and `random_interval` (`numpy/random/src/distributions/distributions.c`).
///
/// # Errors
/// [`Error::BadSplit`] when either part would be empty, or `test_size` is not in (0, 1).
///
/// ```
/// let split = dataset::train_test_split(10, 0.2, 42)?;
/// assert_eq!(split.test, [8, 1]);
/// # Ok::<(), dataset::Error>(())
/// ```
pub fn train_test_split(n: usize, test_size: f64, seed: u32) -> Result<TrainTestSplit> {
    // Rounded up, and the test rows are the first of the permutation: both as scikit-learn does, whose split this repeats row by row.
    let n_test = (test_size * n as f64).ceil() as usize;
    let n_train = n.saturating_sub(n_test);
    if !(test_size > 0.0 && test_size < 1.0)
        || n_train == 0
        || n_test == 0
        || u32::try_from(n).is_err()
    {
        return Err(Error::BadSplit {
            n,
            test_size,
            n_train,
            n_test,
        });
    }
    let mut permutation = permutation(n as u32, seed);
    let train = permutation.split_off(n_test);
    Ok(TrainTestSplit {
        train,
        test: permutation,
    })
}

/// The numbers `0..n` in the order of NumPy's `RandomState(seed).permutation(n)`, see [`train_test_split`].
///
/// ```
/// assert_eq!(dataset::permutation(10, 42), [8, 1, 5, 0, 7, 2, 9, 4, 3, 6]);
/// ```
pub fn permutation(n: u32, seed: u32) -> Vec<u32> {
    let mut permutation: Vec<u32> = (0..n).collect();
    let mut rng = Mt::new(seed);
    for i in (1..n).rev() {
        let j = random_interval(&mut rng, i);
        permutation.swap(i as usize, j as usize);
    }
    permutation
}

/// A uniform number in `0..=max`: bits are masked to the next power of two and drawn again while they exceed `max`.
fn random_interval(rng: &mut Mt, max: u32) -> u32 {
    // NumPy's legacy `random_interval`: masked rejection. A modulo would be shorter, and draw other rows.
    let mask = u32::MAX >> max.leading_zeros();
    loop {
        let value = rng.next_u32() & mask;
        if value <= max {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sha256_bytes;

    fn sha256_le_u32(rows: &[u32]) -> String {
        sha256_bytes(
            &rows
                .iter()
                .flat_map(|row| row.to_le_bytes())
                .collect::<Vec<_>>(),
        )
    }

    /// Hashes of `train_test_split(np.arange(n), test_size=0.2, random_state=42)`, made with scikit-learn 1.9.1 and NumPy 2.4.6.
    #[test]
    fn matches_sklearn_bit_for_bit() {
        let cases = [
            (
                10,
                "401bad077458bd0b74ea01f6ecc74e0da0f47ee04eba9febe6d5b9cdca0ab2f3",
                "db49223a2cf9616171322e5325816a7a579582ebdce91c2f89df8df7aa8aac01",
            ),
            (
                1000,
                "5fbea7143bf74cf403d643b48cf2940f96a8f0ba959beaa4e3fdcb1597b4d513",
                "3d9eeb05845746463925eeda24399231078c56d3860190ec28addf21131e1c10",
            ),
            (
                21065,
                "da4308ae53be0d0940f56f66c73f7b1502098ada903ce541408cfb00ce395f0d",
                "ae93952ebf025e866e9d6300e8b0337fc5baa6e39d894d0efdacb17f4121cb4f",
            ),
            (
                35712,
                "1a9e1235a2dd6967f6a4e3fe54d5fe75e8afe381a53aa5b9c777aeae2d6579ea",
                "298c05b2fb3984d0fef345121eca03e7696f6da714521da1f786ee1e1ad29efb",
            ),
        ];
        for (n, train, test) in cases {
            let split = train_test_split(n, 0.2, 42).expect("both parts have rows");
            assert_eq!(sha256_le_u32(&split.train), train, "train rows of n = {n}");
            assert_eq!(sha256_le_u32(&split.test), test, "test rows of n = {n}");
        }
    }

    #[test]
    fn empty_parts_are_refused() {
        for (n, test_size) in [
            (0, 0.2),
            (1, 0.2),
            (10, 0.0),
            (10, 1.0),
            (10, f64::NAN),
            (10, -0.5),
            (3, 0.99),
        ] {
            assert!(
                train_test_split(n, test_size, 42).is_err(),
                "n = {n}, test_size = {test_size}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_split_is_a_partition(n in 2_usize..500, test_size in 0.01_f64..0.99, seed: u32) {
            let Ok(split) = train_test_split(n, test_size, seed) else { return Ok(()) };
            let mut rows: Vec<u32> = split.train.iter().chain(&split.test).copied().collect();
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..n as u32).collect::<Vec<_>>());
            prop_assert_eq!(split.test.len(), (test_size * n as f64).ceil() as usize);
        }
    }
}
