//! report.html: everything of all data sets on one page that needs nothing else.
//!
//! The page opens with whether routing is worth it, where `carrot-router worth` has measured that (`data/<name>/worth.json`), and shows every file in the folder of figures, whichever run wrote it. A file whose inputs have changed since is only named, with the
//! command that regenerates it. An interactive chart per data set and the manifests are added. The page loads nothing: it contains its styles,
//! script, numbers and figures, and its policy forbids everything else. It has no date, so that the same files give the same page.

use anyhow::Context as _;
use charts::draw::text::printable;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{data::inputs, output::sources::Sources, settings::job::Job};

pub(crate) mod evaluation;

mod chart;
mod embed;
mod files;
mod found;
mod manifests;
mod origin;
mod section;
mod shown;
mod stem;
mod tables;
mod worth;

use self::{evaluation::Evaluations, section::Section, tables::Column, worth::DrawWorth};

const STYLE: &str = include_str!("../assets/report.css");
const SCRIPT: &str = include_str!("../assets/report.js");
// The page quotes names that came with other people's data. Should one get past the escaping, the
// policy still keeps it from loading or sending anything.
/// Nothing comes from elsewhere; figures are images in the page itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                      form-action 'none'";
const SUMMARY: [(&str, bool); 8] = [
    ("Data set", false),
    ("LLMs", true),
    ("Test prompts", true),
    ("Best LLM", false),
    ("Its accuracy", true),
    ("Router of the largest area", false),
    ("Its peak accuracy", true),
    ("Cost of the best LLM's accuracy", true),
];

/// The page, and what its charts were drawn from.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) html: String,
    /// Of each data set with a chart: its name, and the chart's numbers as CSV.
    pub(crate) curves: Vec<(String, String)>,
    /// The data sets that the page cannot describe, and why; it says so, too.
    pub(crate) broken: Vec<(String, anyhow::Error)>,
}

/// The name of a chart's numbers in the data set's folder of figures.
pub(crate) fn curves_file() -> String {
    format!("{}.csv", found::CHART_STEM)
}

/// Makes the page of all data sets under the data folder. The same files give the same bytes. `draw_worth` draws the chart of a verdict.
///
/// # Errors
/// When a folder cannot be listed.
pub(crate) fn make(
    job: &Job,
    all: &Evaluations,
    sources: &mut Sources,
    draw_worth: &DrawWorth<'_>,
) -> anyhow::Result<Page> {
    let dirs = inputs::all(&job.data_dir)?;
    // What was judged first: the page opens with it, however many data sets nobody has asked about.
    let (judged, others): (Vec<usize>, Vec<usize>) =
        (0..dirs.len()).partition(|&i| dirs[i].worth().is_file());
    let verdicts: Vec<Markup> = (judged.into_iter().chain(others))
        .map(|i| worth::card(&dirs[i], &id(i), draw_worth))
        .collect();
    let (mut sections, mut broken) = (Vec::new(), Vec::new());
    for (i, dir) in dirs.iter().enumerate() {
        let evaluation = all.get(dir.name()).map(Result::as_ref);
        let section = Section::new(job, dir, &id(i), evaluation, sources)
            .with_context(|| format!("cannot report on data set `{}`", dir.name()));
        // One that cannot be read must not cost the page of all others.
        sections.push(section.unwrap_or_else(|error| {
            let section = Section::of_broken(dir.name(), &id(i), &error);
            broken.push((dir.name().to_owned(), error));
            section
        }));
    }
    let over_all = shown::tables_and_figures(&found::over_all(job, sources)?, None);
    let html = page(&verdicts, &sections, &over_all).into_string();
    Ok(Page {
        // Names, manifests and tables of other people may hold what HTML must not.
        html: printable(&html).into_owned(),
        curves: sections
            .into_iter()
            .filter_map(|section| Some((section.dataset, section.curves?)))
            .collect(),
        broken,
    })
}

/// Where a data set's section begins. Its name may hold what an address must not.
fn id(dataset_idx: usize) -> String {
    format!("dataset-{}", dataset_idx + 1)
}

fn page(verdicts: &[Markup], sections: &[Section], over_all: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head())
            body {
                a.skip href="#main" { "To the results" }
                (header(sections))
                main id="main" {
                    (worth::all(verdicts))
                    (summary(sections))
                    (over_all)
                    @for section in sections { (section.html) }
                }
                (footer())
                // Our own file, which ends no element; as for numbers in `script_json`, entities would not be resolved.
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn head() -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(POLICY);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            title { "CARROT: accuracy and cost of routing" }
            style { (PreEscaped(STYLE)) }
        }
    }
}

fn header(sections: &[Section]) -> Markup {
    html! {
        header {
            h1 { "Accuracy and cost of routing" }
            nav aria-label="Data sets" {
                ul {
                    @for (i, section) in sections.iter().enumerate() {
                        li { a href={ "#" (id(i)) } { (embed::name(&section.dataset)) } }
                    }
                }
            }
        }
    }
}

fn footer() -> Markup {
    html! {
        footer {
            p {
                "Made by " code { "cargo run -p plots" } ", version " (env!("CARGO_PKG_VERSION")) ", from " code { "data/" } " and "
                code { "plots/" } ". The page needs no network and no other file. Costs are US dollars. CARROT: "
                cite { "Cost AwaRe Rate Optimal rouTer" } ", arXiv 2502.03261."
            }
        }
    }
}

fn summary(sections: &[Section]) -> Markup {
    let columns = SUMMARY.map(|(name, is_number)| Column {
        name: name.to_owned(),
        is_number,
    });
    let rows: Vec<Vec<Markup>> = (sections.iter().enumerate())
        .map(|(i, section)| {
            let link = html! { a href={ "#" (id(i)) } { (section.dataset) } };
            [link]
                .into_iter()
                .chain(section.summary.iter().cloned())
                .collect()
        })
        .collect();
    html! {
        h2 { "At a glance" }
        p.lead {
            "For each prompt a router picks the LLM with the highest (1 \u{2212} \u{3bb}) \u{b7} score \u{2212} \u{3bb} \u{b7} cost, both \
             predicted. As \u{3bb} goes from 0 to 1 it moves along a curve, from the most accurate answers to the cheapest. Everything here was \
             measured on prompts that the router has not seen."
        }
        (tables::table(&columns, &rows, "Data sets"))
        p.note {
            "Router of the largest area: among those that look at the prompt, the one whose curve's convex hull has the largest mean height over the \
             range of costs (AIQ). Area, peak, and the cost at which the router matches the best LLM's accuracy, as a share of that LLM's cost, are \
             read off the test curve and therefore optimistic: they do not say that routing is worth it, nor that one router is better. The \
             gains and cross-fitted areas in the tables below do, with intervals."
        }
    }
}
