//! `metrics_table.md`: what readers see of the metrics with their intervals.

use evaluation::{
    Interval, PropensitySource,
    metric::{Metric, RouterBench},
    worth::{Area, Refusal},
};

use super::chance::{Against, Chance, p_value};
use crate::{
    data::{gains::NullGains, intervals::Intervals},
    output::tables::{Cell, Column, Document, Prose, Rows, Table},
    products::percent::percent,
};

/// The metrics of the Markdown tables, by subject; the CSV has all.
const IN_SAMPLE: [(Metric, &str); 3] = [
    (Metric::PeakAccuracy, "Peak accuracy"),
    (Metric::Aiq, "AIQ, optimistic"),
    (
        Metric::GainOverZeroRouter,
        "Gain over zero router, optimistic",
    ),
];
const COSTS: [(Metric, &str); 3] = [
    (Metric::Qnc, "QNC"),
    (
        Metric::CostAtBestSingleUsd,
        "Cost at the best LLM's accuracy",
    ),
    (
        Metric::AccuracyAtBestSingleCost,
        "Accuracy at the best LLM's cost",
    ),
];
const CALLS: [(Metric, &str); 4] = [
    (Metric::Apgr, "APGR"),
    (Metric::Cpt20, "CPT(20%)"),
    (Metric::Cpt50, "CPT(50%)"),
    (Metric::Cpt80, "CPT(80%)"),
];
/// Dollars per query in the CSV, per 1,000 queries in Markdown.
const QUERIES: f64 = 1000.0;

/// Gains are shown in points of accuracy.
const POINTS: f64 = 100.0;

/// The tables, narrow enough to read, and what the numbers are.
pub(super) fn metrics_document(intervals: &Intervals, chance: &Chance) -> Document {
    let document = Document::new()
        .heading(1, Prose::from("Metrics on ").code(&intervals.dataset))
        .paragraph(about(intervals));
    let document = match &intervals.evidence {
        Some(evidence) => document.paragraph(evidence.to_string()),
        None => document,
    };
    let document = document.heading(2, "Gain over the best single LLM");
    let document = match gain_rows(intervals, chance) {
        Some(rows) => {
            let document = document.rows(rows).paragraph(about_gains());
            match about_evidence(intervals) {
                Some(about) => document.paragraph(about),
                None => document,
            }
        }
        None => document.paragraph(
            "Not measured: it takes a router that predicts the score of each LLM, and a train part that says which LLM is the best.",
        ),
    };
    let document = document
        .heading(2, "Areas, cross-fitted")
        .rows(area_rows(intervals, chance))
        .paragraph(
            "Of the routers fitted on the train part, on the test prompts; a gain above that was measured out of fold is of other fits of the same \
             learner, on all prompts. AIQ: mean height of the curve's convex hull over the costs from the cheapest to the dearest point of all routers and LLMs; gain over \
             zero router: AIQ above that of the best mixture of single LLMs that does not look at the prompt. Both with the corners of the \
             hull chosen on one half of the prompts and judged on the other, and the other way round, averaged over ten divisions into halves. AUDC: mean height of the curve itself. \
             More is better. A router that cannot be as cheap as the cheapest LLM counts 0 below its first cost, so routers of a pair lose \
             by their range.",
        )
        .heading(2, "Read off the test curve")
        .rows(section(intervals, &IN_SAMPLE))
        .paragraph(
            "Optimistic, to compare with the literature: the best points of a curve are chosen by the prompts that measure them. Predictions at \
             random come out above the zero router here, beyond these intervals, on nearly every data set. So do the next table's numbers gain \
             from the choice.",
        )
        .heading(2, "Against the best single LLM")
        .rows(section(intervals, &COSTS))
        .paragraph(
            Prose::from("Optimistic as above. QNC, quality-neutral cost: least cost of the best single LLM's accuracy over that LLM's cost; below 1 is a saving, ")
                .code("never")
                .text(" is an accuracy that is not reached. Costs are US dollars per 1,000 queries."),
        );
    let document = match router_bench_rows(intervals) {
        Some(rows) => document
            .heading(2, "As LLMRouterBench measures")
            .rows(rows)
            .paragraph(about_router_bench()),
        None => document,
    };
    match &intervals.pair {
        Some((small, large)) => document
            .heading(2, "Calls of the large LLM")
            .rows(section(intervals, &CALLS))
            .paragraph(about_calls(small, large)),
        None => document,
    }
}

