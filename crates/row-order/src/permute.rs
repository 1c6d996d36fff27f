use std::num::NonZeroUsize;

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::{
    order::{deinterleave, interleave},
    panel::{Panel, PanelTask},
    table::dot,
};

/// The random orders of one audit.
#[derive(Clone, Copy)]
pub(crate) struct Permutations {
    pub(crate) n: usize,
    pub(crate) seed: u64,
}

/// What is put in random order; each has its own half of the generator's 2^64 streams.
#[derive(Clone, Copy)]
enum Subject {
    Model(usize),
    Task(usize),
}

impl Permutations {
    /// The smallest p-value there is, and the value of `n_reaching` permutations.
    fn p_value(self, n_reaching: usize) -> f64 {
        (n_reaching + 1) as f64 / (self.n + 1) as f64
    }

    fn rng(self, subject: Subject, permutation: usize) -> ChaCha8Rng {
        let (half, number) = match subject {
            Subject::Model(number) => (0, number),
            Subject::Task(number) => (1 << 63, number),
        };
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        // A permutation's number has 32 bits, as `AuditParams::check` has seen to.
        rng.set_stream(half | (number as u64) << 32 | permutation as u64);
        rng
    }

    /// Tests whether an LLM's rows have to do with the other LLMs' at all.
    ///
    /// The statistic is the largest z of the LLM's rows, under any width, with the sum of the others under any of `arrangements`. The latter must
    /// have been found without this LLM: then, if its rows are in random order within each task, all permutations of them are equally likely
    /// whatever the others are, and the p-value is exact, the choice of the width included.
    ///
    /// NaN if either side does not vary.
    pub(crate) fn model_p_value(
        self,
        panel: &Panel,
        model: usize,
        arrangements: &[Vec<usize>],
        widths: &[NonZeroUsize],
    ) -> f64 {
        let tasks: Vec<(&PanelTask, &Vec<f64>)> = panel
            .tasks
            .iter()
            .filter_map(|task| task.columns[model].as_ref().map(|column| (task, column)))
            .collect();
        let stored: Vec<f64> = tasks
            .iter()
            .flat_map(|(_, column)| column.iter().copied())
            .collect();
        let references: Vec<Vec<f64>> = arrangements
            .iter()
            .flat_map(|arrangement| references(&tasks, model, arrangement, widths))
            .collect();
        if references.is_empty() {
            return f64::NAN;
        }
        let statistic = |rows: &[f64]| {
            let products = references.iter().map(|reference| dot(rows, reference));
            products.fold(f64::NEG_INFINITY, f64::max)
        };
        // Few rows have few orders, and equal statistics must not differ by rounding.
        let observed = statistic(&stored) - 1e-9;
        let n_reaching = (0..self.n)
            .into_par_iter()
            .map_init(Vec::new, |rows, permutation| {
                let mut rng = self.rng(Subject::Model(model), permutation);
                rows.clone_from(&stored);
                let mut rest = rows.as_mut_slice();
                for (task, _) in &tasks {
                    let (own, after) = rest.split_at_mut(task.n_rows);
                    shuffle(own, &mut rng);
                    rest = after;
                }
                statistic(rows) >= observed
            })
            .filter(|&reaches| reaches)
            .count();
        self.p_value(n_reaching)
    }

    /// Tests whether LLMs' rows in one task have to do with each other in each of the given orders, every LLM's rows being put in random order by
    /// itself. The statistic is [`mean_pair_correlation`]; NaN if there is none.
    pub(crate) fn task_p_values<const N: usize>(
        self,
        task: &PanelTask,
        task_idx: usize,
        orders: [&[NonZeroUsize]; N],
    ) -> [f64; N] {
        let observed = orders.map(|widths| mean_pair_correlation(task, widths));
        if observed.iter().any(|correlation| correlation.is_nan()) {
            return [f64::NAN; N];
        }
        let columns: Vec<Vec<f64>> = task
            .columns
            .iter()
            .flatten()
            .map(|column| unit(column))
            .collect();
        let buffers = || (Vec::new(), vec![0.0; task.n_rows]);
        let reached: Vec<[bool; N]> = (0..self.n)
            .into_par_iter()
            .map_init(buffers, |(rows, sum), permutation| {
                let mut rng = self.rng(Subject::Task(task_idx), permutation);
                sum.fill(0.0);
                for column in &columns {
                    rows.clone_from(column);
                    shuffle(rows, &mut rng);
                    add(sum, rows);
                }
                let correlation = correlation_of_sum(sum, columns.len());
                observed.map(|observed| correlation >= observed - 1e-9)
            })
            .collect();
        std::array::from_fn(|which| {
            self.p_value(reached.iter().filter(|reached| reached[which]).count())
        })
    }
}

/// The mean correlation over all pairs of LLMs whose scores vary, each LLM's rows being taken as gathered from its width's ranks; NaN if there are
/// fewer than two. An unknown score counts as its LLM's mean.
pub(crate) fn mean_pair_correlation(task: &PanelTask, widths: &[NonZeroUsize]) -> f64 {
    let mut sum = vec![0.0; task.n_rows];
    for (column, &width) in task.columns.iter().zip(widths) {
        if let Some(column) = column {
            add(&mut sum, &deinterleave(&unit(column), width));
        }
    }
    correlation_of_sum(&sum, task.columns.iter().flatten().count())
}

