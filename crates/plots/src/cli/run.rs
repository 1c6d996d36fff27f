//! The work itself: data sets in, files out.

use anyhow::bail;
use cli_support::Progress;
use dataset::{DatasetDir, Lock, atomic};
use tracing::{info, warn};

use super::selection;
use crate::{
    data::{
        inputs::{self, Found, Inputs},
        results::Results,
    },
    output::outcome::{Outcome, Report},
    page::evaluation::{Evaluation, Evaluations},
    products::{
        catalog::{Maker, maker},
        evaluated::Evaluated,
    },
    settings::{job::Job, product::Product},
};

/// The name of the lock of what is about all data sets; none of them begins with a dot.
const OF_ALL: &str = ".of-all";

/// Makes what is asked for, in the order of [`crate::settings::product::Product::ALL`] for one data set after another. What was skipped is
/// logged, with the command that would make its input. A data set that is broken costs the others nothing: it is in the report.
///
/// # Errors
/// When there is no such data set, a file cannot be written, another run draws the same, or none of what was asked for can be made though
/// nothing is broken.
pub(crate) fn run(job: &Job) -> anyhow::Result<Report> {
    atomic::sweep_tree(&job.plots_dir);
    let mut outcome = Outcome::new(&job.data_dir);
    // Studies come first because they need no data set.
    for product in wanted(job) {
        if let Maker::Studies(make) = maker(product) {
            outcome.forget_inputs();
            let made = make(job, &mut outcome);
            outcome.note(product.name(), made)?;
        }
    }
    if wanted(job).any(|product| product == Product::KnnAccuracyTable) {
        // Before any of them is read, as in `evaluated`. What cannot be read is reported by who needs it.
        _ = outcome.sources().of_all();
    }
    let mut all = Evaluations::new();
    let chosen = selection::chosen(job)?;
    // All of them before the first is drawn, and as long as the run takes: of the same folder two runs would mix their figures.
    let locks = chosen.iter().map(|dir| Lock::of(&job.folder(dir.name())));
    let _locks = locks.collect::<Result<Vec<_>, _>>()?;
    let n_of_data_sets = chosen.iter().map(|dir| wanted_of(job, dir.name()).count());
    let bar = Progress::bar(
        "drawing",
        n_of_data_sets.sum::<usize>() as u64,
        job.output.quiet,
    );
    for dir in chosen {
        info!("drawing `{}`", dir.name());
        of_dataset(job, &dir, &mut outcome, &mut all, &bar)?;
    }
    drop(bar);
    let of_all = |product: Product| match maker(product) {
        Maker::All(make) => Some((product, make)),
        Maker::Predictions(_) | Maker::Dataset(_) | Maker::Whole(_) | Maker::Studies(_) => None,
    };
    let makers: Vec<_> = wanted(job).filter_map(of_all).collect();
    if !makers.is_empty() {
        add_others(job, &mut all)?;
    }
    // Runs on different data sets both write these, one after the other.
    let _lock = match makers.is_empty() {
        true => None,
        false => Some(Lock::wait_for(&job.folder(OF_ALL), |holder| {
            info!("waiting for the tables of all data sets, which are being written by {holder}");
        })?),
    };
    for (product, make) in makers {
        outcome.forget_inputs();
        let made = make(job, &all, &mut outcome);
        outcome.note(product.name(), made)?;
    }
    let report = outcome.report();
    // A run that writes nothing has to fail, or a script would go on and publish the files of an
    // earlier run.
    if report.written.is_empty() && report.failed.is_empty() {
        bail!(
            "none of the requested figures and tables could be made; the log says what is missing"
        );
    }
    Ok(report)
}