/// A row per router, and below it one per kind of permutation; `None` where nothing was measured.
fn gain_rows(intervals: &Intervals, chance: &Chance) -> Option<Rows> {
    let gains = intervals.gains.as_ref()?;
    let columns = [
        ("router", "Router"),
        ("measured_on", "Measured on"),
        ("n_prompts", "Prompts"),
        ("gain", "Mean gain, points"),
        ("p", "p"),
        ("p_holm", "p, Holm"),
        ("verdict", "Verdict"),
    ];
    let mut rows = Vec::new();
    for (of, chance) in gains.routers.iter().zip(&chance.gains) {
        let mean = of.report.mean;
        let name = of.series.name();
        rows.push(vec![
            Cell::Text(name.clone()),
            Cell::Text(of.measured_on.name().to_owned()),
            Cell::Count(of.report.n_prompts),
            Cell::Written(points(mean.value, [mean.low, mean.high])),
            Cell::Written(p_value(chance.tails.above)),
            Cell::Written(p_value(chance.above_holm)),
            Cell::Text(chance.verdict.to_owned()),
        ]);
        let nulls = of.null.iter().flat_map(|null| {
            [
                ("permuted prompts", &null.over_all),
                ("permuted within tasks", &null.within_tasks),
            ]
        });
        let n_prompts = of.report.n_prompts;
        rows.extend(nulls.map(|(how, null)| null_row(&format!("{name}, {how}"), n_prompts, null)));
    }
    let table = Table {
        columns: columns
            .map(|(csv, markdown)| Column { csv, markdown })
            .into(),
        rows,
        notes: Vec::new(),
    };
    Some(table.rows())
}

/// The mean gain over the permutations, the least and the largest.
fn null_row(name: &str, n_prompts: usize, null: &NullGains) -> Vec<Cell> {
    let (mean, ends) = null.summary();
    vec![
        Cell::Text(name.to_owned()),
        Cell::Text(format!("{} permutations", null.gains.len())),
        Cell::Count(n_prompts),
        Cell::Written(points(mean, ends)),
        Cell::Written(p_value(null.p)),
        Cell::Blank,
        Cell::Blank,
    ]
}

fn about_gains() -> Prose {
    Prose::from(
        "Gain: utility of the router's choice less that of the LLM which is best for all prompts that the router was fitted on; utility is score less cost \
         over the worth of a right answer, averaged over a log grid of such worths. Nothing in it is chosen by the prompts that judge, so a \
         router that knows nothing gains nothing. 1 point is one right answer in a hundred. p: one-sided, for a gain above 0; Holm: corrected \
         for all p-values of this document; the verdict is by Holm's p at 2.5%, on either side. Out of fold, each prompt is judged by a router that was \
         fitted on other folds, not on quite as many prompts, and the mean over repeats is taken where there are several; standard errors are larger \
         by what folds share (1.40 times with five); ",
    )
    .code("train-and-infer --cross-fit 5")
    .text(
        " makes such predictions. Rows of permuted prompts, which --null asks for: the same procedure where prompts were permuted against their scores before fitting: mean gain, least and \
         largest, and the share of gains at least as large as the router's.",
    )
}

/// What gains rest on where scores are missing; `None` where none is.
fn about_evidence(intervals: &Intervals) -> Option<String> {
    let gains = intervals.gains.as_ref()?;
    let of_routers: Vec<String> = (gains.routers.iter())
        .filter(|of| of.report.support.source != PropensitySource::Complete)
        .map(|of| {
            let support = &of.report.support;
            let low_share = support.low_share.max(support.constant_low_share);
            let refused = match support.refusal() {
                Some(Refusal::Deterministic { .. }) => {
                    "; no verdict, as the prompt decided which LLM was asked"
                }
                Some(Refusal::Unsupported { .. }) => {
                    "; no verdict, as the log hardly ever made these choices"
                }
                Some(Refusal::FewEffective { .. }) => "; no verdict, as they are too few",
                None => "",
            };
            format!(
                "{}: choices known as if by {:.0} prompts, {} with a propensity below .01{refused}",
                of.series.name(),
                support.effective_prompts,
                percent(low_share)
            )
        })
        .collect();
    let source = gains.routers.first()?.report.support.source;
    let assumption = match source {
        PropensitySource::Complete => return None,
        PropensitySource::AtRandom => {
            "by the share of prompts for which its LLM's score is known. That is right only if LLMs were asked at random, whatever the prompt and its answer: a \
             log whose policy went by the prompt needs its propensities, which train-and-infer estimates where one LLM was asked for each prompt"
        }
        PropensitySource::Recorded => {
            "by the propensity that the data set says, which is taken to be right"
        }
        PropensitySource::Estimated => {
            "by a propensity that was estimated from the prompts' embeddings. That is right only if whoever chose went by nothing that also matters for the \
             score and that the embedding does not tell, and if there was chance in it"
        }
    };
    Some(format!(
        "Not all scores are known. Gains are doubly robust: what the router predicts of each choice, corrected by the scores that are known, each divided \
         {assumption}. {}.",
        of_routers.join("; ")
    ))
}

