//! report.html: everything of all data sets on one page that needs nothing else.
//!
//! The page shows what lies under the folder of figures, of every data set, whichever run left it; what is older than its input is named
//! instead, with the command that makes it anew. To that it adds an interactive chart per data set, and the manifests. It loads nothing:
//! styles, script, numbers and figures are in it, and its policy forbids the rest. There is no date in it.

use anyhow::Context as _;
use dataset::DatasetDir;

use crate::{data::inputs, settings::job::Job};

mod chart;
mod found;
mod html;
mod manifests;
mod markdown;
mod section;
mod shown;

use self::section::Section;

const STYLE: &str = include_str!("../assets/report.css");
const SCRIPT: &str = include_str!("../assets/report.js");
/// Nothing comes from elsewhere; figures are images in the page itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                      form-action 'none'";
const SUMMARY: [(&str, bool); 8] = [
    ("Data set", false),
    ("LLMs", true),
    ("Test prompts", true),
    ("Best LLM", false),
    ("Its accuracy", true),
    ("Best router", false),
    ("Its peak accuracy", true),
    ("Cost of the best LLM's accuracy", true),
];

/// The page, and what its charts were drawn from.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) html: String,
    /// Of each data set with a chart: its name, and the chart's numbers as CSV.
    pub(crate) curves: Vec<(String, String)>,
}

/// The name of a chart's numbers in the data set's folder of figures.
pub(crate) fn curves_file() -> String {
    format!("{}.csv", found::CHART_STEM)
}

/// Makes the page of all data sets under the data folder. The same files give the same bytes.
///
/// # Errors
/// When there is no data set, or a manifest, figure or table that is there cannot be read.
pub(crate) fn make(job: &Job) -> anyhow::Result<Page> {
    let dirs = inputs::all(&job.data_dir)?;
    let sections = (dirs.iter().enumerate())
        .map(|(i, dir)| {
            Section::new(job, dir, &id(i))
                .with_context(|| format!("cannot report on data set `{}`", dir.name()))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Page {
        html: page(job, &dirs, &sections)?,
        curves: sections
            .into_iter()
            .filter_map(|section| Some((section.dataset, section.curves?)))
            .collect(),
    })
}

/// Where a data set's section begins. Its name may hold what an address must not.
fn id(dataset_idx: usize) -> String {
    format!("dataset-{}", dataset_idx + 1)
}

fn page(job: &Job, dirs: &[DatasetDir], sections: &[Section]) -> anyhow::Result<String> {
    let links: String = sections
        .iter()
        .enumerate()
        .map(|(i, section)| {
            format!(
                "<li><a href=\"#{}\">{}</a></li>\n",
                id(i),
                html::name(&section.dataset)
            )
        })
        .collect();
    let over_all = shown::tables_and_figures(&found::over_all(job, dirs)?, None)?;
    let bodies: String = sections.iter().map(|section| &*section.html).collect();
    let version = env!("CARGO_PKG_VERSION");
    Ok(format!(
        "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"referrer\" content=\"no-referrer\">
<title>CARROT: accuracy and cost of routing</title>
<style>
{STYLE}</style>
</head>
<body>
<a class=\"skip\" href=\"#main\">To the results</a>
<header>
<h1>Accuracy and cost of routing</h1>
<p class=\"lead\">For each prompt a router picks the LLM with the highest (1 &minus; &lambda;) &middot; score &minus; &lambda; &middot; cost, both
predicted. As &lambda; goes from 0 to 1 it moves along a curve, from the most accurate answers to the cheapest. Everything here was measured
on test prompts that no router has seen.</p>
<nav aria-label=\"Data sets\"><ul>
{links}</ul></nav>
</header>
<main id=\"main\">
{}{over_all}{bodies}</main>
<footer>
<p>Made by <code>cargo run -p plots</code>, version {version}, from <code>data/</code> and <code>plots/</code>. The page needs no network and no
other file. Costs are US dollars. CARROT: <cite>Cost AwaRe Rate Optimal rouTer</cite>, arXiv 2502.03261.</p>
</footer>
<script>
{SCRIPT}</script>
</body>
</html>
",
        summary(sections)
    ))
}

fn summary(sections: &[Section]) -> String {
    let rows: Vec<Vec<String>> = (sections.iter().enumerate())
        .map(|(i, section)| {
            let name = html::text(&section.dataset);
            let mut row = vec![format!("<a href=\"#{}\">{name}</a>", id(i))];
            row.extend(section.summary.iter().cloned());
            row
        })
        .collect();
    let header = SUMMARY.map(|(name, _)| name.to_owned());
    let table = markdown::html_table(&header, &rows, |i| SUMMARY[i].1, "Data sets");
    format!(
        "<h3>At a glance</h3>\n{table}<p class=\"note\">Best router: the one of those that look at the prompt with the largest mean height over the \
         costs (AIQ). Its peak, and the cost at which it reaches the best LLM's accuracy as a share of what that LLM costs, are read off the \
         test curve, so they are optimistic; the tables below have intervals.</p>\n"
    )
}