/// Everything about one data set, which `bar` counts. Adds what its predictions are worth, if there are any and something needs them.
fn of_dataset(
    job: &Job,
    dir: &DatasetDir,
    outcome: &mut Outcome,
    all: &mut Evaluations,
    bar: &Progress,
) -> anyhow::Result<()> {
    let products: Vec<Product> = wanted_of(job, dir.name()).collect();
    let needs_predictions = |&product: &Product| {
        matches!(
            maker(product),
            Maker::Predictions(_) | Maker::Whole(_) | Maker::All(_)
        )
    };
    // Evaluated once for all products: it takes most of a run, and the figures and tables of one run
    // have to agree.
    let mut found = None;
    if products.iter().any(needs_predictions) {
        match evaluated(dir, &products, outcome) {
            Ok(Ok(evaluated)) => found = Some(evaluated),
            Ok(Err((why, cure))) => {
                all.insert(dir.name().to_owned(), Err(why.clone()));
                outcome.skip(dir.name().to_owned(), why, cure);
            }
            Err(error) => {
                all.insert(dir.name().to_owned(), Err(format!("{error:#}")));
                outcome.fail(dir.name().to_owned(), error);
            }
        }
    }
    for product in products {
        outcome.forget_inputs();
        bar.set_note(&format!("{} of {}", product.name(), dir.name()));
        let made = match (maker(product), &found) {
            (Maker::Predictions(make), Some((inputs, results))) => {
                let of = Evaluated {
                    job,
                    inputs,
                    results,
                };
                (outcome.uses_inputs_of(product, dir, None)).and_then(|()| make(&of, outcome))
            }
            (Maker::Dataset(make), _) => make(job, dir, outcome),
            (Maker::Whole(make), found) => {
                let test = found.as_ref().map(|(inputs, _)| inputs);
                make(job, dir, test, outcome)
            }
            // Missing predictions were reported above, once for the data set rather than once for each
            // figure.
            (Maker::Predictions(_), None) | (Maker::Studies(_) | Maker::All(_), _) => Ok(()),
        };
        outcome.note(&format!("{}/{}", dir.name(), product.name()), made)?;
        bar.add(1);
    }
    if let Some((inputs, results)) = found {
        let evaluation = Evaluation::new(inputs, results, &job.settings);
        let evaluation = evaluation.map_err(|error| format!("{error:#}"));
        all.insert(dir.name().to_owned(), evaluation);
    }
    Ok(())
}

/// A data set's predictions and what they are worth; or why there are none, and what makes some.
fn evaluated(
    dir: &DatasetDir,
    products: &[Product],
    outcome: &mut Outcome,
) -> anyhow::Result<Result<(Inputs, Results), (String, String)>> {
    for &product in products {
        if matches!(maker(product), Maker::Predictions(_) | Maker::Whole(_)) {
            // Hashed before they are read: were they replaced in between, the figures would pass for those of the new ones.
            outcome.sources().of_dataset(product, dir, None)?;
        }
    }
    match Inputs::read(dir)? {
        Found::Inputs(inputs) => {
            let results = Results::new(&inputs)?;
            Ok(Ok((*inputs, results)))
        }
        Found::Nothing { why, cure } => Ok(Err((why, cure))),
    }
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

/// Evaluates the data sets that were not to be drawn: a table of all spans them too, so that drawing one does not drop the rows of the others.
fn add_others(job: &Job, all: &mut Evaluations) -> anyhow::Result<()> {
    for dir in inputs::with_predictions(&job.data_dir)? {
        if all.contains_key(dir.name()) {
            continue;
        }
        let evaluation = Inputs::read(&dir).and_then(|found| match found {
            Found::Inputs(inputs) => {
                let results = Results::new(&inputs)?;
                Evaluation::new(*inputs, results, &job.settings).map(Ok)
            }
            Found::Nothing { why, .. } => Ok(Err(why)),
        });
        let evaluation = evaluation.unwrap_or_else(|error| {
            // Nobody asked for this data set, so its fault must not stop what was asked for.
            warn!("leaving `{}` out of the tables: {error:#}", dir.name());
            Err(format!("{error:#}"))
        });
        all.insert(dir.name().to_owned(), evaluation);
    }
    Ok(())
}