/// Cross-fitted areas of all contenders.
fn area_rows(intervals: &Intervals, chance: &Chance) -> Rows {
    let columns = [
        ("router", "Router"),
        ("aiq", "AIQ"),
        ("gain", "Gain over zero router"),
        ("p", "p"),
        ("p_holm", "p, Holm"),
        ("audc", "AUDC"),
    ];
    let row = |(router_idx, (_, name)): (usize, &(String, String))| {
        let area = |area| Cell::Written(shown(Metric::Aiq, intervals.area(router_idx, area)));
        let gain = intervals.area(router_idx, Area::GainOverZeroRouter);
        let against = chance.areas[router_idx].filter(|_| !gain.estimate.is_nan());
        let p = |of: &dyn Fn(&Against) -> f64| match &against {
            Some(against) => Cell::Written(p_value(of(against))),
            None => Cell::Blank,
        };
        vec![
            Cell::Text(name.clone()),
            area(Area::Aiq),
            area(Area::GainOverZeroRouter),
            p(&|against| against.tails.above),
            p(&|against| against.above_holm),
            Cell::Written(shown(Metric::Audc, intervals.of(router_idx, Metric::Audc))),
        ]
    };
    let table = Table {
        columns: columns
            .map(|(csv, markdown)| Column { csv, markdown })
            .into(),
        rows: intervals.routers.iter().enumerate().map(row).collect(),
        notes: Vec::new(),
    };
    table.rows()
}

/// A gain in points of accuracy, with signs.
fn points(value: f64, ends: [f64; 2]) -> String {
    let shown = |value: f64| format!("{:+.2}", POINTS * value);
    match (value.is_nan(), ends[0].is_nan() || ends[1].is_nan()) {
        (true, _) => "N/A".to_owned(),
        (false, true) => shown(value),
        (false, false) => format!("{} [{}, {}]", shown(value), shown(ends[0]), shown(ends[1])),
    }
}

/// How the numbers were estimated.
fn about(intervals: &Intervals) -> Prose {
    let settings = intervals.settings;
    Prose::from(format!(
        "Estimates on {} test prompts unless another number is given. In brackets: {} intervals, by a paired bootstrap ({} resamples of the prompts, \
         seed {}), of gains by Student's t. They are about chance in the prompts; with chance in training they would be 1.1 to 1.2 times as \
         wide. ",
        intervals.n_prompts,
        percent(settings.level),
        settings.n_resamples,
        settings.seed,
    ))
    .code("metrics_table.csv")
    .text(" has the numbers in full, ")
    .code("metrics_differences.csv")
    .text(" the differences between routers with paired intervals.")
}

/// What the metrics of a pair are.
fn about_calls(small: &str, large: &str) -> Prose {
    Prose::from("Of the pair ")
        .code(small)
        .text(" (small) and ")
        .code(large)
        .text(
            " (large); a router of more LLMs is held to these two and ranks prompts by its scores alone, so the RouterBench rule has the \
             numbers of the router whose scores it takes. APGR: mean share of the gap between them that is recovered, over all shares of \
             calls of the large one; .5 is a coin. CPT(x): least share of calls that recovers x of the gap, less is better. N/A where the \
             large LLM is not the better one, and for a router that ranks no prompts.",
        )
}

