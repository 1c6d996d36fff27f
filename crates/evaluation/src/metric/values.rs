use std::ops::Index;

use crate::{
    Point,
    curve::{
        CallPoint,
        calls::{apgr, cpt},
        hull::{by_cost, hull_of},
    },
    metric::{
        cost_range::{CostRange, SAME_COST},
        formulas::{SAME_ACCURACY, cost_ratio, gain_of_hulls, join_ties, mean_height},
    },
};

/// A number that a router's curve is summed up in, or its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// [`crate::metric::aiq`] over the common range of costs: RouterBench's formula.
    Aiq,
    /// [`crate::metric::aiq`] over the range from 0 to the largest cost of all: RouterBench's code.
    AiqFromZero,
    /// [`crate::metric::audc`] over the common range of costs.
    Audc,
    /// [`crate::metric::qnc`] against the best single LLM; infinite where its accuracy is never reached.
    Qnc,
    /// [`crate::metric::qnc_normalized`] against the best single LLM, within the common range of costs: R2-Router's code.
    QncNormalized,
    /// [`crate::metric::peak_accuracy`].
    PeakAccuracy,
    /// Least cost in US dollars with at least the best single LLM's accuracy; infinite where there is none.
    CostAtBestSingleUsd,
    /// Highest accuracy at no more than the best single LLM's cost.
    AccuracyAtBestSingleCost,
    /// [`crate::metric::gain_over`] the zero router.
    GainOverZeroRouter,
    /// [`crate::metric::apgr`] of the pair.
    Apgr,
    /// [`crate::metric::cpt`] of the pair for a fifth of the gap.
    Cpt20,
    /// [`crate::metric::cpt`] of the pair for half of the gap.
    Cpt50,
    /// [`crate::metric::cpt`] of the pair for four fifths of the gap.
    Cpt80,
}

/// One number per [`Metric`]; NaN where a metric is not defined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricValues([f64; Metric::ALL.len()]);

/// What a router's curve is measured against. To compare routers, take the same for all.
#[derive(Debug, Clone, PartialEq)]
pub struct Baselines {
    /// The costs over which areas are taken, say [`CostRange::over`] the points of all routers and LLMs.
    pub range: CostRange,
    /// Where the most accurate LLM stands, see [`crate::baseline::best_single`].
    pub best_single: Option<Point>,
    /// See [`crate::baseline::zero_router`]; empty where nothing is known.
    pub zero_router: Vec<Point>,
}

impl Metric {
    /// All metrics, in the order of tables.
    pub const ALL: [Self; 13] = [
        Self::Aiq,
        Self::AiqFromZero,
        Self::Audc,
        Self::Qnc,
        Self::QncNormalized,
        Self::PeakAccuracy,
        Self::CostAtBestSingleUsd,
        Self::AccuracyAtBestSingleCost,
        Self::GainOverZeroRouter,
        Self::Apgr,
        Self::Cpt20,
        Self::Cpt50,
        Self::Cpt80,
    ];

    /// The metric's name in CSV files.
    pub fn key(self) -> &'static str {
        match self {
            Self::Aiq => "aiq",
            Self::AiqFromZero => "aiq_from_zero",
            Self::Audc => "audc",
            Self::Qnc => "qnc",
            Self::QncNormalized => "qnc_normalized",
            Self::PeakAccuracy => "peak_accuracy",
            Self::CostAtBestSingleUsd => "cost_at_best_single_usd",
            Self::AccuracyAtBestSingleCost => "accuracy_at_best_single_cost",
            Self::GainOverZeroRouter => "gain_over_zero_router",
            Self::Apgr => "apgr",
            Self::Cpt20 => "cpt_20",
            Self::Cpt50 => "cpt_50",
            Self::Cpt80 => "cpt_80",
        }
    }

    /// Whether it is chosen by the truth that measures it: a hull, a highest accuracy, a least cost or share of calls over a router's points. On
    /// the prompts it is taken from such a number is optimistic, also for a router that knows nothing, and it cannot show that one router is
    /// better than not routing: that takes [`crate::worth`]. What remains, areas under a curve as it is, has no such selection.
    pub fn is_in_sample_optimum(self) -> bool {
        !matches!(self, Self::Audc | Self::Apgr)
    }

    /// Whether less is better, as of everything that counts costs or calls.
    pub fn is_less_better(self) -> bool {
        matches!(
            self,
            Self::Qnc
                | Self::QncNormalized
                | Self::CostAtBestSingleUsd
                | Self::Cpt20
                | Self::Cpt50
                | Self::Cpt80
        )
    }

    /// Whether it is about a pair's calls, and not defined for a router without a pair.
    pub fn is_of_pair(self) -> bool {
        matches!(self, Self::Apgr | Self::Cpt20 | Self::Cpt50 | Self::Cpt80)
    }
}

