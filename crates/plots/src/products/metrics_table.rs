//! The field's metrics with bootstrap intervals.

use super::Evaluated;
use crate::{intervals::Intervals, outcome::Outcome, reports};

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let folder = of.job.folder(&of.results.dataset);
    let intervals = Intervals::new(of.inputs, of.job.settings.bootstrap)?;
    for (file, text) in [
        ("metrics_table.md", reports::metrics_markdown(&intervals)),
        ("metrics_table.csv", reports::metrics_csv(&intervals)),
        (
            "metrics_differences.csv",
            reports::differences_csv(&intervals),
        ),
    ] {
        outcome.write(folder.join(file), text.as_bytes())?;
    }
    Ok(())
}
