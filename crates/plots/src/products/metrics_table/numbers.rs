//! `metrics_table.csv` and `metrics_differences.csv`: all numbers, for programs.

use evaluation::{
    Interval,
    metric::Metric,
    worth::{Area, holm},
};

use super::chance::{Against, Chance};
use crate::{
    data::{
        gains::RouterGains,
        intervals::{Intervals, Tails},
    },
    output::tables::{Cell, Column, Table},
};

const AREAS: [(Area, &str); 2] = [
    (Area::Aiq, "aiq_cross_fitted"),
    (
        Area::GainOverZeroRouter,
        "gain_over_zero_router_cross_fitted",
    ),
];
const MEAN_GAIN: &str = "mean_gain";
const TEST_PART: &str = "test-part";

/// One row per router and metric. An infinite value is a cost that is never enough, an empty one is not defined. `optimistic` says that a number was
/// chosen on the prompts that measure it; `p` is one-sided, for a number above 0, and `p_holm` corrected for all of the table. Of permuted prompts
/// the estimate is the mean, and the ends are the least and the largest.
pub(super) fn metrics_csv(intervals: &Intervals, chance: &Chance) -> String {
    let names = [
        "dataset",
        "router",
        "metric",
        "estimate",
        "low",
        "high",
        "n_defined_resamples",
        "n_prompts",
        "measured_on",
        "optimistic",
        "p",
        "p_holm",
    ];
    let mut rows = Vec::new();
    let mut add = |router: &str, metric: &str, interval: Interval, of: Row<'_>| {
        rows.push(vec![
            Cell::Text(intervals.dataset.clone()),
            Cell::Text(router.to_owned()),
            Cell::Text(metric.to_owned()),
            number(interval.estimate),
            number(interval.low),
            number(interval.high),
            match interval.n_defined {
                0 => Cell::Missing,
                n_defined => Cell::Count(n_defined),
            },
            Cell::Count(of.n_prompts),
            Cell::Text(of.measured_on.to_owned()),
            yes_or_no(of.is_optimistic),
            number(of.p),
            number(of.p_holm),
        ]);
    };
    let gains = intervals
        .gains
        .as_ref()
        .map_or(&[][..], |gains| &gains.routers);
    for (of, against) in gains.iter().zip(&chance.gains) {
        add_gain(of, against, &mut add);
    }
    let test_part = Row {
        n_prompts: intervals.n_prompts,
        measured_on: TEST_PART,
        is_optimistic: false,
        p: f64::NAN,
        p_holm: f64::NAN,
    };
    for (router_idx, (key, _)) in intervals.routers.iter().enumerate() {
        for (area, name) in AREAS {
            let against = chance.areas[router_idx].filter(|_| area == Area::GainOverZeroRouter);
            let row = Row {
                p: against.map_or(f64::NAN, |against| against.tails.above),
                p_holm: against.map_or(f64::NAN, |against| against.above_holm),
                ..test_part
            };
            add(key, name, intervals.area(router_idx, area), row);
        }
        for metric in Metric::ALL {
            let is_optimistic = metric.is_in_sample_optimum();
            let row = Row {
                is_optimistic,
                ..test_part
            };
            add(key, metric.key(), intervals.of(router_idx, metric), row);
        }
        let named = (intervals.router_bench.iter()).flat_map(|of| of[router_idx].named());
        for (name, value, is_optimistic) in named {
            let row = Row {
                is_optimistic,
                ..test_part
            };
            add(key, name, interval(value, f64::NAN, f64::NAN), row);
        }
    }
    csv_table(&names, rows)
}

/// What a row says besides its interval.
#[derive(Debug, Clone, Copy)]
struct Row<'a> {
    n_prompts: usize,
    measured_on: &'a str,
    is_optimistic: bool,
    p: f64,
    p_holm: f64,
}

