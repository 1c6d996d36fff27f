use std::collections::BTreeMap;

use ndarray::Array2;

use crate::{
    Error, Point, Result, Router, Truth,
    baseline::{best_single, single_models},
    choice::{COST_MULTIPLIER, decisions},
    metric::formulas::SAME_ACCURACY,
};

/// LLMRouterBench's numbers of a router (arXiv 2601.07206), NaN where one is not defined.
///
/// ```text
/// acc_d(A)   mean score of A on data set d            A(d, mu): the router at a weight of cost mu; b: the best single LLM
/// acc(A)     mean of acc_d(A) over data sets          b: the LLM with the highest acc, in hindsight
/// AvgAcc     acc(router at mu 0)
/// Gain@R     mean over d of acc_d(router at mu 0) / acc_d(random) - 1
/// Gain@B     mean over d of acc_d(router at mu 0) / acc_d(b) - 1
/// Gap@O      mean over d of 1 - acc_d(router at mu 0) / acc_d(oracle)
/// PerfGain   max over settings of acc(router) / acc(b) - 1
/// CostSave   1 - least cost of a setting with acc(router) >= acc(b), over the cost of b
/// ParetoDist mean over the router's settings of the distance to the nearest point of the Pareto frontier
/// ```
///
/// The data sets are the tasks of a table. Random is what choosing any LLM with the same probability is expected to give; the oracle is right where any
/// LLM has a score above 0. The frontier is of all settings of all routers and of the single LLMs; before distances are taken, costs and accuracies of all these are
/// brought to [0, 1], each from its least to its largest.
///
/// From LLMRouterBench's README and its published results (ynulihao/LLMRouterBench at 0e267fb): its code has the accuracies of random, best and
/// oracle (baselines/aggregators.py), and none of these numbers. That Gain@ and Gap@ are means over data sets follows from its tables: Gain@B of
/// 71.24 and of 71.94 in AvgAcc are .054 and .067, which have no common best single LLM. Nothing says how ParetoDist brings dollars and accuracies
/// together; this is the usual way.
///
/// # Deviations
/// Its random router draws one LLM for each prompt (Python's `Random(42)`); here is the expectation. Settings are all of the exact curve, not a grid's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RouterBench {
    /// Mean accuracy over data sets.
    pub avg_acc: f64,
    /// Relative gain over choosing at random.
    pub gain_at_random: f64,
    /// Relative gain over the best single LLM.
    pub gain_at_best: f64,
    /// Relative gap to the oracle; less is better.
    pub gap_at_oracle: f64,
    /// Relative gain of the most accurate setting over the best single LLM.
    pub perf_gain: f64,
    /// What is saved at no less than the best single LLM's accuracy; negative where that takes more than it costs, NaN where it is never reached.
    pub cost_save: f64,
    /// Mean distance to the Pareto frontier; less is better.
    pub pareto_dist: f64,
}

