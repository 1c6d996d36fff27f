//! Which data sets a run is about.

use std::collections::BTreeSet;

use anyhow::bail;
use dataset::DatasetDir;

use crate::{
    data::inputs::{names_under, rate_studies},
    products::catalog,
    settings::job::{Job, Wanted},
};

/// The data sets to draw: those named, those that the paper's names are of, or all.
///
/// # Errors
/// When a named data set does not exist, none of those that a paper's name is of does, there is none at all, or the folder cannot be listed.
pub(crate) fn chosen(job: &Job) -> anyhow::Result<Vec<DatasetDir>> {
    let there = names_under(&job.data_dir)?;
    let studies = rate_studies(&job.data_dir)?;
    let is_of_data_set = |wanted: &&Wanted| catalog::is_of_data_sets(wanted.product);
    let mut names: BTreeSet<String> = BTreeSet::new();
    for wanted in job.wanted.iter().filter(is_of_data_set) {
        match (&wanted.datasets, &job.datasets) {
            (Some(of_paper), _) => {
                let found: Vec<&String> = of_paper.intersection(&there).collect();
                // None of the paper's data sets is here: fail as for a data set that was named, with what would make it.
                if let ([], Some(first)) = (&found[..], of_paper.first()) {
                    DatasetDir::existing(&job.data_dir, first)?;
                }
                names.extend(found.into_iter().cloned());
            }
            // `--dataset` may name a study too. It is not looked up among the data sets, where its
            // absence would be an error.
            (None, Some(named)) => names.extend(named.difference(&studies).cloned()),
            (None, None) => names.extend(there.iter().cloned()),
        }
    }
    // A folder that holds only a study of rates is valid.
    if names.is_empty() && studies.is_empty() && job.wanted.iter().any(|it| is_of_data_set(&it)) {
        bail!(
            "no data sets under `{}`; create one with `cargo run -p gen-synthetic` or another gen-* program",
            job.data_dir.display()
        );
    }
    let existing = names
        .iter()
        .map(|name| DatasetDir::existing(&job.data_dir, name));
    Ok(existing.collect::<dataset::Result<Vec<_>>>()?)
}
