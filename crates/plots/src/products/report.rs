//! report.html, and the numbers of its charts.

use anyhow::Context as _;
use dataset::WorthRecord;
use tracing::info;

use super::worth;
use crate::{
    output::outcome::Outcome,
    page::{self, evaluation::Evaluations},
    settings::job::Job,
};

/// The page of everything that is in the folder of figures by now. Without a figure or a table of this run it is made only where nothing else was
/// asked for: a run that fails leaves the page that it found.
pub(super) fn make(job: &Job, all: &Evaluations, outcome: &mut Outcome) -> anyhow::Result<()> {
    if outcome.is_empty() && job.wanted.len() > 1 {
        return Ok(());
    }
    let style = job.settings.style();
    let draw_worth = |record: &WorthRecord| Ok(worth::of_record::draw(record, &style)?);
    let page = page::make(job, all, outcome.sources(), &draw_worth);
    let page = page.context("cannot make the report")?;
    // The page spans all data sets; files are written for those that were asked for.
    let is_wanted =
        |dataset: &String| (job.datasets.as_ref()).is_none_or(|names| names.contains(dataset));
    for (dataset, csv) in page.curves.iter().filter(|(name, _)| is_wanted(name)) {
        let path = job.folder(dataset).join(page::curves_file());
        outcome.write(path, csv.as_bytes())?;
    }
    for (dataset, error) in page.broken.into_iter().filter(|(name, _)| is_wanted(name)) {
        outcome.fail(dataset, error);
    }
    let path = job.plots_dir.join("report.html");
    info!("`{}` has {} kB", path.display(), page.html.len() / 1000);
    outcome.write(path, page.html.as_bytes())
}
