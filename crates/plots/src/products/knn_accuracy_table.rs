//! How well the paper's KNN predicts, over all data sets.

use super::Product;
use crate::{args::Job, inputs, outcome::Outcome, published::Published, reports, results::Results};

pub(super) fn make(job: &Job, all: &[Results], outcome: &mut Outcome) -> anyhow::Result<()> {
    let name = Product::KnnAccuracyTable.name();
    let (table, document) = reports::knn_accuracy_table(all, &Published::read()?);
    if table.rows.is_empty() {
        outcome.skip(
            name.to_owned(),
            "no data set has predictions of `carrot-knn`",
            format!("make some with `{}`", inputs::command("NAME")),
        );
        return Ok(());
    }
    outcome.from_all_data_sets()?;
    outcome.write_document(&job.plots_dir, name, &document, &table.csv())
}
