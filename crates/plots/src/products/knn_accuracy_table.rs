//! How well the paper's KNN predicts, over all data sets.

mod rows;

use dataset::router_names::CARROT_KNN;
use evaluation::published::Published;

use crate::{
    data::{inputs, results::Results},
    output::outcome::Outcome,
    settings::{job::Job, product::Product},
};

pub(super) fn make(job: &Job, all: &[Results], outcome: &mut Outcome) -> anyhow::Result<()> {
    let name = Product::KnnAccuracyTable.name();
    let (table, document) = rows::knn_accuracy_table(all, &Published::read(None)?);
    if table.rows.is_empty() {
        outcome.skip(
            name.to_owned(),
            format!("no data set has predictions of `{CARROT_KNN}`"),
            format!("create some with `{}`", inputs::command("NAME")),
        );
        return Ok(());
    }
    outcome.uses_all_data_sets()?;
    outcome.write_document(&job.plots_dir, name, &document, &table.csv())
}