impl RouterBench {
    /// The names in CSV files with the numbers, in the order of tables, and whether each is an optimum over the prompts that measure it.
    pub fn named(&self) -> [(&'static str, f64, bool); 7] {
        [
            ("llm_router_bench_avg_acc", self.avg_acc, false),
            (
                "llm_router_bench_gain_at_random",
                self.gain_at_random,
                false,
            ),
            ("llm_router_bench_gain_at_best", self.gain_at_best, false),
            ("llm_router_bench_gap_at_oracle", self.gap_at_oracle, false),
            ("llm_router_bench_perf_gain", self.perf_gain, true),
            ("llm_router_bench_cost_save", self.cost_save, true),
            ("llm_router_bench_pareto_dist", self.pareto_dist, true),
        ]
    }
}

/// LLMRouterBench's numbers of some routers; `tasks` has one number per prompt, equal for prompts of one data set. What is about mu 0 is NaN for a
/// router of a pair, and for the zero router. `None` where a score or a cost is unknown, which its tables never have.
///
/// # Errors
/// [`Error::Shape`] when there is not one task per prompt; as for [`Router::curve`].
pub fn router_bench(
    truth: &Truth<'_>,
    tasks: &[usize],
    routers: &[Router<'_>],
) -> Result<Option<Vec<RouterBench>>> {
    if tasks.len() != truth.n_prompts() {
        return Err(Error::Shape {
            what: "tasks",
            expected: (truth.n_prompts(), 1),
            found: (tasks.len(), 1),
        });
    }
    if truth.known_share() < 1.0 {
        return Ok(None);
    }
    let sets = DataSets::new(tasks);
    let (scores, cost_usd) = truth.views();
    // The mean over prompts of scores that are so weighted is the mean over data sets.
    let weighted = Array2::from_shape_fn(scores.dim(), |(prompt_idx, model_idx)| {
        (f64::from(scores[[prompt_idx, model_idx]]) * sets.weight(prompt_idx)) as f32
    });
    let by_set = Truth::new(weighted.view(), cost_usd.view())?;
    // In the same arithmetic as the curves, so that a setting which is the best single LLM has its accuracy.
    let (best_idx, best) = best_single(&by_set).expect("every score is known");
    let singles: Vec<Point> = single_models(&by_set).into_iter().flatten().collect();
    let references = References {
        random: sets.means(|prompt_idx| {
            let of_prompt = scores.row(prompt_idx);
            of_prompt.iter().map(|&score| f64::from(score)).sum::<f64>() / of_prompt.len() as f64
        }),
        best: sets.means(|prompt_idx| f64::from(scores[[prompt_idx, best_idx]])),
        oracle: sets.means(|prompt_idx| {
            f64::from(u8::from(
                scores.row(prompt_idx).iter().any(|&score| score > 0.0),
            ))
        }),
    };
    let mut curves = Vec::with_capacity(routers.len());
    for router in routers {
        curves.push(router.curve(&by_set)?.to_points());
    }
    let frontier = Frontier::of(curves.iter().flatten().chain(&singles).copied());
    let mut found = Vec::with_capacity(routers.len());
    for (router, points) in routers.iter().zip(&curves) {
        let accuracies = match *router {
            Router::PerModel { predicted, .. } => {
                let chosen = decisions(truth, predicted, 0.0, COST_MULTIPLIER)?;
                // A prompt without a prediction has no score; it counts as wrong.
                let score = |prompt_idx: usize| {
                    chosen[prompt_idx]
                        .map_or(0.0, |model_idx| f64::from(scores[[prompt_idx, model_idx]]))
                };
                Some(sets.means(score))
            }
            Router::Pair { .. } | Router::Zero => None,
        };
        let of_sets = |of: &dyn Fn(&[f64]) -> f64| accuracies.as_deref().map_or(f64::NAN, of);
        let most = points
            .iter()
            .map(|point| point.accuracy)
            .fold(f64::NAN, f64::max);
        let reached = points
            .iter()
            .filter(|point| point.accuracy >= best.accuracy - SAME_ACCURACY);
        let least_usd = reached.map(|point| point.cost_usd).fold(f64::NAN, f64::min);
        found.push(RouterBench {
            avg_acc: of_sets(&mean),
            gain_at_random: of_sets(&|found| mean_ratio(found, &references.random) - 1.0),
            gain_at_best: of_sets(&|found| mean_ratio(found, &references.best) - 1.0),
            gap_at_oracle: of_sets(&|found| 1.0 - mean_ratio(found, &references.oracle)),
            perf_gain: ratio(most, best.accuracy) - 1.0,
            cost_save: 1.0 - ratio(least_usd, best.cost_usd),
            pareto_dist: frontier.mean_distance(points),
        });
    }
    Ok(Some(found))
}

/// Accuracies on each data set.
struct References {
    random: Vec<f64>,
    best: Vec<f64>,
    oracle: Vec<f64>,
}

/// Which prompts are of one data set.
struct DataSets {
    of_prompt: Vec<usize>,
    n_prompts: Vec<usize>,
}

impl DataSets {
    fn new(tasks: &[usize]) -> Self {
        let mut numbers = BTreeMap::new();
        let of_prompt: Vec<usize> = tasks
            .iter()
            .map(|task| {
                let next = numbers.len();
                *numbers.entry(task).or_insert(next)
            })
            .collect();
        let mut n_prompts = vec![0; numbers.len()];
        of_prompt.iter().for_each(|&set| n_prompts[set] += 1);
        Self {
            of_prompt,
            n_prompts,
        }
    }

    /// What a prompt counts, so that each data set counts the same and all prompts count 1 in the mean.
    fn weight(&self, prompt_idx: usize) -> f64 {
        let of_set = self.n_prompts[self.of_prompt[prompt_idx]] as f64;
        self.of_prompt.len() as f64 / (self.n_prompts.len() as f64 * of_set)
    }

    /// The mean of one number per prompt on each data set.
    fn means(&self, of: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.n_prompts.len()];
        for (prompt_idx, &set) in self.of_prompt.iter().enumerate() {
            sums[set] += of(prompt_idx);
        }
        let means = sums.iter().zip(&self.n_prompts);
        means.map(|(sum, &n)| sum / n as f64).collect()
    }
}

/// Points that no other is at once cheaper than and more accurate, on scaled axes.
struct Frontier {
    /// Least and largest cost, then accuracy.
    ends: [[f64; 2]; 2],
    /// By cost.
    points: Vec<[f64; 2]>,
}

impl Frontier {
    fn of(points: impl Iterator<Item = Point>) -> Self {
        let mut points: Vec<Point> = points.collect();
        points.sort_by(|a, b| {
            (a.cost_usd.total_cmp(&b.cost_usd)).then(b.accuracy.total_cmp(&a.accuracy))
        });
        let ends = |of: fn(&Point) -> f64| {
            let values = points.iter().map(of);
            values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
                [low.min(value), high.max(value)]
            })
        };
        let mut this = Self {
            ends: [ends(|point| point.cost_usd), ends(|point| point.accuracy)],
            points: Vec::new(),
        };
        let mut highest = f64::NEG_INFINITY;
        for point in points {
            if point.accuracy > highest {
                highest = point.accuracy;
                this.points.push(this.scaled(&point));
            }
        }
        this
    }

    fn scaled(&self, point: &Point) -> [f64; 2] {
        let scaled = |value: f64, [low, high]: [f64; 2]| match high > low {
            true => (value - low) / (high - low),
            false => 0.0,
        };
        [
            scaled(point.cost_usd, self.ends[0]),
            scaled(point.accuracy, self.ends[1]),
        ]
    }

    fn mean_distance(&self, points: &[Point]) -> f64 {
        let distances: Vec<f64> = points
            .iter()
            .map(|point| {
                let [cost, accuracy] = self.scaled(point);
                let to = |&[x, y]: &[f64; 2]| (x - cost).hypot(y - accuracy);
                self.points.iter().map(to).fold(f64::INFINITY, f64::min)
            })
            .collect();
        mean(&distances)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// NaN over 0, of which nothing is a multiple.
fn ratio(value: f64, of: f64) -> f64 {
    match of > 0.0 {
        true => value / of,
        false => f64::NAN,
    }
}

fn mean_ratio(found: &[f64], of: &[f64]) -> f64 {
    let ratios: Vec<f64> = found
        .iter()
        .zip(of)
        .map(|(&found, &of)| ratio(found, of))
        .collect();
    mean(&ratios)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::Predicted;

    /// Two data sets of two and one prompts; LLM 0 is cheap, LLM 1 dear and better in the mean over data sets.
    #[test]
    fn numbers_by_hand() {
        let scores = array![[1.0_f32, 0.0], [0.0, 1.0], [0.0, 1.0]];
        let costs = array![[1.0, 4.0], [1.0, 4.0], [1.0, 4.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        // Right on all prompts at mu 0.
        let predicted = Predicted::new(scores.view(), costs.view()).expect("predictions");
        let router = Router::PerModel {
            predicted,
            pair: None,
        };
        let found = router_bench(&truth, &[7, 7, 3], &[router])
            .expect("measured")
            .expect("complete");
        // Sets: random .5 and .5, best (LLM 1) .5 and 1, oracle 1 and 1, the router 1 and 1.
        let [found] = found[..] else {
            panic!("one router")
        };
        assert_eq!(found.avg_acc, 1.0);
        assert_eq!(found.gain_at_random, 1.0);
        assert_eq!(found.gain_at_best, 0.5);
        assert_eq!(found.gap_at_oracle, 0.0);
        assert!((found.perf_gain - (1.0 / 0.75 - 1.0)).abs() < 1e-6);
        // Its curve is (3, 1), then only LLM 0 at (1, .25): LLM 1's .75 takes 3 of its 4 dollars.
        assert!((found.cost_save - 0.25).abs() < 1e-12);
        assert_eq!(found.pareto_dist, 0.0);
    }

    #[test]
    fn what_is_not_there_is_not_defined() {
        let scores = array![[0.0_f32, 0.0], [0.0, 1.0]];
        let costs = array![[1.0, 2.0], [1.0, 2.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let cheap = array![[1.0_f32, 0.0], [1.0, 0.0]];
        let predicted = Predicted::new(cheap.view(), costs.view()).expect("predictions");
        let router = Router::PerModel {
            predicted,
            pair: None,
        };
        let of = |tasks: &[usize]| router_bench(&truth, tasks, &[router, Router::Zero]);
        let found = of(&[0, 1]).expect("measured").expect("complete");
        // On the first data set nobody is right, so no gain over anybody is defined; the second router has no choice at mu 0.
        assert!(found[0].gain_at_random.is_nan() && found[0].gap_at_oracle.is_nan());
        assert_eq!((found[0].avg_acc, found[0].perf_gain), (0.0, -1.0));
        assert!(found[0].cost_save.is_nan() && found[1].avg_acc.is_nan());
        assert!(matches!(of(&[0]), Err(Error::Shape { what: "tasks", .. })));
        let unknown = array![[0.0_f32, f32::NAN], [0.0, 1.0]];
        let truth = Truth::new(unknown.view(), costs.view()).expect("a truth");
        assert_eq!(router_bench(&truth, &[0, 1], &[router]), Ok(None));
    }
}
