//! The page's section about one data set.

use std::collections::BTreeMap;

use dataset::{DatasetDir, DatasetInfo};
use maud::{Markup, html};

use super::{chart::Chart, embed, evaluation::Evaluation, found, manifests, shown};
use crate::{
    data::{
        contenders::Role,
        inputs,
        results::{Method, Results},
    },
    output::sources::Sources,
    settings::job::Job,
};

/// What is not known.
const DASH: &str = "\u{2013}";

/// A data set's part of the page.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) dataset: String,
    /// Cells of its row in the table at the top, but for its name.
    pub(crate) summary: Vec<Markup>,
    pub(crate) html: Markup,
    /// The chart's numbers as CSV, where there is a chart.
    pub(crate) curves: Option<String>,
}

impl Section {
    /// Describes a data set. One whose predictions could not be evaluated still gets a section, which gives the reason.
    ///
    /// # Errors
    /// When a folder cannot be listed, or dataset.json not be read.
    pub(crate) fn new(
        job: &Job,
        dir: &DatasetDir,
        id: &str,
        evaluation: Option<Result<&Evaluation, &String>>,
        sources: &mut Sources,
    ) -> anyhow::Result<Self> {
        let info = DatasetInfo::read(&dir.info())?;
        let has_predictions = !dir.routers()?.is_empty();
        let chart = match evaluation {
            Some(Ok(evaluation)) => chart(&evaluation.chart, dir.name())?,
            Some(Err(why)) if has_predictions => {
                without_chart(&format!("No chart: {why}."), dir.name())
            }
            Some(Err(_)) | None => {
                without_chart("No router has been run on this data set.", dir.name())
            }
        };
        let evaluated = evaluation.and_then(Result::ok);
        let nothing = BTreeMap::new();
        let left_out = evaluated.map_or(&nothing, |evaluated| &evaluated.left_out);
        let found = found::of_dataset(&job.plots_dir, dir, &job.settings, sources)?;
        let html = html! {
            section aria-labelledby=(id) {
                h2 id=(id) { (embed::name(dir.name())) }
                p.facts {
                    (info.models.len()) " LLMs, " (info.n_test) " test prompts, " (info.n_train) " training prompts"
                }
                @if let Some(evidence) = evaluated.and_then(|evaluated| evaluated.results.evidence.as_ref()) {
                    p.facts { (evidence) }
                }
                (chart)
                (shown::tables_and_figures(&found, Some(dir.name())))
                (manifests::section(dir, &info, left_out)?)
            }
        };
        let results = evaluated.map(|evaluated| &evaluated.results);
        Ok(Self {
            dataset: dir.name().to_owned(),
            summary: summary(&info, results),
            html,
            curves: evaluated.map(|evaluated| evaluated.chart.csv()),
        })
    }

    /// The section of a data set that cannot be read.
    pub(crate) fn of_broken(dataset: &str, id: &str, error: &anyhow::Error) -> Self {
        let n_columns = super::SUMMARY.len() - 1;
        Self {
            dataset: dataset.to_owned(),
            summary: vec![html! { (DASH) }; n_columns],
            html: html! {
                section aria-labelledby=(id) {
                    h2 id=(id) { (embed::name(dataset)) }
                    p.stale { "Not shown: " (format!("{error:#}")) "." }
                }
            },
            curves: None,
        }
    }
}

fn without_chart(why: &str, dataset: &str) -> Markup {
    html! {
        p { (why) }
        p { "To create predictions, run " code { (inputs::command(dataset)) } }
    }
}

/// What the script fills: legend, chart and readout, and a table of the same numbers. Without scripts the figures show the same.
fn chart(chart: &Chart, dataset: &str) -> anyhow::Result<Markup> {
    let label = format!("Accuracy against cost on {dataset}");
    Ok(html! {
        div.chart role="group" aria-label=(label) {
            div.chart-bar {}
            div.chart-area {}
            p.hint {
                "Point at a curve, or focus the chart and use the arrow keys, to read the router, lambda, cost, accuracy and which LLMs get \
                 the prompts. The legend shows and hides curves. A point's lambda is the least weight of cost at which it is reached; a binary \
                 router has a threshold on its probability instead."
            }
            noscript {
                p.stale {
                    "The interactive chart needs JavaScript; the figures and tables below show the same numbers without it."
                }
            }
            details.numbers { summary { "Numbers of the chart" } }
            script type="application/json" { (embed::script_json(chart)?) }
        }
    })
}

/// The results of the data set in one row of the summary, with a dash for what is not known.
fn summary(info: &DatasetInfo, results: Option<&Results>) -> Vec<Markup> {
    let share = |value: Option<f64>| match value {
        Some(value) => html! { (format!("{value:.4}")) },
        None => html! { (DASH) },
    };
    let name = |name: Option<&str>| match name {
        Some(name) => embed::name(name),
        None => html! { (DASH) },
    };
    let best_single = results.and_then(|results| results.best_single.as_ref());
    let best = results.and_then(best_router);
    let best_name = best.map(|method| method.series.name());
    let metrics = best.map(|method| method.metrics);
    let peak = metrics.and_then(|metrics| metrics.peak);
    let cost = match metrics.map(|metrics| metrics.qnc) {
        Some(Some(qnc)) => format!("{:.1}%", 100.0 * qnc),
        // Not a dash: that no router reaches this accuracy was measured, and is not a gap in the data.
        Some(None) => "never".to_owned(),
        None => DASH.to_owned(),
    };
    vec![
        html! { (info.models.len()) },
        html! { (info.n_test) },
        name(best_single.map(|best| &*best.name)),
        share(best_single.map(|best| best.point.accuracy)),
        name(best_name.as_deref()),
        share(peak.map(|peak| peak.accuracy)),
        html! { (cost) },
    ]
}

/// The router with the largest area; of equal ones the first of the legend.
fn best_router(results: &Results) -> Option<&Method> {
    // By area and not by peak: the peak is the best of many points on one test part, and choosing by
    // it would favor the noisiest curve.
    let is_router =
        |method: &&Method| matches!(method.role, Role::PerModelRouter | Role::PairRouter);
    let routers = results.methods.iter().filter(is_router);
    routers
        .filter_map(|method| Some((method, method.metrics.aiq?)))
        .reduce(|best, other| if other.1 > best.1 { other } else { best })
        .map(|(method, _)| method)
}
