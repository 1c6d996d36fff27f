//! Running a study: draws, fits, excess risks.

use dataset::{RateCurve, RatePoint, RateProblem, RateStudy, Source, router_names::CARROT_KNN};
use ndarray::{Array2, Axis};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use routers::grown_neighbors;

use crate::{
    Result,
    predicted::predicted_excess_risk,
    problem::{N_LLMS, N_OUTPUTS, Problem},
    settings::{Case, ShippedRuleParams, Study},
    slope::{self, Bootstrap, PowerLaw, power_law},
};

/// Of each output the means over that number of neighbors whose squared error over all prompts is least, of equal ones the first.
///
/// # Deviations
/// The shipped rule cross-validates over the rows that it is fitted on. Here errors are taken against the expectations of the fresh prompts, which is what
/// cross-validation over many rows comes to; a search for each row's neighbors would cost n / 1,024 times all else.
fn with_chosen_ks(
    problem: &Problem,
    prompts: &Array2<f64>,
    of_candidates: &[Array2<f64>],
) -> Array2<f64> {
    let expected: Vec<[f64; N_OUTPUTS]> = prompts
        .rows()
        .into_iter()
        .map(|prompt| {
            let expectations = problem.expectations(prompt);
            std::array::from_fn(|output| expectations[output / 2][output % 2])
        })
        .collect();
    let mut chosen = Array2::zeros((prompts.nrows(), N_OUTPUTS));
    for (output, mut column) in chosen.columns_mut().into_iter().enumerate() {
        let error = |means: &Array2<f64>| -> f64 {
            let errors = means.column(output).into_iter().zip(&expected);
            errors
                .map(|(mean, expected)| (mean - expected[output]).powi(2))
                .sum()
        };
        let best = of_candidates
            .iter()
            .min_by(|a, b| error(a).total_cmp(&error(b)))
            .expect("checked settings have candidates");
        column.assign(&best.column(output));
    }
    chosen
}

/// The routers, in the order of a problem's curves.
pub const ROUTERS: [&str; 4] = [CARROT_KNN, ONE_NEIGHBOR, RANDOM, CHOSEN_K];
/// CARROT (KNN) with one neighbor: its noise never falls, and neither does its risk.
pub const ONE_NEIGHBOR: &str = "1-nn";
/// A choice that looks at nothing.
pub const RANDOM: &str = "random";
/// CARROT (KNN) with k by the rule that ships: for each score and cost the candidate of the least squared error.
pub const CHOSEN_K: &str = "carrot-knn-chosen-k";

/// Mean excess risk of each router over the test points of one repetition.
type ExcessRisks = [f64; ROUTERS.len()];

/// One repetition of one case with `2^log2_n` rows.
#[derive(Debug, Clone, Copy)]
struct Task {
    case: usize,
    log2_n: u32,
    repetition: usize,
}

