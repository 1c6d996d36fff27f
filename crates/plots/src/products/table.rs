//! Peaks, areas and costs of all routers and LLMs.

mod rows;

use super::evaluated::Evaluated;
use crate::{output::outcome::Outcome, settings::product::Product};

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let stem = of.job.settings.stem(Product::Table, &of.results.dataset);
    let folder = of.job.folder(&of.results.dataset);
    outcome.write_table(&folder, &stem, &rows::method_table(of.results))
}
