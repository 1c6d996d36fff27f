//! The field's metrics with bootstrap intervals.

mod rows;

use super::evaluated::Evaluated;
use crate::{
    data::intervals::Intervals,
    output::outcome::Outcome,
    settings::product::{METRICS_DIFFERENCES, Product},
};

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let folder = of.job.folder(&of.results.dataset);
    let intervals = Intervals::new(of.inputs, of.job.settings.bootstrap)?;
    outcome.write_document(
        &folder,
        Product::MetricsTable.name(),
        &rows::metrics_document(&intervals),
        &rows::metrics_csv(&intervals),
    )?;
    let differences = rows::differences_csv(&intervals);
    outcome.write(
        folder.join(format!("{METRICS_DIFFERENCES}.csv")),
        differences.as_bytes(),
    )
}
