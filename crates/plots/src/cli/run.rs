//! The work itself: data sets in, files out.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use dataset::{DatasetDir, Lock, atomic};
use tracing::{info, warn};

use super::selection;
use crate::{
    data::{
        inputs::{self, Found, Inputs},
        results::Results,
    },
    output::outcome::Outcome,
    products::{
        catalog::{Maker, maker},
        evaluated::Evaluated,
    },
    settings::{job::Job, product::Product},
};

/// The name of the lock of what is about all data sets; none of them begins with a dot.
const OF_ALL: &str = ".of-all";

/// Makes what is asked for, in the order of [`crate::settings::product::Product::ALL`] for one data set after another; returns the paths written. What was
/// skipped is logged, with the command that would make its input.
///
/// # Errors
/// When data sets or predictions cannot be read or evaluated, a file cannot be written, or none of what was asked for can be made.
pub(crate) fn run(job: &Job) -> anyhow::Result<Vec<PathBuf>> {
    atomic::sweep_tree(&job.plots_dir);
    let mut outcome = Outcome::new(&job.data_dir);
    let mut all = Vec::new();
    // Studies come first because they need no data set: a broken data set must not keep their figures
    // from being drawn.
    for product in wanted(job) {
        if let Maker::Studies(make) = maker(product) {
            outcome.forget_inputs();
            make(job, &mut outcome)?;
        }
    }
    if wanted(job).any(|product| product == Product::KnnAccuracyTable) {
        // Before any of them is read, as in `of_dataset`.
        outcome.sources().of_all()?;
    }
    let chosen = selection::chosen(job)?;
    // All of them before the first is drawn, and as long as the run takes: of the same folder two runs would mix their figures.
    let locks = chosen.iter().map(|dir| Lock::of(&job.folder(dir.name())));
    let _locks = locks.collect::<Result<Vec<_>, _>>()?;
    for dir in chosen {
        info!("drawing `{}`", dir.name());
        let results = of_dataset(job, &dir, &mut outcome)
            .with_context(|| format!("cannot draw data set `{}`", dir.name()))?;
        all.extend(results);
    }
    let of_all = |product: Product| match maker(product) {
        Maker::All(make) => Some(make),
        Maker::Predictions(_) | Maker::Dataset(_) | Maker::Studies(_) => None,
    };
    let makers: Vec<_> = wanted(job).filter_map(of_all).collect();
    if !makers.is_empty() {
        all.extend(others(job, &all)?);
        // Those of this run and the others were read in turn; a table over all data sets must not depend on which of them were drawn.
        all.sort_by(|a, b| a.dataset.cmp(&b.dataset));
    }
    // Runs on different data sets both write these, one after the other.
    let _lock = match makers.is_empty() {
        true => None,
        false => Some(Lock::wait_for(&job.folder(OF_ALL), |holder| {
            info!("waiting for the tables of all data sets, which are being written by {holder}");
        })?),
    };
    for make in makers {
        outcome.forget_inputs();
        make(job, &all, &mut outcome)?;
    }
    let written = outcome.report();
    // A run that writes nothing has to fail, or a script would go on and publish the files of an
    // earlier run.
    if written.is_empty() {
        bail!(
            "none of the requested figures and tables could be made; the log says what is missing"
        );
    }
    Ok(written)
}

/// Everything about one data set; returns what its predictions are worth, if there are any and something needs them.
fn of_dataset(
    job: &Job,
    dir: &DatasetDir,
    outcome: &mut Outcome,
) -> anyhow::Result<Option<Results>> {
    let products: Vec<Product> = wanted_of(job, dir.name()).collect();
    let needs_predictions =
        |&product: &Product| matches!(maker(product), Maker::Predictions(_) | Maker::All(_));
    // Evaluated once for all products: it takes most of a run, and the figures and tables of one run
    // have to agree.
    let mut evaluated = None;
    if products.iter().any(needs_predictions) {
        for &product in &products {
            if matches!(maker(product), Maker::Predictions(_)) {
                // Hashed before they are read: were they replaced in between, the figures would pass for those of the new ones.
                outcome.sources().of_dataset(product, dir, None)?;
            }
        }
        match Inputs::read(dir)? {
            Found::Inputs(inputs) => {
                let results = Results::new(&inputs)?;
                evaluated = Some((inputs, results));
            }
            Found::Nothing { why, cure } => outcome.skip(dir.name().to_owned(), why, cure),
        }
    }
    for product in products {
        outcome.forget_inputs();
        match (maker(product), &evaluated) {
            (Maker::Predictions(make), Some((inputs, results))) => {
                outcome.uses_inputs_of(product, dir, None)?;
                let of = Evaluated {
                    job,
                    inputs,
                    results,
                };
                make(&of, outcome)?;
            }
            (Maker::Dataset(make), _) => make(job, dir, outcome)?,
            // Missing predictions were reported above, once for the data set rather than once for each
            // figure.
            (Maker::Predictions(_), None) | (Maker::Studies(_) | Maker::All(_), _) => {}
        }
    }
    Ok(evaluated.map(|(_, results)| results))
}

/// All that is wanted of a data set, in the order of [`Product::ALL`].
fn wanted_of(job: &Job, dataset: &str) -> impl Iterator<Item = Product> {
    Product::ALL.into_iter().filter(move |&product| {
        job.wanted.iter().any(|wanted| {
            // A figure that was asked for by the paper's name is wanted of the paper's data sets alone.
            let datasets = wanted.datasets.as_ref().or(job.datasets.as_ref());
            wanted.product == product && datasets.is_none_or(|names| names.contains(dataset))
        })
    })
}

/// All that is wanted of any data set.
fn wanted(job: &Job) -> impl Iterator<Item = Product> {
    let is_wanted = |product: &Product| job.wanted.iter().any(|it| it.product == *product);
    Product::ALL.into_iter().filter(is_wanted)
}

/// Results of the data sets that were not to be drawn: a table of all spans them too, so that drawing one does not drop the rows of the others.
fn others(job: &Job, drawn: &[Results]) -> anyhow::Result<Vec<Results>> {
    let mut others = Vec::new();
    for dir in inputs::with_predictions(&job.data_dir)? {
        if drawn.iter().any(|results| results.dataset == dir.name()) {
            continue;
        }
        let results = Inputs::read(&dir).and_then(|found| match found {
            Found::Inputs(inputs) => Results::new(&inputs).map(Some),
            Found::Nothing { .. } => Ok(None),
        });
        match results {
            Ok(results) => others.extend(results),
            // Nobody asked for this data set, so its fault must not stop what was asked for.
            Err(error) => warn!("leaving `{}` out of the tables: {error:#}", dir.name()),
        }
    }
    Ok(others)
}
