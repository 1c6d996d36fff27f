use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::{
    Error, Interval, Point, Result, Router, Truth,
    baseline::{ZeroRouter, single::single_models_of},
    curve::{
        events::Events,
        hull::{hull_of, sort_by_cost},
    },
    interval::{check_level, difference},
    metric::{
        CostRange,
        formulas::{gain_of_hulls, join_ties, mean_height},
    },
    sum::mean,
    worth::{estimate::dense, halves::nth_halves},
};

/// Ways of dealing prompts to halves that an estimate is the mean over: with one, it would hang on which prompts chose.
const N_HALVINGS: usize = 10;

/// An area under a router's curve that [`cross_fitted_areas`] has without selection on the judging prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// As [`crate::metric::aiq`] over the common range of costs.
    Aiq,
    /// As [`crate::metric::gain_over`] the zero router.
    GainOverZeroRouter,
}

/// Cross-fitted areas of some routers, on the prompts and on each resample of them.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossFittedAreas {
    /// One pair per router, in the order of [`Area`].
    estimates: Vec<[f64; 2]>,
    /// One per resample and router, the routers of a resample together.
    resampled: Vec<[f64; 2]>,
}

/// AIQ and the gain over the zero router, cross-fitted: which mixture of settings to use at each cost is chosen on one half of the prompts and judged
/// on the other, and the other way round; the two are averaged.
///
/// [`crate::metric::aiq`] takes the hull of the points that it measures, and a hull is never below the chord of its ends: predictions at random
/// come out above the zero router on nearly every table. Here the corners of the hull, of the router and of the zero router alike, are those of one
/// half, and points of the other half at the same settings, by cost and joined by straight lines, are what counts. The range of costs is the
/// least that holds all routers and LLMs on all prompts. The estimate is the mean over ten random divisions into halves.
///
/// Each resample draws prompts (or `groups`, whole: one number per prompt) within each half of one of the ten divisions, taken by turns, and
/// chooses and judges again, so that intervals contain what the halves share. They are as wide as a single division's, which the mean of ten does not
/// need: conservative. Choosing from a resample is choosing from less: resamples lie a little below the estimate, and intervals are
/// to that extent conservative. What was predicted stays, so training chance is not in them. Resample `i` is drawn from stream `i` of the seed.
///
/// # Errors
/// As for [`crate::study::bootstrap`]; [`Error::Shape`] when there is not one group per prompt.
pub fn cross_fitted_areas(
    truth: &Truth<'_>,
    routers: &[Router<'_>],
    groups: Option<&[usize]>,
    n_resamples: usize,
    seed: u64,
) -> Result<CrossFittedAreas> {
    let n_prompts = truth.n_prompts();
    if n_resamples == 0 {
        return Err(Error::NoResamples);
    }
    if truth.n_scored_prompts() == 0 {
        return Err(Error::NothingToChoose { n_prompts });
    }
    if let Some(groups) = groups.filter(|groups| groups.len() != n_prompts) {
        return Err(Error::Shape {
            what: "groups",
            expected: (n_prompts, 1),
            found: (groups.len(), 1),
        });
    }
    let groups = groups.map(dense);
    let halvings = (0..N_HALVINGS as u64)
        .map(|nth| nth_halves(n_prompts, groups.as_deref(), seed, nth))
        .collect();
    let judge = Judge::new(truth, routers, groups.as_deref(), halvings)?;
    let estimates = judge.estimate();
    let mut resampled = vec![[f64::NAN; 2]; n_resamples * routers.len()];
    resampled
        .par_chunks_mut(routers.len().max(1))
        .enumerate()
        .for_each(|(resample_idx, place)| {
            let halving = &judge.halvings[resample_idx % N_HALVINGS];
            let counts = halving.draw(resample_idx, seed);
            place.copy_from_slice(&judge.measure(halving, &counts));
        });
    Ok(CrossFittedAreas {
        estimates,
        resampled,
    })
}

/// One-sided p-values of a bootstrap: the share of resampled values at or below 0, as the probability of such an estimate where the truth is 0
/// or less, and that at or above 0 for the other side.
///
/// ```text
/// p = (1 + number of such resamples) / (1 + number of resamples)
/// ```
///
/// So p is at least `1 / (B + 1)` with `B` resamples (Davison and Hinkley 1997, section 4.2): to be significant at .05 among 130 comparisons by
/// [`crate::worth::holm`], which takes a p below .0004, 1,000 resamples are too few and 10,000 enough. NaN does not count; without any number p
/// is NaN.
pub fn one_sided_p(resampled: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (mut n, mut n_below, mut n_above) = (0_usize, 0_usize, 0_usize);
    for value in resampled.into_iter().filter(|value| !value.is_nan()) {
        n += 1;
        n_below += usize::from(value <= 0.0);
        n_above += usize::from(value >= 0.0);
    }
    if n == 0 {
        return (f64::NAN, f64::NAN);
    }
    let p = |n_such: usize| (1 + n_such) as f64 / (1 + n) as f64;
    (p(n_below), p(n_above))
}

impl CrossFittedAreas {
    /// Number of routers.
    pub fn n_routers(&self) -> usize {
        self.estimates.len()
    }

    /// An area of one router with its interval at a level of confidence, .95 say.
    ///
    /// # Errors
    /// [`Error::BadLevel`].
    ///
    /// # Panics
    /// When there is no such router.
    pub fn interval(&self, router_idx: usize, area: Area, level: f64) -> Result<Interval> {
        check_level(level)?;
        let estimate = self.estimates[router_idx][area as usize];
        let resampled = self.resampled(router_idx, area).collect();
        Ok(Interval::new(estimate, resampled, level))
    }

    /// By how much a router's area exceeds a reference router's, with the interval over the same resamples.
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
        area: Area,
        level: f64,
    ) -> Result<Interval> {
        check_level(level)?;
        let of = |router_idx: usize| self.estimates[router_idx][area as usize];
        let resampled = self.differences(router_idx, reference_idx, area);
        Ok(Interval::new(
            difference(of(router_idx), of(reference_idx)),
            resampled.collect(),
            level,
        ))
    }

    /// A router's area in each resample, in their order.
    ///
    /// # Panics
    /// When there is no such router.
    pub fn resampled(&self, router_idx: usize, area: Area) -> impl Iterator<Item = f64> {
        assert!(router_idx < self.n_routers(), "no such router");
        self.resampled
            .iter()
            .skip(router_idx)
            .step_by(self.n_routers())
            .map(move |areas| areas[area as usize])
    }

    /// By how much a router's area exceeds a reference router's in each resample.
    ///
    /// # Panics
    /// When there is no such router.
    pub fn differences(
        &self,
        router_idx: usize,
        reference_idx: usize,
        area: Area,
    ) -> impl Iterator<Item = f64> {
        self.resampled(router_idx, area)
            .zip(self.resampled(reference_idx, area))
            .map(|(a, b)| difference(a, b))
    }
}

