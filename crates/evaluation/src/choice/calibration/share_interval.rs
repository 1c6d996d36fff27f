//! How many of some new prompts an LLM gets: prediction intervals for counts.

/// The least and the greatest share of `n_new` new prompts, whose number of calls a quantile `z` of the normal distribution bounds.
///
/// ```text
/// x of n prompts, y of N new ones:   (N x - n y)^2 = z^2 p (1 - p) n N (n + N),   p = (x + y) / (n + N)
///
///                                    e (1 - z^2 / (n + N)) + N z^2 / (2 n)  -+  z sqrt(e (N - e) (1 / n + 1 / N) + N^2 z^2 / (4 n^2))
/// e = N x / n,  solved for y:        ----------------------------------------------------------------------------------------------
///                                                              1 + N z^2 / (n (n + N))
/// ```
///
/// The closed form of Krishnamoorthy and Peng (2011, "Improved closed-form prediction intervals for binomial and Poisson distributions") from the
/// joint sampling of both counts, rounded inward to whole prompts; x = 0 counts as 1/2, and x = n as n - 1/2. An LLM that was never called may
/// be called by new prompts, which no resample of the old ones shows. At a level of 95% it holds in 91 to 100% whatever the share is, and where both
/// counts are above 5 in 94 to 97%; see the test. An interval for the new share and not for the probability behind it: it grows as `n_new` falls.
///
/// The setting was chosen on the same prompts. That does not widen it: however it is chosen, the new share differs from the one
/// seen by the chance in both.
pub(super) fn share_interval(n_calls: f64, n: f64, n_new: f64, z: f64) -> (f64, f64) {
    let calls = if n_calls <= 0.0 {
        0.5
    } else if n_calls >= n {
        n - 0.5
    } else {
        n_calls
    };
    let expected = n_new * calls / n;
    let square = z * z;
    let middle = expected * (1.0 - square / (n + n_new)) + n_new * square / (2.0 * n);
    let under_root =
        expected * (n_new - expected) * (1.0 / n + 1.0 / n_new) + (n_new * z / (2.0 * n)).powi(2);
    let half = z * under_root.sqrt();
    let scale = 1.0 + n_new * square / (n * (n + n_new));
    // A whole number that rounding has put a hair beside itself stays.
    let hair = 1e-9 * n_new;
    let low = ((middle - half) / scale - hair).ceil().max(0.0);
    let high = ((middle + half) / scale + hair).floor().min(n_new);
    // Of few new prompts the interval may hold no whole number; then the two around it.
    let (low, high) = (low.min(high), low.max(high));
    (low / n_new, high / n_new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_by_hand() {
        // The ends solve the equation above, which is tried for ends that are not rounded.
        let (x, n, n_new, z) = (7.0, 50.0, 1e9, 1.96);
        let (low, high) = share_interval(x, n, n_new, z);
        for y in [low * n_new, high * n_new] {
            let p = (x + y) / (n + n_new);
            let left = (n_new * x - n * y).powi(2);
            let right = z * z * p * (1.0 - p) * n * n_new * (n + n_new);
            assert!((left / right - 1.0).abs() < 1e-6, "{left} against {right}");
        }
    }

    #[test]
    fn what_was_never_seen_may_come() {
        let (low, high) = share_interval(0.0, 50.0, 200.0, 1.96);
        assert_eq!(low, 0.0);
        assert!((0.02..0.1).contains(&high), "{high}");
        let (low, high) = share_interval(50.0, 50.0, 200.0, 1.96);
        assert_eq!(high, 1.0);
        assert!((0.9..0.98).contains(&low), "{low}");
    }

    #[test]
    fn of_one_new_prompt_too() {
        for x in 0..=10 {
            let (low, high) = share_interval(f64::from(x), 10.0, 1.0, 1.96);
            assert!(
                (0.0..=high).contains(&low) && high <= 1.0,
                "{x}: {low} {high}"
            );
        }
    }

    /// The probability that a count of `n` is `x`, for all x.
    fn binomial(n: usize, p: f64) -> Vec<f64> {
        let mut row = vec![1.0];
        for _ in 0..n {
            let mut next = vec![0.0; row.len() + 1];
            for (x, &q) in row.iter().enumerate() {
                next[x] += q * (1.0 - p);
                next[x + 1] += q * p;
            }
            row = next;
        }
        row
    }

    /// By all counts there can be, and not by chance: how often the new share is within, and how often not above the one-sided limit.
    fn coverage(n: usize, n_new: usize, p: f64) -> [f64; 2] {
        let (old, new) = (binomial(n, p), binomial(n_new, p));
        let mut held = [0.0; 2];
        for (x, &of_x) in old.iter().enumerate() {
            let [both, one] =
                [1.959_964, 1.644_854].map(|z| share_interval(x as f64, n as f64, n_new as f64, z));
            for (y, &of_y) in new.iter().enumerate() {
                let share = y as f64 / n_new as f64;
                let probability = of_x * of_y;
                held[0] += if (both.0..=both.1).contains(&share) {
                    probability
                } else {
                    0.0
                };
                held[1] += if share <= one.1 { probability } else { 0.0 };
            }
        }
        held
    }

    #[test]
    fn coverage_on_small_counts() {
        for (n, n_new) in [(20, 20), (50, 50), (50, 200), (200, 50), (200, 200)] {
            let mut sum = [0.0; 2];
            let shares = [
                0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 0.95, 0.99,
            ];
            for p in shares {
                let held = coverage(n, n_new, p);
                assert!(held.iter().all(|&it| it > 0.9), "{n} {n_new} {p}: {held:?}");
                for (sum, held) in sum.iter_mut().zip(held) {
                    *sum += held / shares.len() as f64;
                }
            }
            assert!(sum.iter().all(|&it| it > 0.94), "{n} {n_new}: {sum:?}");
        }
    }
}
