/// Columns at most: what each of four learners says of all LLMs alike, and its differences from that; 2^8 sets of them are tried.
const MAX: usize = 8;

/// What is left of a diagonal entry, relative to it, below which a column is a sum of the others.
const DEPENDENT: f64 = 1e-10;

/// Sums of products for a least-squares problem of a few columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NormalEquations {
    /// Of columns with columns.
    pub(super) gram: [[f64; MAX]; MAX],
    /// Of columns with the truth.
    pub(super) moments: [f64; MAX],
}

impl NormalEquations {
    /// Takes a row.
    pub(super) fn add(&mut self, columns: &[f64], truth: f64, weight: f64) {
        for (i, &x) in columns.iter().enumerate() {
            for (j, &y) in columns.iter().enumerate() {
                self.gram[i][j] += weight * x * y;
            }
            self.moments[i] += weight * x * truth;
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for i in 0..MAX {
            for j in 0..MAX {
                self.gram[i][j] += other.gram[i][j];
            }
            self.moments[i] += other.moments[i];
        }
    }

    /// The weights, at least 0, with the least sum of squares.
    ///
    /// Exact: the columns that have weight in a solution can be chosen independent, and the solution is then the plain least-squares fit of just
    /// those; so all sets of columns are tried. Of equally good sets the first counts, fewer columns before more.
    pub(super) fn solve(&self, n_columns: usize) -> Vec<f64> {
        assert!(n_columns <= MAX, "at most {MAX} columns are weighed");
        let mut sets: Vec<u32> = (1..1 << n_columns).collect();
        sets.sort_by_key(|set| set.count_ones());
        let (mut best, mut largest) = (vec![0.0; n_columns], 0.0);
        for set in sets {
            let columns: Vec<usize> = (0..n_columns).filter(|i| set & (1 << i) != 0).collect();
            let Some(solution) = self.solve_for(&columns) else {
                continue;
            };
            if solution.iter().any(|&weight| weight <= 0.0) {
                continue;
            }
            // What the fit takes off the sum of squares.
            let explained: f64 = columns
                .iter()
                .zip(&solution)
                .map(|(&i, weight)| weight * self.moments[i])
                .sum();
            if explained > largest {
                best.fill(0.0);
                for (&i, &weight) in columns.iter().zip(&solution) {
                    best[i] = weight;
                }
                largest = explained;
            }
        }
        best
    }

    /// The plain least-squares fit of some columns, by Cholesky; `None` where they depend on each other.
    fn solve_for(&self, columns: &[usize]) -> Option<Vec<f64>> {
        let n = columns.len();
        let mut factor = vec![vec![0.0; n]; n];
        for i in 0..n {
            for j in 0..=i {
                let products: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
                let rest = self.gram[columns[i]][columns[j]] - products;
                if i == j {
                    let least = DEPENDENT * self.gram[columns[i]][columns[i]];
                    if rest.is_nan() || rest <= least {
                        return None;
                    }
                    factor[i][i] = rest.sqrt();
                } else {
                    factor[i][j] = rest / factor[j][j];
                }
            }
        }
        let mut solution = vec![0.0; n];
        for i in 0..n {
            let known: f64 = (0..i).map(|k| factor[i][k] * solution[k]).sum();
            solution[i] = (self.moments[columns[i]] - known) / factor[i][i];
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|k| factor[k][i] * solution[k]).sum();
            solution[i] = (solution[i] - known) / factor[i][i];
        }
        Some(solution)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn equations(rows: &[(Vec<f64>, f64)]) -> NormalEquations {
        let mut equations = NormalEquations::default();
        for (columns, truth) in rows {
            equations.add(columns, *truth, 1.0);
        }
        equations
    }

    #[test]
    fn weights_by_hand() {
        // y = 2 a + .5 b.
        let rows = [(vec![1.0, 0.0], 2.0), (vec![0.0, 1.0], 0.5)];
        assert_eq!(equations(&rows).solve(2), [2.0, 0.5]);
        // y = a - b: b would be negative, so a alone: 1 / 1.
        let rows = [(vec![1.0, 0.0], 1.0), (vec![0.0, 1.0], -1.0)];
        assert_eq!(equations(&rows).solve(2), [1.0, 0.0]);
        // Against everything: nothing.
        let rows = [(vec![1.0, 1.0], -1.0)];
        assert_eq!(equations(&rows).solve(2), [0.0; 2]);
    }

    #[test]
    fn equal_and_empty_columns_do_no_harm() {
        let rows = [(vec![1.0, 1.0, 0.0], 3.0), (vec![2.0, 2.0, 0.0], 6.0)];
        let weights = equations(&rows).solve(3);
        assert!((weights[0] - 3.0).abs() < 1e-12 && weights[1..] == [0.0; 2]);
        assert_eq!(NormalEquations::default().solve(4), [0.0; 4]);
        let rows = [(vec![f64::NAN, 1.0], 1.0)];
        assert_eq!(equations(&rows).solve(2)[0], 0.0);
    }

    proptest! {
        /// The conditions of Karush, Kuhn and Tucker: a solution has no gradient along its columns, and none downwards along the others.
        #[test]
        fn no_better_weights_exist(rows in prop::collection::vec((prop::collection::vec(-1.0..1.0_f64, 4), -1.0..1.0_f64), 6..20)) {
            let equations = equations(&rows);
            let weights = equations.solve(4);
            for i in 0..4 {
                let gradient: f64 = (0..4).map(|j| equations.gram[i][j] * weights[j]).sum::<f64>() - equations.moments[i];
                prop_assert!(weights[i] >= 0.0);
                if weights[i] > 0.0 {
                    prop_assert!(gradient.abs() < 1e-6, "{gradient}");
                } else {
                    prop_assert!(gradient > -1e-6, "{gradient}");
                }
            }
        }
    }
}
