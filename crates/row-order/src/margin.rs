use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroUsize,
};

use crate::{
    order::{order, position},
    table::Tables,
};

/// How one explanation of the data is compared with another.
pub(crate) struct Margins<'a> {
    tables: &'a Tables,
    n_widths: usize,
    /// For each length of a task, and each change of an LLM's width from number `a` to `b` at `a * n_widths + b`: a number that two changes share
    /// if and only if they move the documents alike.
    moves: BTreeMap<usize, Vec<usize>>,
}

impl<'a> Margins<'a> {
    pub(crate) fn new(tables: &'a Tables, widths: &[NonZeroUsize]) -> Self {
        let lengths = tables.tasks.iter().map(|task| task.n_rows);
        Self {
            tables,
            n_widths: widths.len(),
            moves: lengths.map(|n| (n, classes(n, widths))).collect(),
        }
    }

    /// By how many standard deviations the first assignment of widths fits better than the second.
    ///
    /// ```text
    /// z = (sum over i < j of P[found] - P[rival]) / sigma
    /// sigma^2 = sum over tasks, and over pairs of blocks A, B of LLMs:  |c_A|^2 |c_B|^2 / (n - 1)
    /// ```
    ///
    /// A block of a task is a set of LLMs that the rival leaves aligned as they are; only products across blocks change. `c_A` is the sum of its
    /// columns, and sigma the standard deviation of these products if the blocks had nothing to do with each other: the exact variance of
    /// an inner product of two centered vectors, one of them in random order. If there is one block only, in every task, the two assignments are
    /// the same data, and `z` is 0.
    pub(crate) fn z(&self, found: &[usize], rival: &[usize], absent: Option<usize>) -> f64 {
        let variance: f64 = self
            .tables
            .tasks
            .iter()
            .filter(|task| task.n_rows > 1)
            .map(|task| {
                let moves = &self.moves[&task.n_rows];
                let mut blocks: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
                for i in (0..found.len()).filter(|&i| Some(i) != absent) {
                    let class = moves[found[i] * self.n_widths + rival[i]];
                    blocks.entry(class).or_default().push(i);
                }
                let squares: Vec<f64> = blocks
                    .values()
                    .map(|block| task.pairs.squared_length(block, found))
                    .collect();
                let sum: f64 = squares.iter().sum();
                let own: f64 = squares.iter().map(|square| square * square).sum();
                0.5 * (sum * sum - own).max(0.0) / (task.n_rows - 1) as f64
            })
            .sum();
        let total = &self.tables.total;
        let gain = total.sum(found, absent) - total.sum(rival, absent);
        let tolerance = total.tolerance();
        if gain.abs() <= tolerance || variance.sqrt() <= tolerance {
            return 0.0;
        }
        gain / variance.sqrt()
    }
}

fn classes(n: usize, widths: &[NonZeroUsize]) -> Vec<usize> {
    let mut numbers: HashMap<Vec<usize>, usize> = HashMap::new();
    let mut classes = Vec::with_capacity(widths.len() * widths.len());
    for &from in widths {
        for &to in widths {
            let documents = order(n, to);
            let moved = (0..n)
                .map(|document| documents[position(n, from, document)])
                .collect();
            let next = numbers.len();
            classes.push(*numbers.entry(moved).or_insert(next));
        }
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_whose_ratio_is_equal_move_alike_where_they_divide_the_length() {
        let widths: Vec<_> = [1, 2, 4, 8]
            .into_iter()
            .filter_map(NonZeroUsize::new)
            .collect();
        let class = |classes: &[usize], from: usize, to: usize| classes[from * 4 + to];
        // Is one to two ranks as two to four, and that as four to eight? 4 divides 188 and 8 does not.
        for (n, first, second) in [
            (12_032, true, true),
            (256, true, true),
            (255, true, true),
            (187, true, false),
            (250, false, false),
        ] {
            let classes = classes(n, &widths);
            assert_eq!(
                class(&classes, 0, 0),
                class(&classes, 3, 3),
                "n = {n}: nothing moves"
            );
            assert_eq!(
                class(&classes, 0, 1) == class(&classes, 1, 2),
                first,
                "n = {n}"
            );
            assert_eq!(
                class(&classes, 1, 2) == class(&classes, 2, 3),
                second,
                "n = {n}"
            );
            assert_ne!(class(&classes, 0, 1), class(&classes, 0, 2), "n = {n}");
        }
    }
}