impl Study {
    /// Runs all repetitions, on all threads; the result depends on the seed alone. `on_progress` counts repetitions.
    ///
    /// Each repetition draws a training set and test points of its own, from a random stream of its own, so that adding sizes, problems or
    /// repetitions changes no other. A thread holds the training set of its repetition and what its search makes of it, of the order of n numbers.
    ///
    /// # Errors
    /// [`crate::Error::Search`] or [`crate::Error::Router`] when a library refuses.
    pub fn run(
        &self,
        settings: Source,
        made_by: &str,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<RateStudy> {
        let mut tasks = Vec::with_capacity(self.n_repetitions());
        // The longest first, so that no thread is left with one at the end.
        for log2_n in self.log2_ns().collect::<Vec<_>>().into_iter().rev() {
            for (case, of_case) in self.cases.iter().enumerate().rev() {
                tasks.extend((0..of_case.n_repetitions).map(|repetition| Task {
                    case,
                    log2_n,
                    repetition,
                }));
            }
        }
        let excess_risks = tasks
            .par_iter()
            .with_max_len(1)
            .map(|&task| {
                let excess_risks = self.repeat(task)?;
                on_progress(1);
                Ok((task, excess_risks))
            })
            .collect::<Result<Vec<_>>>()?;
        let ns: Vec<usize> = self.log2_ns().map(|log2_n| 1 << log2_n).collect();
        let problems = self.cases.iter().enumerate().map(|(i, case)| {
            let of = |router: usize| {
                let of_n = |log2_n: u32| {
                    excess_risks
                        .iter()
                        .filter(|(task, _)| task.case == i && task.log2_n == log2_n)
                        .map(|(_, excess_risks)| excess_risks[router])
                        .collect()
                };
                self.log2_ns().map(of_n).collect::<Vec<Vec<f64>>>()
            };
            RateProblem {
                name: case.name.clone(),
                dim: case.problem.dim(),
                smoothness: case.problem.smoothness(),
                margin_exponent: case.problem.margin_exponent(),
                bound_exponent: case.problem.rate(),
                neighbors: case.dimension.neighbors,
                n_repetitions: case.n_repetitions,
                curves: (0..ROUTERS.len())
                    .map(|router| self.curve(case, router, &ns, &of(router)))
                    .collect(),
            }
        });
        Ok(RateStudy {
            made_by: made_by.to_owned(),
            settings,
            seed: self.params.seed,
            mu: self.params.mu,
            level: self.params.level,
            n_test: self.size.n_test,
            fit_from_n: self.fit_from_n(),
            problems: problems.collect(),
        })
    }

    fn fit_from_n(&self) -> usize {
        1 << self.size.fit_from_log2_n
    }

    fn repeat(&self, task: Task) -> Result<ExcessRisks> {
        let case = &self.cases[task.case];
        let problem = &case.problem;
        let mut rng = ChaCha8Rng::seed_from_u64(self.params.seed);
        rng.set_stream(
            (case.stream << 32) | (u64::from(task.log2_n) << 24) | task.repetition as u64,
        );
        let n = 1 << task.log2_n;
        let sample = problem.draw(n, &mut rng);
        let queries = problem.draw_test(self.size.n_test, &mut rng);
        let candidates = self.candidates(n);
        let mut ks = vec![problem.n_neighbors(case.dimension.neighbors, n), 1];
        ks.extend(&candidates);
        let search = case.dimension.search;
        let means = search.means(&sample.points, sample.outputs.view(), &queries, &ks)?;
        let chosen = with_chosen_ks(problem, &queries, &means[2..]);
        let mut sums = ExcessRisks::default();
        for (i, prompt) in queries.axis_iter(Axis(0)).enumerate() {
            let excess = problem.excess(prompt);
            for (sum, means) in sums.iter_mut().zip(&means[..2]) {
                *sum += excess[problem.choose(means.row(i))];
            }
            sums[3] += excess[problem.choose(chosen.row(i))];
            // The expectation over its choice.
            sums[2] += excess.iter().sum::<f64>() / N_LLMS as f64;
        }
        Ok(sums.map(|sum| sum / queries.nrows() as f64))
    }

    /// Numbers of neighbors that the shipped rule chooses from.
    fn candidates(&self, n: usize) -> Vec<usize> {
        let ShippedRuleParams { n_neighbors, grows } = &self.params.shipped_rule;
        let candidates = match grows {
            true => grown_neighbors(n_neighbors, n),
            false => n_neighbors.clone(),
        };
        // As in a fit, where a k above the number of rows means all rows.
        let mut candidates: Vec<usize> = candidates.into_iter().map(|k| k.min(n)).collect();
        candidates.dedup();
        candidates
    }

    fn curve(&self, case: &Case, router: usize, ns: &[usize], values: &[Vec<f64>]) -> RateCurve {
        let bootstrap = Bootstrap {
            level: self.params.level,
            n_resamples: self.params.n_resamples,
            seed: self.params.seed,
        };
        let PowerLaw {
            means,
            exponent,
            weights,
        } = power_law(ns, values, self.fit_from_n(), bootstrap);
        let n_neighbors = |n: usize| match router {
            0 => Some(case.problem.n_neighbors(case.dimension.neighbors, n)),
            1 => Some(1),
            _ => None,
        };
        let predicted: Option<Vec<f64>> = (router == 0).then(|| {
            let of_n = |&n: &usize| {
                let k = case.problem.n_neighbors(case.dimension.neighbors, n);
                predicted_excess_risk(&case.problem, n, k)
            };
            ns.iter().map(of_n).collect()
        });
        let points = ns
            .iter()
            .zip(means)
            .enumerate()
            .map(|(i, (&n, excess_risk))| RatePoint {
                n,
                n_neighbors: n_neighbors(n),
                excess_risk,
                predicted_excess_risk: predicted.as_ref().map(|predicted| predicted[i]),
            });
        let logs: Vec<f64> = ns.iter().map(|&n| (n as f64).ln()).collect();
        let n_left_out = ns.len() - weights.len();
        RateCurve {
            router: ROUTERS[router].to_owned(),
            exponent,
            points: points.collect(),
            predicted_exponent: predicted.and_then(|predicted| {
                slope::exponent(&logs[n_left_out..], &predicted[n_left_out..], &weights)
            }),
        }
    }
}
