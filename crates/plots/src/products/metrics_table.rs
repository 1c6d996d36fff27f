//! The field's metrics with bootstrap intervals.

use super::{Evaluated, METRICS_DIFFERENCES, Product};
use crate::{intervals::Intervals, outcome::Outcome, reports};

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let folder = of.job.folder(&of.results.dataset);
    let intervals = Intervals::new(of.inputs, of.job.settings.bootstrap)?;
    outcome.write_document(
        &folder,
        Product::MetricsTable.name(),
        &reports::metrics_document(&intervals),
        &reports::metrics_csv(&intervals),
    )?;
    let differences = reports::differences_csv(&intervals);
    outcome.write(
        folder.join(format!("{METRICS_DIFFERENCES}.csv")),
        differences.as_bytes(),
    )
}
