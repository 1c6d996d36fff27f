//! The work itself: data sets in, files out.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use dataset::DatasetDir;
use tracing::{info, warn};

use crate::{
    args::Job,
    inputs::{self, Found, Inputs},
    outcome::Outcome,
    products::{Evaluated, Maker, Product},
    results::Results,
};

/// Makes what is asked for, in the order of [`crate::products::Product::ALL`] for one data set after another; returns the paths written. What was
/// skipped is logged, with the command that would make its input.
///
/// # Errors
/// When data sets or predictions cannot be read or evaluated, a file cannot be written, or nothing that was asked for can be made.
pub(crate) fn run(job: &Job) -> anyhow::Result<Vec<PathBuf>> {
    let mut outcome = Outcome::new(&job.data_dir);
    let mut all = Vec::new();
    for make in job.all_makers() {
        if let Maker::Studies(make) = make {
            outcome.from_unknown();
            make(job, &mut outcome)?;
        }
    }
    let is_wanted = |product| job.wanted.iter().any(|wanted| wanted.product == product);
    if is_wanted(Product::KnnAccuracyTable) {
        // Before any of them is read, as in `of_dataset`.
        outcome.sources().of_all()?;
    }
    for dir in inputs::chosen(job)? {
        info!("drawing `{}`", dir.name());
        let results = of_dataset(job, &dir, &mut outcome)
            .with_context(|| format!("cannot draw data set `{}`", dir.name()))?;
        all.extend(results);
    }
    let of_all = |maker: Maker| match maker {
        Maker::All(make) => Some(make),
        Maker::Predictions(_) | Maker::Dataset(_) | Maker::Studies(_) => None,
    };
    let makers: Vec<_> = job.all_makers().filter_map(of_all).collect();
    if !makers.is_empty() {
        all.extend(others(job, &all)?);
        all.sort_by(|a, b| a.dataset.cmp(&b.dataset));
    }
    for make in makers {
        outcome.from_unknown();
        make(job, &all, &mut outcome)?;
    }
    let written = outcome.report();
    if written.is_empty() {
        bail!("nothing could be made of what was asked for; the log says what is missing");
    }
    Ok(written)
}

/// Everything about one data set; returns what its predictions are worth, if there are any and something needs them.
fn of_dataset(
    job: &Job,
    dir: &DatasetDir,
    outcome: &mut Outcome,
) -> anyhow::Result<Option<Results>> {
    let products: Vec<Product> = job.products(dir.name()).collect();
    let needs_predictions =
        |product: &Product| matches!(product.maker(), Maker::Predictions(_) | Maker::All(_));
    let mut evaluated = None;
    if products.iter().any(needs_predictions) {
        for &product in &products {
            if matches!(product.maker(), Maker::Predictions(_)) {
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
        outcome.from_unknown();
        match (product.maker(), &evaluated) {
            (Maker::Predictions(make), Some((inputs, results))) => {
                outcome.from_inputs_of(product, dir, None)?;
                let of = Evaluated {
                    job,
                    inputs,
                    results,
                };
                make(&of, outcome)?;
            }
            (Maker::Dataset(make), _) => make(job, dir, outcome)?,
            (Maker::Predictions(_), None) | (Maker::Studies(_) | Maker::All(_), _) => {}
        }
    }
    Ok(evaluated.map(|(_, results)| results))
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
            Err(error) => warn!("leaving `{}` out of the tables: {error:#}", dir.name()),
        }
    }
    Ok(others)
}
