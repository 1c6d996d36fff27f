//! The choice of k by some of the rows, each left out of a search among all others.

use ndarray::{Array2, ArrayView2, Axis, s};
use rand::{SeedableRng as _, seq::index};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{
    means::{RunningMean, known_means},
    params::{KnnParams, grown_for},
    target::{CvScore, Target},
};
use crate::{
    Result, RoutingCosts, UnitRows,
    neighbors::{NeighborLists, nearest_by_products_of_others},
    prepared::difference_error,
    r2::{R2Sums, uniform_average},
    routing_gain::Judge,
    row_groups::row_groups,
};

/// Some rows, each with its nearest among all rows that it does not stay together with.
#[derive(Debug)]
pub(super) struct SampledRows {
    /// Ascending.
    rows: Vec<usize>,
    ks: Vec<usize>,
    lists: NeighborLists,
}

/// A criterion over sampled rows.
#[derive(Debug, Clone, Copy)]
struct Estimate {
    value: f64,
    standard_error: f64,
}

impl SampledRows {
    /// Draws the rows by the seed and searches for them. `None` where so few rows stay apart that no k is allowed. `on_progress` counts all rows.
    pub(super) fn search(
        rows: &UnitRows,
        groups: Option<&[usize]>,
        params: &KnnParams,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Option<Self>> {
        let n_rows = rows.n_rows();
        // Copies of a prompt would be each other's nearest, and say that the smallest k is the best.
        let groups = row_groups(rows, groups)?;
        let mut group_sizes = vec![0_usize; n_rows];
        for row in 0..n_rows {
            group_sizes[groups.as_ref().map_or(row, |groups| groups[row])] += 1;
        }
        let n_others = n_rows - group_sizes.iter().max().copied().unwrap_or(0);
        let n_queries = params.tune_queries.min(n_rows);
        let mut ks = grown_for(&params.n_neighbors, n_rows, n_queries);
        ks.retain(|&k| k <= n_others);
        if ks.is_empty() || n_queries < 2 {
            on_progress(n_rows as u64);
            return Ok(None);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(params.seed);
        let mut sampled = index::sample(&mut rng, n_rows, n_queries).into_vec();
        sampled.sort_unstable();
        let queries = rows.select(&sampled);
        let is_other = |query: usize, row: u32| match &groups {
            Some(groups) => groups[sampled[query]] != groups[row as usize],
            None => sampled[query] != row as usize,
        };
        let lists = nearest_by_products_of_others(&queries, rows, &ks, on_progress, is_other);
        on_progress((n_rows - n_queries) as u64);
        Ok(Some(Self {
            rows: sampled,
            ks,
            lists,
        }))
    }

    /// How many rows were searched for.
    pub(super) fn n_queries(&self) -> usize {
        self.rows.len()
    }

    /// For each target the first k with the best R2 of its sampled rows, and the table. `learned` are the targets that neighbors are averaged over.
    pub(super) fn by_r2(
        &self,
        targets: &[Target],
        learned: &[Target],
    ) -> Vec<(Option<usize>, Vec<CvScore>)> {
        let of_target = |target: usize| {
            let mut table = Vec::new();
            self.each_k(&targets[target], &learned[target], |score, _| {
                table.push(score);
            });
            (super::fit::best(&table), table)
        };
        (0..targets.len()).map(of_target).collect()
    }

    /// The same for scores by what routing gains, and for costs by the least error of differences between LLMs.
    pub(super) fn by_gain(
        &self,
        targets: &[Target],
        learned: &[Target],
        costs: &RoutingCosts<'_>,
        n_folds: usize,
    ) -> Result<Vec<(Option<usize>, Vec<CvScore>)>> {
        let truth_of = |target: usize| targets[target].values.select(Axis(0), &self.rows);
        let cost = (targets.len() > 1).then(|| {
            let (mut table, mut best, mut least) = (Vec::new(), None, f64::INFINITY);
            let truth = truth_of(1);
            self.each_k(&targets[1], &learned[1], |mut score, predicted| {
                let error = difference_estimate(truth.view(), predicted.view());
                score.difference_error = Some(error.value);
                score.standard_error = Some(error.standard_error);
                // A value that is not defined is never the least.
                if error.value < least {
                    (best, least) = (Some((score.n_neighbors, predicted)), error.value);
                }
                table.push(score);
            });
            (best, table)
        });
        let predicted_cost = cost.as_ref().and_then(|(best, _)| best.as_ref());
        let predicted_cost = predicted_cost.map(|(_, sampled)| {
            // Dollars are computed of all rows.
            let mut all = Array2::from_elem(targets[1].values.dim(), f32::NAN);
            for (&row, sampled) in self.rows.iter().zip(sampled.outer_iter()) {
                all.row_mut(row).assign(&sampled.mapv(|it| it as f32));
            }
            all
        });
        let predicted_usd = match (&cost, predicted_cost) {
            // Nothing is known of costs, so nothing is predicted of them either.
            (Some(_), None) => Array2::from_elem(costs.cost_usd.dim(), f64::NAN),
            (_, predicted) => costs.predicted(predicted.as_ref())?,
        };
        let predicted_usd = predicted_usd.select(Axis(0), &self.rows);
        let of_sampled = |all: ArrayView2<'_, f64>| all.select(Axis(0), &self.rows);
        let cost_usd = of_sampled(costs.cost_usd);
        let inverse_propensities = costs.inverse_propensities.map(of_sampled);
        let sampled_costs = RoutingCosts {
            cost_usd: cost_usd.view(),
            predicted_usd: costs.predicted_usd,
            inverse_propensities: inverse_propensities.as_ref().map(Array2::view),
        };
        // Which LLM is the best without routing is from other rows than it is judged by.
        let fold_of_row: Vec<usize> = (0..self.rows.len()).map(|i| i % n_folds).collect();
        let truth = truth_of(0);
        let judge = Judge::new(truth.view(), &sampled_costs, &fold_of_row);
        let (mut table, mut best, mut highest) = (Vec::new(), None, f64::NEG_INFINITY);
        self.each_k(&targets[0], &learned[0], |mut score, predicted| {
            let gain = judge.gain(predicted.view(), predicted_usd.view());
            score.mean_gain = Some(gain.mean);
            score.standard_error = Some(gain.standard_error);
            if gain.mean > highest {
                (best, highest) = (Some(score.n_neighbors), gain.mean);
            }
            table.push(score);
        });
        let cost = cost.map(|(best, table)| (best.map(|(k, _)| k), table));
        Ok(std::iter::once((best, table)).chain(cost).collect())
    }

    /// Hands over each k's R2 and its predictions for the sampled rows.
    fn each_k(
        &self,
        target: &Target,
        learned: &Target,
        mut visit: impl FnMut(CvScore, Array2<f64>),
    ) {
        let truth = target.values.select(Axis(0), &self.rows);
        let values = learned.values.as_standard_layout();
        let n_outputs = values.ncols();
        let fallbacks = self.fallbacks(values.view());
        let n_queries = self.rows.len();
        // Neighbors of a larger k are added to those of a smaller one.
        let mut sums: Vec<RunningMean> = (0..n_queries)
            .map(|_| RunningMean::new(n_outputs))
            .collect();
        let mut start = 0;
        for &k in &self.ks {
            let mut predicted = Array2::zeros((n_queries, n_outputs));
            let rows = predicted.as_slice_mut().expect("it was made row by row");
            rows.par_chunks_mut(n_outputs)
                .zip(&mut sums)
                .enumerate()
                .for_each(|(query, (predicted, mean))| {
                    mean.add(&self.lists.of(query)[start..k], values.view());
                    for (output, predicted) in predicted.iter_mut().enumerate() {
                        *predicted = (mean.get(output)).unwrap_or(fallbacks[[query, output]]);
                    }
                });
            start = k;
            let r2 = r2_estimate(truth.view(), predicted.view());
            let score = CvScore {
                n_neighbors: k,
                mean_r2: r2.value,
                mean_gain: None,
                difference_error: None,
                prior_values: None,
                standard_error: Some(r2.standard_error),
            };
            visit(score, predicted);
        }
    }

    /// The mean of each output over all rows but the query's own, NaN where it is known in none.
    fn fallbacks(&self, values: ArrayView2<'_, f32>) -> Array2<f64> {
        let means = known_means(&values, 0..values.nrows());
        let n_known: Vec<f64> = (values.axis_iter(Axis(1)))
            .map(|output| output.iter().filter(|it| !it.is_nan()).count() as f64)
            .collect();
        Array2::from_shape_fn((self.rows.len(), values.ncols()), |(query, output)| {
            let (own, n) = (values[[self.rows[query], output]], n_known[output]);
            match own.is_nan() {
                true => means[output],
                false if n > 1.0 => (means[output] * n - f64::from(own)) / (n - 1.0),
                false => f64::NAN,
            }
        })
    }
}

/// R2 over rows, the mean of the outputs', with its standard error by the influences of the rows:
///
/// ```text
/// R2_m      = 1 - S_m / T_m           S_m: sum of e_i = (y - prediction)^2;  T_m: sum of t_i = (y - mean y)^2
/// psi_i     = mean over outputs m of (e_i - S_m / T_m t_i) / T_m
/// s^2       = sum over rows of psi_i^2
/// ```
fn r2_estimate(truth: ArrayView2<'_, f32>, predicted: ArrayView2<'_, f64>) -> Estimate {
    let is_known = |row: usize, output: usize| {
        !truth[[row, output]].is_nan() && !predicted[[row, output]].is_nan()
    };
    let (n_rows, n_outputs) = truth.dim();
    let mut all = vec![R2Sums::default(); n_outputs];
    for (output, sums) in all.iter_mut().enumerate() {
        for row in (0..n_rows).filter(|&row| is_known(row, output)) {
            sums.add(truth[[row, output]], predicted[[row, output]]);
        }
    }
    let mut influences = vec![0.0; n_rows];
    let n_defined = all.iter().filter(|it| it.score().is_some()).count();
    for (output, sums) in all.iter().enumerate() {
        let mean = sums.sum / f64::from(sums.n);
        let total = sums.sum_of_squares - sums.sum * mean;
        // Of a constant output the score is 0 or 1, whichever rows were drawn.
        let is_varied = total > sums.sum_of_squares * f64::EPSILON * f64::from(sums.n);
        if sums.score().is_none() || !is_varied {
            continue;
        }
        let share = sums.squared_error / total;
        for row in (0..n_rows).filter(|&row| is_known(row, output)) {
            let y = f64::from(truth[[row, output]]);
            let error = (y - predicted[[row, output]]).powi(2);
            influences[row] += (error - share * (y - mean).powi(2)) / (total * n_defined as f64);
        }
    }
    Estimate {
        value: uniform_average(all.iter()).unwrap_or(f64::NAN),
        standard_error: influences.iter().map(|it| it * it).sum::<f64>().sqrt(),
    }
}

/// [`difference_error`] with its standard error, as a ratio of sums over rows.
fn difference_estimate(truth: ArrayView2<'_, f32>, predicted: ArrayView2<'_, f64>) -> Estimate {
    let value = difference_error(truth, predicted);
    let (mut squares, mut total) = (0.0, 0.0);
    for row in 0..truth.nrows() {
        let of_row = difference_error(
            truth.slice(s![row..=row, ..]),
            predicted.slice(s![row..=row, ..]),
        );
        if of_row.is_nan() {
            continue;
        }
        let known = truth.row(row).into_iter().zip(predicted.row(row));
        let n = known.filter(|(y, p)| !y.is_nan() && !p.is_nan()).count() as f64;
        squares += (n * (of_row - value)).powi(2);
        total += n;
    }
    Estimate {
        value,
        standard_error: squares.sqrt() / total,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use rand::Rng as _;

    use super::*;

    #[test]
    fn standard_errors_are_those_of_samples() {
        // Many samples of 400 rows: the deviation of their R2 is what one of them says of itself.
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut found = Vec::new();
        let mut told = 0.0;
        const N_SAMPLES: usize = 400;
        for _ in 0..N_SAMPLES {
            let signal = Array2::from_shape_simple_fn((400, 2), || rng.random_range(-1.0..1.0));
            let noise: Array2<f64> =
                Array2::from_shape_simple_fn((400, 2), || rng.random_range(-1.5..1.5));
            let truth = (&signal + &noise).mapv(|it| it as f32);
            let r2 = r2_estimate(truth.view(), signal.view());
            found.push(r2.value);
            told += r2.standard_error / N_SAMPLES as f64;
        }
        let mean = found.iter().sum::<f64>() / N_SAMPLES as f64;
        let variance: f64 = found.iter().map(|it| (it - mean).powi(2)).sum();
        let deviation = (variance / N_SAMPLES as f64).sqrt();
        assert!((told / deviation - 1.0).abs() < 0.15, "{told}, {deviation}");
    }

    #[test]
    fn the_error_of_differences_by_hand() {
        let truth = array![[0.0_f32, 1.0], [1.0, 1.0], [f32::NAN, 1.0]];
        let predicted = array![[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]];
        let found = difference_estimate(truth.view(), predicted.view());
        // Two rows that know both: errors (0, -1) less their mean, squared: .25 each; the other row's is 0.
        assert_eq!(found.value, 0.125);
    }
}
