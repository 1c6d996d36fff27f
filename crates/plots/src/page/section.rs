//! What the page says of one data set.

use anyhow::bail;
use dataset::{DatasetDir, DatasetInfo};
use tracing::warn;

use super::{chart::Chart, found, html, manifests, shown};
use crate::{
    data::{
        contenders::Role,
        inputs::{self, Found, Inputs},
        results::{Method, Results},
    },
    settings::job::Job,
};

/// A data set's part of the page.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) dataset: String,
    /// Cells of its row in the table at the top, but for its name, as HTML.
    pub(crate) summary: Vec<String>,
    pub(crate) html: String,
    /// The chart's numbers as CSV, where there is a chart.
    pub(crate) curves: Option<String>,
}

/// The routers of a data set, evaluated.
struct Evaluated {
    results: Results,
    chart: Chart,
    /// Routers whose predictions belong to another test split.
    left_out: Vec<String>,
}

impl Section {
    /// Reads and evaluates a data set. One whose predictions cannot be used is in the page all the same, with the reason.
    ///
    /// # Errors
    /// When a manifest, figure or table that is there cannot be read.
    pub(crate) fn new(job: &Job, dir: &DatasetDir, id: &str) -> anyhow::Result<Self> {
        let info = DatasetInfo::read(&dir.info())?;
        let mut page = format!(
            "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>\n<p class=\"facts\">{} LLMs, {} prompts to test on, {} to train on</p>\n",
            html::name(dir.name()),
            info.models.len(),
            info.n_test,
            info.n_train
        );
        let has_predictions = !dir.routers()?.is_empty();
        let evaluated = match has_predictions.then(|| evaluate(job, dir)) {
            None => {
                page += &without_chart("No router has been run on this data set.", dir.name());
                None
            }
            Some(Err(error)) => {
                warn!("no chart of `{}` in the report: {error:#}", dir.name());
                page += &without_chart(&format!("There is no chart: {error:#}."), dir.name());
                None
            }
            Some(Ok(evaluated)) => Some(evaluated),
        };
        let mut left_out = Vec::new();
        if let Some(evaluated) = &evaluated {
            page += &chart(&evaluated.chart, dir.name())?;
            left_out.clone_from(&evaluated.left_out);
        }
        let found = found::of_dataset(&job.plots_dir, dir, &job.settings)?;
        page += &shown::tables_and_figures(&found, Some(dir.name()))?;
        page += &manifests::section(dir, &info, &left_out)?;
        page += "</section>\n";
        let results = evaluated.as_ref().map(|evaluated| &evaluated.results);
        Ok(Self {
            dataset: dir.name().to_owned(),
            summary: summary(&info, results),
            html: page,
            curves: evaluated.map(|evaluated| evaluated.chart.csv()),
        })
    }
}

fn evaluate(job: &Job, dir: &DatasetDir) -> anyhow::Result<Evaluated> {
    let inputs = match Inputs::read(dir)? {
        Found::Inputs(inputs) => inputs,
        Found::Nothing { why, .. } => bail!(why),
    };
    let results = Results::new(&inputs)?;
    let chart = Chart::new(&inputs, &results, &job.settings)?;
    let mut left_out = dir.routers()?;
    left_out.retain(|router| inputs.routers.iter().all(|input| input.router != *router));
    Ok(Evaluated {
        results,
        chart,
        left_out,
    })
}

fn without_chart(why: &str, dataset: &str) -> String {
    format!(
        "<p>{}</p>\n<p>This makes predictions: <code>{}</code></p>\n",
        html::text(why),
        html::text(&inputs::command(dataset))
    )
}

/// What the script fills: legend, chart and readout, and a table of the same numbers. Without scripts the figures say the same.
fn chart(chart: &Chart, dataset: &str) -> anyhow::Result<String> {
    Ok(format!(
        "<div class=\"chart\" role=\"group\" aria-label=\"Accuracy against cost on {}\">
<div class=\"chart-bar\"></div>
<div class=\"chart-area\"></div>
<p class=\"hint\">Point at a curve, or focus the chart and use the arrow keys, to read router, lambda, cost, accuracy and who gets the
prompts. The legend shows and hides curves. Lambda is the least weight of cost from which a point holds; a binary router has a threshold
of its probability instead.</p>
<noscript><p class=\"stale\">The interactive chart needs scripts; the figures and tables below show the same without.</p></noscript>
<details class=\"numbers\"><summary>Numbers of the chart</summary></details>
<script type=\"application/json\">{}</script>
</div>
",
        html::text(dataset),
        html::script_json(chart)?
    ))
}

/// How the data set came out, in a line; a dash where it is not known.
fn summary(info: &DatasetInfo, results: Option<&Results>) -> Vec<String> {
    let mut row = vec![info.models.len().to_string(), info.n_test.to_string()];
    let dash = || "&ndash;".to_owned();
    let share = |value: Option<f64>| value.map_or_else(dash, |value| format!("{value:.4}"));
    let best_single = results.and_then(|results| results.best_single.as_ref());
    row.push(best_single.map_or_else(dash, |best| html::name(&best.name)));
    row.push(share(best_single.map(|best| best.point.accuracy)));
    let best = results.and_then(best_router);
    row.push(best.map_or_else(dash, |method| html::name(&method.series.name())));
    let metrics = best.map(|method| method.metrics);
    row.push(share(
        metrics.and_then(|metrics| metrics.peak.map(|peak| peak.accuracy)),
    ));
    row.push(match metrics {
        Some(metrics) => metrics
            .qnc
            .map_or_else(|| "never".to_owned(), |qnc| format!("{:.1}%", 100.0 * qnc)),
        None => dash(),
    });
    row
}

/// The router with the largest area; of equal ones the first of the legend.
fn best_router(results: &Results) -> Option<&Method> {
    let is_router =
        |method: &&Method| matches!(method.role, Role::PerModelRouter | Role::PairRouter);
    let routers = results.methods.iter().filter(is_router);
    routers
        .filter_map(|method| Some((method, method.metrics.aiq?)))
        .reduce(|best, other| if other.1 > best.1 { other } else { best })
        .map(|(method, _)| method)
}