/// The mean gain, then those of permuted prompts.
fn add_gain(
    of: &RouterGains,
    against: &Against,
    add: &mut impl FnMut(&str, &str, Interval, Row<'_>),
) {
    let key = of.series.key();
    let mean = of.report.mean;
    let row = Row {
        n_prompts: of.report.n_prompts,
        measured_on: of.measured_on.key(),
        is_optimistic: false,
        p: against.tails.above,
        p_holm: against.above_holm,
    };
    add(
        &key,
        MEAN_GAIN,
        interval(mean.value, mean.low, mean.high),
        row,
    );
    let nulls = of.null.iter().flat_map(|null| {
        [
            ("null_gain_over_all", &null.over_all),
            ("null_gain_within_tasks", &null.within_tasks),
        ]
    });
    for (name, null) in nulls {
        let (mean, [low, high]) = null.summary();
        let row = Row {
            p: null.p,
            p_holm: f64::NAN,
            ..row
        };
        add(&key, name, interval(mean, low, high), row);
    }
}

/// One that no resampling has made.
fn interval(estimate: f64, low: f64, high: f64) -> Interval {
    Interval {
        estimate,
        low,
        high,
        n_defined: 0,
    }
}

/// One row per two routers and metric: what the first has more than the second. `p` is two-sided, and `p_holm` corrected for all comparisons of the
/// file that are not optimistic. `better` is the router that the metric favors where `p_holm` is at most what the level of confidence leaves, else
/// it is empty; an optimistic metric favors nobody.
pub(super) fn differences_csv(intervals: &Intervals) -> String {
    let names = [
        "dataset",
        "router",
        "reference",
        "metric",
        "difference",
        "low",
        "high",
        "n_defined_resamples",
        "optimistic",
        "p",
        "p_holm",
        "better",
    ];
    let differences = differences(intervals);
    let judged = |of: &Difference| if of.is_optimistic { f64::NAN } else { of.p };
    let p_holm = holm(&differences.iter().map(judged).collect::<Vec<_>>());
    let rows = differences.into_iter().zip(p_holm).map(|(of, p_holm)| {
        let is_told = p_holm <= 1.0 - intervals.settings.level;
        let better = match of.favors_first().filter(|_| is_told) {
            Some(true) => of.router.clone(),
            Some(false) => of.reference.clone(),
            None => String::new(),
        };
        vec![
            Cell::Text(intervals.dataset.clone()),
            Cell::Text(of.router),
            Cell::Text(of.reference),
            Cell::Text(of.metric.to_owned()),
            number(of.interval.estimate),
            number(of.interval.low),
            number(of.interval.high),
            match of.interval.n_defined {
                0 => Cell::Missing,
                n_defined => Cell::Count(n_defined),
            },
            yes_or_no(of.is_optimistic),
            number(of.p),
            number(p_holm),
            Cell::Text(better),
        ]
    });
    csv_table(&names, rows.collect())
}

/// What one router has more than another.
#[derive(Debug, Clone)]
struct Difference {
    router: String,
    reference: String,
    metric: &'static str,
    interval: Interval,
    is_optimistic: bool,
    is_less_better: bool,
    /// Two-sided.
    p: f64,
}

/// Each pair of routers once: the other way around it is the same interval with its sign changed.
fn differences(intervals: &Intervals) -> Vec<Difference> {
    let mut all = Vec::new();
    if let Some(gains) = &intervals.gains {
        let key = |i: usize| gains.routers[i].series.key();
        all.extend(gains.differences.iter().map(|of| {
            Difference {
                router: key(of.first),
                reference: key(of.second),
                metric: MEAN_GAIN,
                interval: interval(of.gain.value, of.gain.low, of.gain.high),
                is_optimistic: false,
                is_less_better: false,
                p: Tails {
                    above: of.gain.p_above,
                    below: of.gain.p_below,
                }
                .two_sided(),
            }
        }));
    }
    for (a, (router, _)) in intervals.routers.iter().enumerate() {
        for (b, (reference, _)) in intervals.routers.iter().enumerate().skip(a + 1) {
            let (interval, tails) = intervals.area_difference(a, b, Area::Aiq);
            let of_area = Difference {
                router: router.clone(),
                reference: reference.clone(),
                metric: AREAS[0].1,
                interval,
                is_optimistic: false,
                is_less_better: false,
                p: tails.two_sided(),
            };
            let of_metric = |metric: Metric| Difference {
                metric: metric.key(),
                interval: intervals.difference(a, b, metric),
                is_optimistic: metric.is_in_sample_optimum(),
                is_less_better: metric.is_less_better(),
                p: intervals.difference_tails(a, b, metric).two_sided(),
                ..of_area.clone()
            };
            let of_metrics: Vec<Difference> = Metric::ALL.map(of_metric).into();
            all.push(of_area);
            all.extend(of_metrics);
        }
    }
    all
}

impl Difference {
    /// Whether it speaks for the first of the two routers; `None` where it is 0 or not defined.
    fn favors_first(&self) -> Option<bool> {
        let is_more = match self.interval.estimate {
            more if more > 0.0 => true,
            less if less < 0.0 => false,
            _ => return None,
        };
        Some(is_more != self.is_less_better)
    }
}

fn csv_table(names: &[&'static str], rows: Vec<Vec<Cell>>) -> String {
    let columns = names
        .iter()
        .map(|&csv| Column { csv, markdown: csv })
        .collect();
    Table {
        columns,
        rows,
        notes: Vec::new(),
    }
    .csv()
}

fn number(value: f64) -> Cell {
    Cell::number(Some(value).filter(|value| !value.is_nan()))
}

fn yes_or_no(is_so: bool) -> Cell {
    Cell::Text(if is_so { "yes" } else { "no" }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_favors_who_is_better() {
        for (estimate, is_less_better, expected) in [
            (0.1, false, Some(true)),
            (-0.1, false, Some(false)),
            (f64::INFINITY, true, Some(false)),
            (-0.1, true, Some(true)),
            (0.0, false, None),
            (f64::NAN, true, None),
        ] {
            let difference = Difference {
                router: "a".to_owned(),
                reference: "b".to_owned(),
                metric: "m",
                interval: interval(estimate, f64::NAN, f64::NAN),
                is_optimistic: false,
                is_less_better,
                p: 0.5,
            };
            assert_eq!(
                difference.favors_first(),
                expected,
                "{estimate} {is_less_better}"
            );
        }
    }
}