/// LLMRouterBench's numbers, in percent but for a distance; `None` where it has none.
fn router_bench_rows(intervals: &Intervals) -> Option<Rows> {
    let measured = intervals.router_bench.as_ref()?;
    let columns = [
        ("router", "Router"),
        ("avg_acc", "AvgAcc"),
        ("gain_at_random", "Gain@R"),
        ("gain_at_best", "Gain@B"),
        ("gap_at_oracle", "Gap@O"),
        ("perf_gain", "PerfGain, optimistic"),
        ("cost_save", "CostSave, optimistic"),
        ("pareto_dist", "ParetoDist, optimistic"),
    ];
    let part = |value: f64| match value.is_nan() {
        true => Cell::Written("N/A".to_owned()),
        false => Cell::Written(format!("{:.1}%", 100.0 * value)),
    };
    let row = |((_, name), of): (&(String, String), &RouterBench)| {
        vec![
            Cell::Text(name.clone()),
            part(of.avg_acc),
            part(of.gain_at_random),
            part(of.gain_at_best),
            part(of.gap_at_oracle),
            part(of.perf_gain),
            part(of.cost_save),
            match of.pareto_dist.is_nan() {
                true => Cell::Written("N/A".to_owned()),
                false => Cell::Written(format!("{:.3}", of.pareto_dist)),
            },
        ]
    };
    let table = Table {
        columns: columns
            .map(|(csv, markdown)| Column { csv, markdown })
            .into(),
        rows: (intervals.routers.iter().zip(measured)).map(row).collect(),
        notes: Vec::new(),
    };
    Some(table.rows())
}

fn about_router_bench() -> Prose {
    Prose::from(
        "To compare with arXiv 2601.07206. AvgAcc: mean over tasks of the mean score, with no weight of cost. Gain@R, Gain@B: by how much that exceeds an LLM drawn at random, \
         and the best single LLM in hindsight, relative, mean over tasks. Gap@O: by how much it is below the oracle, relative, less is better. PerfGain: the most accurate \
         setting against the best single LLM, relative. CostSave: what the cheapest setting saves that is as accurate; N/A where none is. ParetoDist: mean distance of \
         the router's settings to the Pareto frontier of all routers and LLMs, with costs and accuracies brought to [0, 1]; less is better. Its authors publish \
         no code for these numbers, and do not say how ParetoDist is scaled. Without intervals; routers of a pair have no setting without a weight of cost.",
    )
}

fn section(intervals: &Intervals, metrics: &[(Metric, &'static str)]) -> Rows {
    let columns = [("router", "Router")]
        .into_iter()
        .chain(metrics.iter().map(|&(metric, name)| (metric.key(), name)))
        .map(|(csv, markdown)| Column { csv, markdown })
        .collect();
    let row = |(router_idx, (_, name)): (usize, &(String, String))| {
        let cells = metrics
            .iter()
            .map(|&(metric, _)| Cell::Written(shown(metric, intervals.of(router_idx, metric))));
        [Cell::Text(name.clone())]
            .into_iter()
            .chain(cells)
            .collect()
    };
    let table = Table {
        columns,
        rows: intervals.routers.iter().enumerate().map(row).collect(),
        notes: Vec::new(),
    };
    table.rows()
}

/// An estimate and its interval.
fn shown(metric: Metric, interval: Interval) -> String {
    if interval.estimate.is_nan() {
        return "N/A".to_owned();
    }
    // Dollars per query have three zeros before the first digit; per 1,000 queries they can be read.
    let factor = if metric == Metric::CostAtBestSingleUsd {
        QUERIES
    } else {
        1.0
    };
    let digits = |value: f64| {
        if value == f64::INFINITY {
            "never".to_owned()
        } else {
            format!("{:.4}", factor * value)
        }
    };
    let Interval {
        estimate,
        low,
        high,
        ..
    } = interval;
    format!("{} [{}, {}]", digits(estimate), digits(low), digits(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(estimate: f64, low: f64, high: f64) -> Interval {
        Interval {
            estimate,
            low,
            high,
            n_defined: 10,
        }
    }

    #[test]
    fn intervals_are_readable() {
        let infinity = f64::INFINITY;
        for (metric, found, expected) in [
            (Metric::Aiq, (0.51239, 0.5, 0.6), "0.5124 [0.5000, 0.6000]"),
            (
                Metric::CostAtBestSingleUsd,
                (0.001, 0.0005, infinity),
                "1.0000 [0.5000, never]",
            ),
            (
                Metric::Qnc,
                (infinity, 0.9, infinity),
                "never [0.9000, never]",
            ),
            (Metric::Apgr, (f64::NAN, f64::NAN, f64::NAN), "N/A"),
        ] {
            let (estimate, low, high) = found;
            assert_eq!(shown(metric, interval(estimate, low, high)), expected);
        }
    }
}
