use rand_mt::Mt;

/// Python's `random.Random(seed)`, as far as shuffling goes: the same numbers, so that a split which someone made in Python is repeated prompt by prompt.
///
/// ```text
/// Random(seed)   MT19937, initialized by the array of the seed's 32-bit words
/// randbelow(n)   the top bits of a word, as many as n has, drawn again while they are not below n
/// shuffle(x)     for i from the last position down to 1: swap x[i] with x[randbelow(i + 1)]
/// ```
///
/// Sources: `random_seed` in CPython's `Modules/_randommodule.c`; `_randbelow_with_getrandbits` and `shuffle` in `Lib/random.py`, alike from 3.2 to 3.14.
#[derive(Debug, Clone)]
pub(crate) struct PythonRandom(Mt);

impl PythonRandom {
    /// The generator of a seed.
    pub(crate) fn new(seed: u32) -> Self {
        Self(Mt::new_with_key([seed]))
    }

    /// `random.shuffle`. Later shuffles go on where this one ends.
    ///
    /// # Panics
    /// If there are more than 2^32 values, of which Python would draw two words at a time.
    pub(crate) fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            let n = u32::try_from(i + 1).expect("fewer than 2^32 values");
            let j = self.below(n);
            values.swap(i, j as usize);
        }
    }

    /// A number in `0..n`.
    fn below(&mut self, n: u32) -> u32 {
        let n_bits = u32::BITS - n.leading_zeros();
        loop {
            let value = self.0.next_u32() >> (u32::BITS - n_bits);
            if value < n {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dataset::sha256_bytes;

    use super::*;

    const EXPECTED: [(u32, u32, &str); 14] = [
        (
            0,
            1000,
            "a8501e712fcde5ea95db33e74e486f63ceb91c086e1c74ccee814e5a7d367ffb",
        ),
        (
            0,
            4097,
            "90adaf01b46306ecb61bdb7481d4aadf0bbabec7d697203a2435486e5cdf3814",
        ),
        (
            42,
            1,
            "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119",
        ),
        (
            42,
            2,
            "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8",
        ),
        (
            42,
            1000,
            "1198620f0c60bb02f29e0665ad3360fddb7174763aa68a7f7acece39dd6261ed",
        ),
        (
            42,
            4097,
            "acfe286cda222ca6896c6161f540110698b41550bbf28316d9c201f387aa029d",
        ),
        (
            999,
            1000,
            "af744c0277d866b64d65fd9bdbe5f8606d5f58d7199c9b7fdb31a8542b422c17",
        ),
        (
            999,
            4097,
            "1667c40574d226ed5cc4d674fc28193d09d6c6d8a7a33ff7ef317a8e1cac4b3f",
        ),
        (
            2024,
            1000,
            "d4d9471d80a28c2a16a50b770fc423ae03a4f2a0657ab8e8ce3649ed3aea6c33",
        ),
        (
            2024,
            4097,
            "c15d361096365d21b6763f146fd4e05562e557cd801497d340768bffde657a2e",
        ),
        (
            2025,
            1000,
            "45482bf581f521e5b12de2586153f9244687d007fe328dfeaaa2e793afae3a7f",
        ),
        (
            2025,
            4097,
            "9d821b38aefaa6d21475a8712b8756f569ee3ab5892b091da3b3385ed14581b5",
        ),
        (
            3407,
            1000,
            "753003837b43e2745c350a040779206707751c1a8777e606db9d005582f59d61",
        ),
        (
            3407,
            4097,
            "765dee4d8f7c052a06584ae3c467b1d2af1588c8d7f4d0358dc3973549d4cf00",
        ),
    ];

    #[test]
    fn matches_python_by_hand() {
        let mut numbers: Vec<u32> = (0..10).collect();
        PythonRandom::new(42).shuffle(&mut numbers);
        assert_eq!(numbers, [7, 3, 2, 8, 5, 6, 9, 4, 0, 1]);
    }

    /// SHA-256 of the numbers as little-endian u32, made with CPython 3.11.
    #[test]
    fn matches_python_bit_for_bit() {
        for (seed, n, expected) in EXPECTED {
            let mut random = PythonRandom::new(seed);
            // The second shuffle, so that the state goes on.
            random.shuffle(&mut [0; 7]);
            let mut numbers: Vec<u32> = (0..n).collect();
            random.shuffle(&mut numbers);
            let bytes: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
            assert_eq!(sha256_bytes(&bytes), expected, "{seed} {n}");
        }
    }
}
