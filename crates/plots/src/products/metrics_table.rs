//! The field's metrics with bootstrap intervals, and the routers' gains over the best single LLM.

mod chance;
mod document;
mod numbers;

use self::chance::Chance;
use super::evaluated::Evaluated;
use crate::{
    data::intervals::Intervals,
    output::outcome::Outcome,
    settings::product::{METRICS_DIFFERENCES, Product},
};

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let folder = of.job.folder(&of.results.dataset);
    let intervals = Intervals::new(of.inputs, of.job.settings.comparisons())?;
    let chance = Chance::new(&intervals);
    outcome.write_document(
        &folder,
        Product::MetricsTable.name(),
        &document::metrics_document(&intervals, &chance),
        &numbers::metrics_csv(&intervals, &chance),
    )?;
    let differences = numbers::differences_csv(&intervals);
    outcome.write(
        folder.join(format!("{METRICS_DIFFERENCES}.csv")),
        differences.as_bytes(),
    )
}
