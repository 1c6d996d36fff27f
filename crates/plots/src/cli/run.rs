//! The work itself: data sets in, files out.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use dataset::DatasetDir;
use tracing::{info, warn};

use super::selection;
use crate::{
    data::{
        inputs::{self, Found, Inputs},
        results::Results,
    },
    output::outcome::Outcome,
    products::{
        catalog::{self, Maker},
        evaluated::Evaluated,
    },
    settings::{job::Job, product::Product},
};

/// Makes what is asked for, in the order of [`crate::settings::product::Product::ALL`] for one data set after another; returns the paths written. What was
/// skipped is logged, with the command that would make its input.
///
/// # Errors
/// When data sets or predictions cannot be read or evaluated, a file cannot be written, or nothing that was asked for can be made.
pub fn run(job: &Job) -> anyhow::Result<Vec<PathBuf>> {
    let mut outcome = Outcome::default();
    let mut all = Vec::new();
    for make in all_makers(job) {
        if let Maker::Studies(make) = make {
            make(job, &mut outcome)?;
        }
    }
    for dir in selection::chosen(job)? {
        info!("drawing `{}`", dir.name());
        let results = of_dataset(job, &dir, &mut outcome)
            .with_context(|| format!("cannot draw data set `{}`", dir.name()))?;
        all.extend(results);
    }
    let of_all = |maker: Maker| match maker {
        Maker::All(make) => Some(make),
        Maker::Predictions(_) | Maker::Dataset(_) | Maker::Studies(_) => None,
    };
    let makers: Vec<_> = all_makers(job).filter_map(of_all).collect();
    if !makers.is_empty() {
        all.extend(others(job, &all)?);
        all.sort_by(|a, b| a.dataset.cmp(&b.dataset));
    }
    for make in makers {
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
    let makers: Vec<Maker> = makers(job, dir.name()).collect();
    let needs_predictions = |maker: &Maker| matches!(maker, Maker::Predictions(_) | Maker::All(_));
    let mut evaluated = None;
    if makers.iter().any(needs_predictions) {
        match Inputs::read(dir)? {
            Found::Inputs(inputs) => {
                let results = Results::new(&inputs)?;
                evaluated = Some((inputs, results));
            }
            Found::Nothing { why, cure } => outcome.skip(dir.name().to_owned(), why, cure),
        }
    }
    for maker in makers {
        match (maker, &evaluated) {
            (Maker::Predictions(make), Some((inputs, results))) => {
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

/// What makes all that is wanted of a data set, in the order of [`Product::ALL`].
fn makers(job: &Job, dataset: &str) -> impl Iterator<Item = Maker> {
    catalog::makers(move |product: Product| {
        job.wanted.iter().any(|wanted| {
            // A figure that was asked for by the paper's name is wanted of the paper's data sets alone.
            let datasets = wanted.datasets.as_ref().or(job.datasets.as_ref());
            wanted.product == product && datasets.is_none_or(|names| names.contains(dataset))
        })
    })
}

/// What makes all that is wanted of any data set.
fn all_makers(job: &Job) -> impl Iterator<Item = Maker> {
    catalog::makers(|product| job.wanted.iter().any(|wanted| wanted.product == product))
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
