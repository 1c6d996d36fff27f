//! With which probability a log's policy asked each LLM, where the log does not say it: estimated once for a data set, for all who judge by it.

use anyhow::Context as _;
use cli_support::Progress;
use dataset::{EstimatedPropensities, Lock, MadeFrom};
use fitting::{Folds, LogPropensities, Subject, Together, log_propensities};
use tracing::{info, warn};

use crate::{
    cross_fit::whole,
    data::{Data, inputs},
    embedder::Input,
    router::Router,
    run::MADE_BY,
    sample::Sample,
    setup::Setup,
    stopwatch::Stopwatch,
};

/// Those of `carrot-router worth`, which then takes these estimates.
const N_FOLDS: u32 = 5;

/// Estimates the propensities of a data set by the embeddings of a router, unless what is on disk was made from the same. Gives a line about them;
/// `None` of a table that is no log with one answer per prompt, of one that says them, and where there are too few prompts to estimate anything.
pub(crate) fn keep(
    setup: &Setup,
    router: &Router,
    data: &mut Data,
) -> anyhow::Result<Option<String>> {
    let (splits, _) = data.splits(setup)?;
    // Before both parts are copied, which few tables need.
    if splits.train.propensities.is_some() || splits.train.asked().is_none() {
        return Ok(None);
    }
    let table = splits.train.concat(&splits.test)?;
    let (Some(embedder), None, Some(_)) = (
        setup.embedder_for(router.input),
        &table.propensities,
        table.asked(),
    ) else {
        return Ok(None);
    };
    let together = match setup.cross_fit.keep_equal_prompts_together {
        true => Together::new(table.n_prompts()).join_prompts(&table.prompts)?,
        false => Together::new(table.n_prompts()),
    };
    let seed = setup.cross_fit.seed;
    let folds = Folds::shuffled(table.n_prompts(), N_FOLDS, seed, Some(together.groups()));
    let folds = match folds {
        Ok(folds) => folds,
        Err(error) => {
            warn!("with which probability this log asked its LLMs cannot be estimated: {error}");
            return Ok(None);
        }
    };
    let path = setup.dir.propensities();
    let _lock = Lock::wait_for(&path, |holder| {
        info!(
            "waiting for `{}`, which is being written by {holder}",
            path.display()
        );
    })?;
    if !setup.force
        && let Some(kept) = kept(setup, router, data, &folds)?
    {
        return Ok(Some(line(setup, &kept)));
    }
    let mut stopwatch = Stopwatch::start();
    let prompts = data.prompts(setup, router, &Sample::Whole, &mut stopwatch)?;
    let (table, embeddings) = whole(&prompts)?;
    let subject = Subject {
        // Whatever is fitted later: which LLM was asked does not depend on it.
        learner: fitting::Learner::Linear,
        params: &setup.learners,
        info: &setup.info,
        table: &table,
        embeddings: embeddings.view(),
    };
    let bar = Progress::bar("whom the log asked", folds.n_folds().into(), setup.quiet);
    let estimated = log_propensities(&subject, &folds, &|n| bar.add(n))?;
    drop(bar);
    let estimated = estimated.context("a log that says no propensities has some to estimate")?;
    let inputs = inputs(setup, router, &[], data)?
        .context("the embeddings were removed while propensities were estimated")?;
    let made_from = made_from(embedder.name.clone(), inputs.iter().map(|it| &it.sha256));
    let file = estimated.to_keep(&setup.learners, &table, &folds)?;
    file.write(&path, &made_from)?;
    Ok(Some(line(setup, &estimated)))
}

/// What is on disk, if it was made from the same parts and embeddings, with the same settings.
fn kept(
    setup: &Setup,
    router: &Router,
    data: &mut Data,
    folds: &Folds,
) -> anyhow::Result<Option<LogPropensities>> {
    let path = setup.dir.propensities();
    let Some(inputs) = inputs(setup, router, &[], data)?.filter(|_| path.is_file()) else {
        return Ok(None);
    };
    let embedder = setup.embedder_for(router.input);
    let embedder = embedder.map_or_else(String::new, |embedder| embedder.name.clone());
    let expected = made_from(embedder, inputs.iter().map(|it| &it.sha256));
    let found = EstimatedPropensities::read_made_from(&path).and_then(|made_from| {
        let is_same = made_from.is_some_and(|found| is_as_good(router, &found, &expected));
        is_same
            .then(|| EstimatedPropensities::read(&path))
            .transpose()
    });
    match found {
        Ok(found) => Ok(found.and_then(|it| LogPropensities::kept(it, &setup.learners, folds))),
        // Whatever was damaged since is made anew.
        Err(error) => {
            let error = anyhow::Error::new(error);
            warn!("the estimated propensities cannot be used, estimating them anew: {error:#}");
            Ok(None)
        }
    }
}

/// Whether estimates may stay: those of the same parts and embeddings, and for a router on the sentence embedding those of any other: of one data set
/// there is one estimate, by the embedding that the user chose.
fn is_as_good(router: &Router, found: &MadeFrom, expected: &MadeFrom) -> bool {
    let of_parts = |it: &MadeFrom| (it.split_sha256.clone(), it.train_sha256.clone());
    match router.input {
        Input::SentenceEmbedding => of_parts(found) == of_parts(expected),
        Input::ChosenEmbedding | Input::Prompts => found == expected,
    }
}

/// The parts come first.
fn made_from<'a>(embedder: String, inputs: impl Iterator<Item = &'a String>) -> MadeFrom {
    let mut inputs = inputs.cloned();
    let train_sha256 = inputs.next();
    let made_from = MadeFrom::split(inputs.next().unwrap_or_default());
    MadeFrom {
        train_sha256,
        made_by: Some(MADE_BY.to_owned()),
        embedder: Some(embedder),
        other_sha256: inputs.collect(),
        ..made_from
    }
}

/// For people.
fn line(setup: &Setup, estimated: &LogPropensities) -> String {
    let calibration = &estimated.calibration;
    format!(
        "this log does not say with which probability it asked each LLM: estimated from embeddings (log loss {:.3}, of the LLMs' shares alone {:.3}), which is \
         right only if whoever chose went by nothing else that matters; worth, calibrate and plots weigh by {}",
        calibration.log_loss,
        calibration.log_loss_of_shares,
        setup.dir.propensities().display()
    )
}
