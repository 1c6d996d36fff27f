//! Peaks, areas and costs of all routers and LLMs.

use super::{Evaluated, Product};
use crate::{outcome::Outcome, reports};

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let stem = of.job.settings.stem(Product::Table, &of.results.dataset);
    let folder = of.job.folder(&of.results.dataset);
    outcome.write_table(&folder, &stem, &reports::method_table(of.results))
}