impl MetricValues {
    /// Measures a router: its operating points in any order, and the points of [`crate::curve::call_curve`] where it has a pair.
    pub fn new(points: &[Point], calls: Option<&[CallPoint]>, against: &Baselines) -> Self {
        Self::of_sorted(&by_cost(points), calls, against)
    }

    /// As [`MetricValues::new`], of finite points by cost, then by accuracy.
    pub(crate) fn of_sorted(
        points: &[Point],
        calls: Option<&[CallPoint]>,
        against: &Baselines,
    ) -> Self {
        let range = against.range;
        let from_zero = CostRange::new(range.min_usd().min(0.0), range.max_usd()).ok();
        let hull = hull_of(points.iter().copied(), |&point| point);
        let best_single = best_single(points, against);
        let calls = calls.unwrap_or_default();
        let value = |metric| match metric {
            Metric::Aiq => mean_height(&hull, range),
            Metric::AiqFromZero => mean_height(&hull, from_zero?),
            Metric::Audc => mean_height(&join_ties(points), range),
            Metric::Qnc => best_single.map(|found| found.qnc),
            Metric::QncNormalized => best_single.map(|found| found.qnc_normalized),
            // A hull ends at the most accurate point.
            Metric::PeakAccuracy => hull.last().map(|point| point.accuracy),
            Metric::CostAtBestSingleUsd => best_single.map(|found| found.cost_usd),
            Metric::AccuracyAtBestSingleCost => best_single?.accuracy,
            Metric::GainOverZeroRouter => gain_of_hulls(&hull, &against.zero_router, range),
            Metric::Apgr => apgr(calls),
            Metric::Cpt20 => cpt(calls, 0.2),
            Metric::Cpt50 => cpt(calls, 0.5),
            Metric::Cpt80 => cpt(calls, 0.8),
        };
        Self(Metric::ALL.map(|metric| value(metric).unwrap_or(f64::NAN)))
    }

    /// All values NaN.
    pub(crate) const UNDEFINED: Self = Self([f64::NAN; Metric::ALL.len()]);
}

impl Index<Metric> for MetricValues {
    type Output = f64;

    fn index(&self, metric: Metric) -> &f64 {
        &self.0[metric as usize]
    }
}

/// A router beside the best single LLM.
#[derive(Debug, Clone, Copy)]
struct BesideBestSingle {
    qnc: f64,
    qnc_normalized: f64,
    cost_usd: f64,
    accuracy: Option<f64>,
}