fn unit(column: &[f64]) -> Vec<f64> {
    let scale = dot(column, column).sqrt().recip();
    column.iter().map(|value| value * scale).collect()
}

/// `sum over i < j of v_i . v_j = (|sum of v_i|^2 - m) / 2` for `m` columns of length 1; NaN if there is no pair.
fn correlation_of_sum(sum: &[f64], n_columns: usize) -> f64 {
    let m = n_columns as f64;
    let n_pairs = m * (m - 1.0) / 2.0;
    if n_pairs > 0.0 {
        0.5 * (dot(sum, sum) - m) / n_pairs
    } else {
        f64::NAN
    }
}

/// The sum of the other LLMs for each width of this one: in the order in which its rows are stored if it has that width, and divided by the
/// standard deviation that a product with it has when rows are in random order.
fn references(
    tasks: &[(&PanelTask, &Vec<f64>)],
    model: usize,
    arrangement: &[usize],
    widths: &[NonZeroUsize],
) -> Vec<Vec<f64>> {
    let mut variance = 0.0;
    let mut sums = Vec::with_capacity(tasks.len());
    for (task, own) in tasks {
        let mut sum = vec![0.0; task.n_rows];
        for (other, column) in task.columns.iter().enumerate() {
            if let Some(column) = column.as_ref().filter(|_| other != model) {
                add(&mut sum, &deinterleave(column, widths[arrangement[other]]));
            }
        }
        // A column that varies has two rows.
        variance += dot(own, own) * dot(&sum, &sum) / (task.n_rows - 1) as f64;
        sums.push(sum);
    }
    if variance == 0.0 {
        return Vec::new();
    }
    let scale = variance.sqrt().recip();
    widths
        .iter()
        .map(|&width| {
            let stored = sums.iter().flat_map(|sum| interleave(sum, width));
            stored.map(|value| value * scale).collect()
        })
        .collect()
}

fn add(sum: &mut [f64], column: &[f64]) {
    for (sum, value) in sum.iter_mut().zip(column) {
        *sum += value;
    }
}

/// Fisher and Yates' shuffle. The index is the high half of a product, not drawn again: a task's rows are so few against 2^32 that no order is more
/// likely than another by more than some 1e-5, and the stream stays the same whatever version of a library draws.
fn shuffle(rows: &mut [f64], rng: &mut ChaCha8Rng) {
    for last in (1..rows.len()).rev() {
        let index = (u64::from(rng.next_u32()) * (last as u64 + 1)) >> 32;
        rows.swap(last, index as usize);
    }
}

/// Holm's adjustment: the chance of even one value as small as this among all of them, if nothing is there to be found. NaN stays, and does not
/// count.
///
/// ```text
/// adjusted(k) = max over j <= k of  min(1, (m - j) p(j))       p ascending, j from 0
/// ```
pub(crate) fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut ranking: Vec<usize> = (0..p_values.len())
        .filter(|&i| !p_values[i].is_nan())
        .collect();
    ranking.sort_by(|&i, &j| p_values[i].total_cmp(&p_values[j]));
    let mut adjusted = vec![f64::NAN; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, &i) in ranking.iter().enumerate() {
        largest = largest.max(((ranking.len() - rank) as f64 * p_values[i]).min(1.0));
        adjusted[i] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_multiplies_by_what_is_left() {
        let nan = f64::NAN;
        for (p_values, expected) in [
            (&[][..], &[][..]),
            (&[0.25], &[0.25]),
            (&[0.5, 0.125], &[0.5, 0.25]),
            // 3 x .25, 2 x .25, 1 x .375: the last may not be below the one before.
            (&[0.375, 0.25, 0.25], &[0.75, 0.75, 0.75]),
            (&[0.75, nan, 0.625], &[1.0, nan, 1.0]),
        ] {
            let same = holm(p_values)
                .iter()
                .zip(expected)
                .all(|(x, y)| x == y || (x.is_nan() && y.is_nan()));
            assert!(same, "{p_values:?} gives {:?}", holm(p_values));
        }
    }

    #[test]
    fn each_permutation_has_its_own_stream_and_all_orders_occur() {
        let permutations = Permutations { n: 600, seed: 7 };
        let count = |subject: Subject| {
            let mut orders = std::collections::BTreeMap::new();
            for permutation in 0..permutations.n {
                let mut rows = [0.0, 1.0, 2.0];
                shuffle(&mut rows, &mut permutations.rng(subject, permutation));
                *orders.entry(rows.map(|row| row as u8)).or_insert(0) += 1;
            }
            orders
        };
        let orders = count(Subject::Model(0));
        assert_eq!(orders.len(), 6);
        // 100 of each are expected, with a standard deviation of 9.
        assert!(orders.values().all(|n| (60..140).contains(n)), "{orders:?}");
        assert_ne!(orders, count(Subject::Task(0)));
        assert_ne!(orders, count(Subject::Model(1)));
    }
}
