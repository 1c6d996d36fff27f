//! How well the paper's KNN predicts, over all data sets.

mod rows;

use dataset::router_names::CARROT_KNN;
use evaluation::published::Published;

use crate::{
    data::{inputs, results::Results},
    output::outcome::Outcome,
    page::evaluation::Evaluations,
    settings::{job::Job, product::Product},
};

pub(super) fn make(job: &Job, all: &Evaluations, outcome: &mut Outcome) -> anyhow::Result<()> {
    let name = Product::KnnAccuracyTable.name();
    let evaluated = all.values().flatten();
    let results: Vec<&Results> = evaluated.map(|evaluation| &evaluation.results).collect();
    let (table, document) = rows::knn_accuracy_table(&results, &Published::read(None)?);
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