/// `None` of no points or no LLM.
fn best_single(points: &[Point], against: &Baselines) -> Option<BesideBestSingle> {
    let target = against.best_single.filter(|_| !points.is_empty())?;
    let is_as_good = |point: &&Point| point.accuracy >= target.accuracy - SAME_ACCURACY;
    let cost_usd = points.iter().find(is_as_good).map(|point| point.cost_usd);
    let largest_usd = (points.iter()).fold(0.0_f64, |largest, point| largest.max(point.cost_usd));
    let budget_usd = target.cost_usd + SAME_COST * largest_usd.max(target.cost_usd);
    let n_affordable = points.partition_point(|point| point.cost_usd <= budget_usd);
    let affordable = points[..n_affordable].iter().map(|point| point.accuracy);
    Some(BesideBestSingle {
        qnc: cost_usd.map_or(f64::INFINITY, |cost_usd| {
            cost_ratio(cost_usd, target.cost_usd, largest_usd)
        }),
        qnc_normalized: cost_usd.map_or(1.0, |cost_usd| against.range.normalized(cost_usd)),
        cost_usd: cost_usd.unwrap_or(f64::INFINITY),
        accuracy: affordable.reduce(f64::max),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metric::formulas::{aiq, audc, gain_over, peak_accuracy, qnc, qnc_normalized},
        point::points,
    };

    fn baselines(best_single: Option<Point>) -> Baselines {
        Baselines {
            range: CostRange::new(0.5, 5.0).expect("a range"),
            best_single,
            zero_router: points([(1.0, 0.2), (5.0, 0.8)]),
        }
    }

    #[test]
    fn metrics_lie_where_their_order_says() {
        for (position, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric as usize, position, "{metric:?}");
        }
        let mut keys = Metric::ALL.map(Metric::key).to_vec();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), Metric::ALL.len());
    }

    #[test]
    fn values_are_those_of_the_functions() {
        let curve = points([(4.0, 0.9), (2.0, 0.8), (3.0, 0.7), (1.0, 0.3)]);
        let calls = [(1.0, 0.9), (0.5, 0.8), (0.0, 0.3)].map(|(large_share, accuracy)| CallPoint {
            large_share,
            accuracy,
        });
        let target = Point {
            cost_usd: 3.5,
            accuracy: 0.75,
        };
        let against = baselines(Some(target));
        let found = MetricValues::new(&curve, Some(&calls), &against);
        let range = against.range;
        let from_zero = CostRange::new(0.0, range.max_usd()).expect("a range");
        for (metric, expected) in [
            (Metric::Aiq, aiq(&curve, range)),
            (Metric::AiqFromZero, aiq(&curve, from_zero)),
            (Metric::Audc, audc(&curve, range)),
            (Metric::Qnc, qnc(&curve, target)),
            (
                Metric::QncNormalized,
                Some(qnc_normalized(&curve, target.accuracy, range)),
            ),
            (Metric::PeakAccuracy, peak_accuracy(&curve)),
            (Metric::CostAtBestSingleUsd, Some(2.0)),
            (Metric::AccuracyAtBestSingleCost, Some(0.8)),
            (
                Metric::GainOverZeroRouter,
                gain_over(&curve, &against.zero_router, range),
            ),
            (Metric::Apgr, apgr(&calls)),
            (Metric::Cpt20, cpt(&calls, 0.2)),
            (Metric::Cpt50, cpt(&calls, 0.5)),
            (Metric::Cpt80, cpt(&calls, 0.8)),
        ] {
            assert_eq!(Some(found[metric]), expected, "{metric:?}");
        }
    }

    #[test]
    fn what_is_chosen_by_the_truth_says_so() {
        let honest = Metric::ALL
            .into_iter()
            .filter(|metric| !metric.is_in_sample_optimum());
        assert_eq!(honest.collect::<Vec<_>>(), [Metric::Audc, Metric::Apgr]);
    }

    #[test]
    fn what_is_not_there_is_not_defined_and_what_is_never_reached_is_infinite() {
        let check = |points: &[Point], against: &Baselines, metric, expected: f64| {
            let found = MetricValues::new(points, None, against)[metric];
            assert!(
                found == expected || (found.is_nan() && expected.is_nan()),
                "{metric:?}: {found}"
            );
        };
        let curve = points([(1.0, 0.3), (2.0, 0.8)]);
        let never = baselines(Some(Point {
            cost_usd: 0.25,
            accuracy: 0.9,
        }));
        check(&curve, &never, Metric::Qnc, f64::INFINITY);
        check(&curve, &never, Metric::QncNormalized, 1.0);
        check(&curve, &never, Metric::CostAtBestSingleUsd, f64::INFINITY);
        check(&curve, &never, Metric::AccuracyAtBestSingleCost, f64::NAN);
        check(&curve, &never, Metric::Apgr, f64::NAN);
        check(&curve, &baselines(None), Metric::Qnc, f64::NAN);
        for metric in Metric::ALL {
            check(&[], &never, metric, f64::NAN);
        }
        let free = baselines(Some(Point {
            cost_usd: 0.0,
            accuracy: 0.3,
        }));
        check(&points([(0.0, 0.3)]), &free, Metric::Qnc, 1.0);
        check(&curve, &free, Metric::Qnc, f64::INFINITY);
        check(&curve, &free, Metric::CostAtBestSingleUsd, 1.0);
    }
}
