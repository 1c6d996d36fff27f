use std::collections::BTreeSet;

use crate::table::PairTable;

/// What a search leaves as it is.
#[derive(Clone, Copy, Default)]
pub(crate) struct Constraint {
    /// An LLM that takes no part; its width is 0 in the result and means nothing.
    pub(crate) absent: Option<usize>,
    /// An LLM, and the number of the width that it has.
    pub(crate) fixed: Option<(usize, usize)>,
}

/// The number of each LLM's width such that the sum of the products over all pairs is largest.
///
/// ```text
/// maximize  sum over i < j of  P[i, a_i; j, a_j]
/// ```
///
/// Starts from every LLM under every width, with the others as they fit to it best, and from every common width; from each start one LLM after
/// the other takes its best width until none gains. Exact search is exponential; a right start is among these as soon as one LLM correlates with
/// each of the others. Of equally good results the lexicographically first one, so that what cannot be told apart has the smallest widths.
///
/// Cost: `n_models * n_widths` starts of a few sweeps of `n_models^2 * n_widths` additions.
pub(crate) fn search(table: &PairTable, constraint: Constraint) -> Vec<usize> {
    let tolerance = table.tolerance();
    let mut best: Option<(f64, Vec<usize>)> = None;
    for start in starts(table, constraint, tolerance) {
        let widths = ascend(table, start, constraint, tolerance);
        let sum = table.sum(&widths, constraint.absent);
        let is_better = best.as_ref().is_none_or(|(best_sum, best_widths)| {
            sum > best_sum + tolerance || (sum >= best_sum - tolerance && widths < *best_widths)
        });
        if is_better {
            best = Some((sum, widths));
        }
    }
    best.expect("common widths are always among the starts").1
}

fn starts(table: &PairTable, constraint: Constraint, tolerance: f64) -> BTreeSet<Vec<usize>> {
    let mut starts: BTreeSet<Vec<usize>> = BTreeSet::new();
    let n_widths = table.n_widths;
    let settle = |mut widths: Vec<usize>| {
        if let Some(absent) = constraint.absent {
            widths[absent] = 0;
        }
        if let Some((model, width)) = constraint.fixed {
            widths[model] = width;
        }
        widths
    };
    for width in 0..n_widths {
        starts.insert(settle(vec![width; table.n_models]));
        for anchor in (0..table.n_models).filter(|&i| Some(i) != constraint.absent) {
            let fitting = (0..table.n_models).map(|j| {
                if j == anchor {
                    width
                } else {
                    let product = |b: usize| table.get((anchor, width), (j, b));
                    first_largest(n_widths, 0, product, tolerance)
                }
            });
            starts.insert(settle(fitting.collect()));
        }
    }
    starts
}

fn ascend(
    table: &PairTable,
    mut widths: Vec<usize>,
    constraint: Constraint,
    tolerance: f64,
) -> Vec<usize> {
    loop {
        let mut has_moved = false;
        for i in 0..table.n_models {
            if Some(i) == constraint.absent || constraint.fixed.is_some_and(|(model, _)| model == i)
            {
                continue;
            }
            let product = |a: usize| table.with_others((i, a), &widths, constraint.absent);
            let best = first_largest(table.n_widths, widths[i], product, tolerance);
            has_moved |= best != widths[i];
            widths[i] = best;
        }
        // Ends, since every move adds more than the tolerance to a sum that is bounded.
        if !has_moved {
            return widths;
        }
    }
}

/// The number whose value is largest, `incumbent` unless another one's is larger by more than the tolerance.
fn first_largest(
    n: usize,
    incumbent: usize,
    value: impl Fn(usize) -> f64,
    tolerance: f64,
) -> usize {
    let mut best = (incumbent, value(incumbent));
    for candidate in 0..n {
        let value = value(candidate);
        if value > best.1 + tolerance {
            best = (candidate, value);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{Task, order::interleave, panel::Panel, table::Tables};

    const N_MODELS: usize = 5;
    const N_WIDTHS: usize = 4;

    /// Scores of LLMs of random widths, of which a share is the document's and the rest the LLM's own.
    fn table(share: f64, n_rows: usize, seed: u64) -> PairTable {
        let widths = [1, 2, 4, 8].map(|width| NonZeroUsize::new(width).expect("no width is 0"));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let common: Vec<f64> = (0..n_rows).map(|_| rng.random()).collect();
        let columns = (0..N_MODELS).map(|_| {
            let scores: Vec<f64> = common
                .iter()
                .map(|common| share * common + (1.0 - share) * rng.random::<f64>())
                .collect();
            Some(interleave(&scores, widths[rng.random_range(0..N_WIDTHS)]))
        });
        let task = Task {
            name: "task".into(),
            columns: columns.collect(),
        };
        let names: Vec<String> = (0..N_MODELS).map(|i| i.to_string()).collect();
        let panel = Panel::new(&names, &[task]).expect("the task has a column for each LLM");
        Tables::new(&panel, &widths).total
    }

    fn exhaustive(table: &PairTable, constraint: Constraint) -> Vec<usize> {
        let all = (0..N_WIDTHS.pow(N_MODELS as u32)).map(|number| -> Vec<usize> {
            let digit = |i| number / N_WIDTHS.pow((N_MODELS - 1 - i) as u32) % N_WIDTHS;
            (0..N_MODELS).map(digit).collect()
        });
        let allowed = all.filter(|widths| {
            constraint.absent.is_none_or(|i| widths[i] == 0)
                && constraint.fixed.is_none_or(|(i, width)| widths[i] == width)
        });
        let mut best: Option<(f64, Vec<usize>)> = None;
        // In lexicographic order, so that the first of several good ones stays.
        for widths in allowed {
            let sum = table.sum(&widths, constraint.absent);
            if best
                .as_ref()
                .is_none_or(|(best_sum, _)| sum > best_sum + table.tolerance())
            {
                best = Some((sum, widths));
            }
        }
        best.expect("something is allowed").1
    }

    #[test]
    fn finds_what_an_exhaustive_search_finds() {
        let constraints = [
            Constraint::default(),
            Constraint {
                absent: Some(0),
                fixed: None,
            },
            Constraint {
                absent: None,
                fixed: Some((2, 3)),
            },
            Constraint {
                absent: Some(4),
                fixed: Some((1, 0)),
            },
        ];
        // Signal, at a length that leaves ratios open and at one that does not, and nothing but noise.
        for (share, n_rows) in [(0.5, 256), (0.5, 250), (0.2, 250), (0.0, 250)] {
            for seed in 0..25 {
                let table = table(share, n_rows, seed);
                for (which, constraint) in constraints.into_iter().enumerate() {
                    assert_eq!(
                        search(&table, constraint),
                        exhaustive(&table, constraint),
                        "share {share}, {n_rows} rows, seed {seed}, constraint {which}"
                    );
                }
            }
        }
    }
}
