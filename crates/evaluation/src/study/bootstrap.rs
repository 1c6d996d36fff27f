use dataset::PairIdx;
use rayon::prelude::*;

use crate::{
    Error, Interval, Point, Result, Router, Truth,
    baseline::{
        ZeroRouter,
        single::{most_accurate, single_models_of},
    },
    curve::{
        CallPoint,
        calls::{call_point, small_preference},
        events::Events,
        hull::sort_by_cost,
    },
    interval::{check_level, difference},
    metric::{Baselines, CostRange, Metric, MetricValues},
};

mod resamples;

pub use self::resamples::Resamples;

/// All metrics of some routers on the test prompts and on each resample of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    /// One per router.
    estimates: Vec<MetricValues>,
    /// One per resample and router, the routers of a resample together.
    resampled: Vec<MetricValues>,
}

/// Measures routers on the test prompts, and again on each resample of them, the same for all routers (a paired bootstrap, Efron 1979).
///
/// In each resample everything is computed again: curves, the best single LLM, the zero router, and the range of costs for areas, which is the
/// least that holds all routers and LLMs. So each number of one router depends on which others it is measured with, as those metrics do. What
/// was *predicted* stays: the intervals speak of chance in the test prompts, not in training, with which they would be 1.1 to 1.2 times as wide.
/// A p-value from `B` resamples is at least `1 / (B + 1)`, see [`crate::worth::one_sided_p`].
///
/// A router's changes are sorted once, whatever the resamples: a prompt that is drawn twice changes twice. Each resample then costs one sweep
/// over the `e` changes, and putting the `e` points in order of cost, where nearly all are already. Resamples run in parallel; each has its
/// own stream of random numbers and its own place, so the number of threads changes nothing.
///
/// # Errors
/// [`Error::Shape`], [`Error::NoSuchModel`] or [`Error::NothingToChoose`] for a router, as from its curve; [`Error::Shape`] for given resamples
/// of another number of prompts; [`Error::NothingToChoose`] when nothing is known of any LLM; [`Error::NoResamples`].
pub fn bootstrap(
    truth: &Truth<'_>,
    routers: &[Router<'_>],
    resamples: &Resamples,
) -> Result<Bootstrap> {
    resamples.check_fits(truth)?;
    if truth.n_scored_prompts() == 0 {
        let n_prompts = truth.n_prompts();
        return Err(Error::NothingToChoose { n_prompts });
    }
    let curves = routers
        .iter()
        .map(|router| Curves::new(truth, router))
        .collect::<Result<Vec<_>>>()?;
    let mut scratch = Scratch::new(curves.len());
    // Every prompt once is the resample that is the data itself, so estimates and resamples come from one piece of code.
    scratch.counts.resize(truth.n_prompts(), 1);
    let estimates = scratch.measure(truth, &curves);

    let mut resampled = vec![MetricValues::UNDEFINED; resamples.len() * curves.len()];
    resampled
        .par_chunks_mut(curves.len().max(1))
        .enumerate()
        .for_each_init(
            // Buffers per thread, or each resample would allocate a point for each change of each router.
            || Scratch::new(curves.len()),
            |scratch, (resample_idx, place)| {
                resamples.count(resample_idx, truth, &mut scratch.counts);
                place.copy_from_slice(&scratch.measure(truth, &curves));
            },
        );
    Ok(Bootstrap {
        estimates,
        resampled,
    })
}

impl Bootstrap {
    /// Number of routers.
    pub fn n_routers(&self) -> usize {
        self.estimates.len()
    }

    /// A router's metrics on the test prompts themselves.
    ///
    /// # Panics
    /// When there is no such router.
    pub fn estimates(&self, router_idx: usize) -> &MetricValues {
        &self.estimates[router_idx]
    }

    /// A metric of one router with its interval at a level of confidence, .95 say.
    ///
    /// # Errors
    /// [`Error::BadLevel`].
    ///
    /// # Panics
    /// When there is no such router.
    pub fn interval(&self, router_idx: usize, metric: Metric, level: f64) -> Result<Interval> {
        check_level(level)?;
        Ok(Interval::new(
            self.estimates[router_idx][metric],
            self.resampled(router_idx, metric).collect(),
            level,
        ))
    }

    /// By how much a router's metric exceeds a reference router's, with the interval of that difference over the same resamples. Where both
    /// never reach the best single LLM, and so have an infinite cost, they differ by 0.
    ///
    /// # Errors
    /// [`Error::BadLevel`].
    ///
    /// # Panics
    /// When there is no such router.
    pub fn difference(
        &self,
        router_idx: usize,
        reference_idx: usize,
        metric: Metric,
        level: f64,
    ) -> Result<Interval> {
        check_level(level)?;
        let resampled = self
            .resampled(router_idx, metric)
            .zip(self.resampled(reference_idx, metric));
        Ok(Interval::new(
            difference(
                self.estimates[router_idx][metric],
                self.estimates[reference_idx][metric],
            ),
            resampled.map(|(a, b)| difference(a, b)).collect(),
            level,
        ))
    }

    /// A router's metric in each resample, in their order.
    ///
    /// # Panics
    /// When there is no such router.
    pub fn resampled(&self, router_idx: usize, metric: Metric) -> impl Iterator<Item = f64> {
        assert!(router_idx < self.n_routers(), "no such router");
        self.resampled
            .iter()
            .skip(router_idx)
            .step_by(self.n_routers())
            .map(move |values| values[metric])
    }
}

/// What of a router does not change from resample to resample.
enum Curves {
    /// Costs and scores from one sweep, calls from another.
    PerModel {
        choices: Events,
        calls: Option<Events>,
    },
    /// All from one sweep.
    Pair(Events),
    Zero,
}

impl Curves {
    fn new(truth: &Truth<'_>, router: &Router<'_>) -> Result<Self> {
        let pair_events = |pair: PairIdx, small_win_probability: &[f32]| {
            Events::pair(truth, pair, small_win_probability)
        };
        Ok(match *router {
            Router::PerModel { predicted, pair } => {
                let choices = Events::per_model(truth, &predicted)?;
                let calls = |pair: PairIdx| {
                    let preference = small_preference(&predicted, pair)?;
                    match pair_events(pair, &preference.to_vec()) {
                        // The router may well choose among other LLMs.
                        Err(Error::NothingToChoose { .. }) => Ok(None),
                        events => events.map(Some),
                    }
                };
                Self::PerModel {
                    choices,
                    calls: pair.map(calls).transpose()?.flatten(),
                }
            }
            Router::Pair {
                pair,
                small_win_probability,
            } => Self::Pair(pair_events(pair, small_win_probability)?),
            Router::Zero => Self::Zero,
        })
    }
}

/// What one thread works in.
struct Scratch {
    /// How often each prompt was drawn.
    counts: Vec<u32>,
    /// Each router's points.
    points: Vec<Vec<Point>>,
    /// Each router's points by calls; empty for a router without a pair.
    calls: Vec<Vec<CallPoint>>,
}

impl Scratch {
    fn new(n_routers: usize) -> Self {
        Self {
            counts: Vec::new(),
            points: vec![Vec::new(); n_routers],
            calls: vec![Vec::new(); n_routers],
        }
    }

    /// Each router's metrics on the prompts that were drawn.
    fn measure(&mut self, truth: &Truth<'_>, curves: &[Curves]) -> Vec<MetricValues> {
        let Self {
            counts,
            points,
            calls,
        } = self;
        let weight = |prompt_idx: usize| counts[prompt_idx];
        // Baselines are resampled with the routers: both then share the luck of the draw, which cancels in what is compared.
        let models = single_models_of(truth, weight);
        let zero_router = ZeroRouter::hull_of_models(&models).points();
        for ((curves, points), calls) in curves.iter().zip(&mut *points).zip(&mut *calls) {
            points.clear();
            calls.clear();
            match curves {
                Curves::PerModel {
                    choices,
                    calls: events,
                } => {
                    choices.sweep(weight, |swept| points.extend(swept.point));
                    if let Some(events) = events {
                        sweep_calls(events, weight, calls);
                    }
                }
                Curves::Pair(events) => {
                    events.sweep(weight, |swept| points.extend(swept.point));
                    sweep_calls(events, weight, calls);
                }
                Curves::Zero => points.extend_from_slice(&zero_router),
            }
            // Sweeps go from dear to cheap. Turned round, most points are in order already.
            if !matches!(curves, Curves::Zero) {
                points.reverse();
                sort_by_cost(points, |&point| point);
            }
        }
        let all = points.iter().flatten().chain(models.iter().flatten());
        let Some(range) = CostRange::over(all.copied()) else {
            return vec![MetricValues::UNDEFINED; curves.len()];
        };
        let against = Baselines {
            range,
            best_single: most_accurate(&models).map(|(_, point)| point),
            zero_router,
        };
        points
            .iter()
            .zip(calls)
            .map(|(points, calls)| MetricValues::of_sorted(points, Some(calls), &against))
            .collect()
    }
}

fn sweep_calls(events: &Events, weight: impl Fn(usize) -> u32 + Copy, calls: &mut Vec<CallPoint>) {
    let n_prompts = events.n_drawn(weight);
    events.sweep(weight, |swept| calls.extend(call_point(swept, n_prompts)));
    // The gap to recover is between the two ends; of a resample in which nothing is known of one of them, nothing can be said.
    let has_ends = (calls.first()).is_some_and(|first| first.large_share == 1.0)
        && (calls.last()).is_some_and(|last| last.large_share == 0.0);
    if !has_ends {
        calls.clear();
    }
}
