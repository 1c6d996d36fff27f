//! The field's metrics with bootstrap intervals.

mod rows;

use super::evaluated::Evaluated;
use crate::{data::intervals::Intervals, output::outcome::Outcome};

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let folder = of.job.folder(&of.results.dataset);
    let intervals = Intervals::new(of.inputs, of.job.settings.bootstrap)?;
    for (file, text) in [
        ("metrics_table.md", rows::metrics_markdown(&intervals)),
        ("metrics_table.csv", rows::metrics_csv(&intervals)),
        ("metrics_differences.csv", rows::differences_csv(&intervals)),
    ] {
        outcome.write(folder.join(file), text.as_bytes())?;
    }
    Ok(())
}