/// What does not change from resample to resample.
struct Judge<'a> {
    truth: Truth<'a>,
    /// `None` for the zero router.
    events: Vec<Option<Events>>,
    range: Option<CostRange>,
    halvings: Vec<Halving>,
}

/// One division of the prompts into halves.
struct Halving {
    /// Each prompt's half.
    of_prompt: Vec<usize>,
    /// For each half the prompts that are drawn together.
    units: [Vec<Vec<usize>>; 2],
}

impl Halving {
    /// How often each prompt is in a resample.
    fn draw(&self, resample_idx: usize, seed: u64) -> Vec<u32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(resample_idx as u64);
        let mut counts = vec![0; self.of_prompt.len()];
        for units in &self.units {
            for _ in 0..units.len() {
                let unit = &units[rng.random_range(0..units.len())];
                unit.iter().for_each(|&prompt_idx| counts[prompt_idx] += 1);
            }
        }
        counts
    }
}

/// A setting's position among all settings, and where it stands on some prompts; `None` where nothing is known of its choices.
type Placed = (usize, Option<Point>);

impl<'a> Judge<'a> {
    fn new(
        truth: &Truth<'a>,
        routers: &[Router<'_>],
        groups: Option<&[usize]>,
        halvings: Vec<Vec<usize>>,
    ) -> Result<Self> {
        let events = routers
            .iter()
            .map(|router| match *router {
                Router::PerModel { predicted, .. } => {
                    Events::per_model(truth, &predicted).map(Some)
                }
                Router::Pair {
                    pair,
                    small_win_probability,
                } => Events::pair(truth, pair, small_win_probability).map(Some),
                Router::Zero => Ok(None),
            })
            .collect::<Result<Vec<_>>>()?;
        let mut all: Vec<Point> = single_models_of(truth, |_| 1)
            .into_iter()
            .flatten()
            .collect();
        for events in events.iter().flatten() {
            events.sweep(|_| 1, |swept| all.extend(swept.point));
        }
        let n_prompts = truth.n_prompts();
        let n_groups = groups.map_or(n_prompts, |groups| {
            groups.iter().max().map_or(0, |last| last + 1)
        });
        let mut members = vec![Vec::new(); n_groups];
        // Only prompts of which something is known are drawn, as in the bootstrap of the other metrics.
        for i in (0..n_prompts).filter(|&i| truth.is_scored(i)) {
            members[groups.map_or(i, |groups| groups[i])].push(i);
        }
        members.retain(|unit| !unit.is_empty());
        let halving = |of_prompt: Vec<usize>| {
            let mut units = [Vec::new(), Vec::new()];
            for unit in &members {
                units[of_prompt[unit[0]]].push(unit.clone());
            }
            Halving { of_prompt, units }
        };
        Ok(Self {
            truth: truth.clone(),
            events,
            range: CostRange::over(all),
            halvings: halvings.into_iter().map(halving).collect(),
        })
    }

    /// Each router's areas on the prompts, the mean over the halvings in which they are known.
    fn estimate(&self) -> Vec<[f64; 2]> {
        let all = vec![1; self.truth.n_prompts()];
        let measured: Vec<Vec<[f64; 2]>> = (self.halvings.par_iter())
            .map(|halving| self.measure(halving, &all))
            .collect();
        let of_router = |router_idx: usize| {
            [0, 1].map(|area| {
                let areas = measured.iter().map(|areas| areas[router_idx][area]);
                mean(areas.filter(|area| !area.is_nan())).unwrap_or(f64::NAN)
            })
        };
        (0..self.events.len()).map(of_router).collect()
    }

    /// Each router's areas on a multiset of the prompts.
    fn measure(&self, halving: &Halving, counts: &[u32]) -> Vec<[f64; 2]> {
        let Some(range) = self.range else {
            return vec![[f64::NAN; 2]; self.events.len()];
        };
        let in_half = |half: usize| {
            let halves = &halving.of_prompt;
            move |i: usize| if halves[i] == half { counts[i] } else { 0 }
        };
        let models = [0, 1].map(|half| single_models_of(&self.truth, in_half(half)));
        let zero = [0, 1].map(|half| {
            let corners = ZeroRouter::hull_of_models(&models[half]);
            let judged = corners
                .corners()
                .iter()
                .filter_map(|corner| models[1 - half][corner.model_idx]);
            line(judged.collect())
        });
        self.events
            .iter()
            .map(|events| {
                let lines = events.as_ref().map(|events| lines(events, in_half));
                let lines = lines.as_ref().unwrap_or(&zero);
                let both = |of: &dyn Fn(usize) -> Option<f64>| match (of(0), of(1)) {
                    (Some(a), Some(b)) => f64::midpoint(a, b),
                    _ => f64::NAN,
                };
                [
                    both(&|half| mean_height(&lines[half], range)),
                    both(&|half| gain_of_hulls(&lines[half], &zero[half], range)),
                ]
            })
            .collect()
    }
}

/// For each half the line through the points of the other half at the settings that it chooses.
fn lines<W: Fn(usize) -> u32>(events: &Events, in_half: impl Fn(usize) -> W) -> [Vec<Point>; 2] {
    let placed = [0, 1].map(|half| {
        let mut placed: Vec<Placed> = Vec::new();
        events.sweep(in_half(half), |swept| {
            placed.push((swept.step, swept.point))
        });
        placed
    });
    [0, 1].map(|half| {
        let known = placed[half].iter();
        let mut by_cost: Vec<(usize, Point)> = known
            .filter_map(|&(step, point)| Some((step, point?)))
            .collect();
        sort_by_cost(&mut by_cost, |placed| placed.1);
        let other = &placed[1 - half];
        let judged = hull_of(by_cost, |placed| placed.1)
            .into_iter()
            .filter_map(|(step, _)| {
                // Settings at which no prompt of the other half changes have no point of their own there: the one before holds.
                let n_before = other.partition_point(|placed| placed.0 <= step);
                other[..n_before].last()?.1
            });
        line(judged.collect())
    })
}

/// Points in order of cost, where they are joined by straight lines.
fn line(mut points: Vec<Point>) -> Vec<Point> {
    sort_by_cost(&mut points, |&point| point);
    join_ties(&points)
}

#[cfg(test)]
mod tests;
