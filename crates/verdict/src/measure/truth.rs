//! What a known truth demands of any router.

use anyhow::Context as _;
use dataset::{PerModel, Split};
use evaluation::{Interval, Predicted, Regret, Resamples, Router, Truth, Weights, choose, regret};

use super::Obstacle;
use crate::{
    claims::{End, Settings},
    subject::{Prediction, Subject},
};

type Number = Result<f64, Obstacle>;

impl End {
    /// The number that decides, and the interval that it is of.
    pub(super) fn of(self, interval: Interval) -> (f64, Option<[f64; 3]>) {
        let Interval {
            estimate,
            low,
            high,
            ..
        } = interval;
        let value = match self {
            Self::Estimate => estimate,
            Self::Low => low,
            Self::High => high,
        };
        (value, Some([low, estimate, high]))
    }
}

pub(super) fn best_single(subject: &mut Subject) -> Number {
    let expectations = subject.truth()?;
    let (_, point) =
        evaluation::best_single(&truth_of(expectations)?).context("nothing is expected")?;
    Ok(point.accuracy)
}

pub(super) fn bayes_accuracy(subject: &mut Subject) -> Number {
    let expectations = subject.truth()?;
    let rows = expectations
        .scores
        .rows()
        .into_iter()
        .zip(expectations.cost_usd.rows());
    let chosen: Vec<f64> = rows
        .filter_map(|(scores, costs)| {
            let m = choose(&scores.to_vec(), &costs.to_vec(), 0.0, 1.0)?;
            Some(f64::from(scores[m]))
        })
        .collect();
    Ok(chosen.iter().sum::<f64>() / chosen.len() as f64)
}

pub(super) fn regret_of(
    subject: &mut Subject,
    router: &str,
    settings: &Settings,
) -> Result<Interval, Obstacle> {
    let prediction = subject.router(router, None)?.clone();
    let expectations = subject.truth()?;
    let found = against_bayes(expectations, &prediction.router()?, settings)?;
    interval(&found, &truth_of(expectations)?, settings)
}

pub(super) fn change(
    subject: &mut Subject,
    router: &str,
    settings: &Settings,
) -> Result<Interval, Obstacle> {
    let sizes = subject.dir.learning_curve_sizes(router)?;
    let (Some(&fewest), Some(&most)) = (sizes.first(), sizes.get(1..).and_then(<[_]>::last)) else {
        return Err(Obstacle::NotRun(format!(
            "`{router}` was not fitted on two numbers of train prompts; `cargo run -p train-and-infer -- --dataset {} --routers {router} --train-sizes ...` does",
            subject.dir.name()
        )));
    };
    let of_size = |subject: &mut Subject, n_train| subject.on_train_size(router, n_train);
    let [fewest, most] = [of_size(subject, fewest)?, of_size(subject, most)?];
    let expectations = subject.truth()?;
    let of = |prediction: &Prediction| against_bayes(expectations, &prediction.router()?, settings);
    let found = of(&most)?.minus(&of(&fewest)?)?;
    interval(&found, &truth_of(expectations)?, settings)
}

pub(super) fn over_zero(
    subject: &mut Subject,
    router: &str,
    settings: &Settings,
) -> Result<Interval, Obstacle> {
    let prediction = subject.router(router, None)?.clone();
    let expectations = subject.truth()?;
    let of_router = against_bayes(expectations, &prediction.router()?, settings)?;
    let of_zero = against_bayes(expectations, &Router::Zero, settings)?;
    interval(
        &of_router.minus(&of_zero)?,
        &truth_of(expectations)?,
        settings,
    )
}

pub(super) fn observed_gain(
    subject: &mut Subject,
    router: &str,
    settings: &Settings,
) -> Result<Interval, Obstacle> {
    let prediction = subject.router(router, None)?.clone();
    let expectations = subject.truth()?.clone();
    let test: &Split = subject.test()?;
    let drawn = Truth::of(test)?;
    let weights = weights(settings);
    let bayes = Predicted::of(&expectations)?;
    let loss = regret(&drawn, bayes, &prediction.router()?, weights)?;
    let found = interval(&loss, &drawn, settings)?;
    // A gain is a loss with the other sign.
    Ok(Interval {
        estimate: -found.estimate,
        low: -found.high,
        high: -found.low,
        ..found
    })
}

fn truth_of(expectations: &PerModel) -> anyhow::Result<Truth<'_>> {
    let (scores, costs) = (expectations.scores.view(), expectations.cost_usd.view());
    Ok(Truth::new(scores, costs)?)
}

fn weights(settings: &Settings) -> Weights<'static> {
    Weights {
        lambdas: &[],
        cost_multiplier: settings.cost_multiplier,
    }
}

fn against_bayes(
    expectations: &PerModel,
    router: &Router<'_>,
    settings: &Settings,
) -> anyhow::Result<Regret> {
    let bayes = Predicted::of(expectations)?;
    Ok(regret(
        &truth_of(expectations)?,
        bayes,
        router,
        weights(settings),
    )?)
}

fn interval(found: &Regret, truth: &Truth<'_>, settings: &Settings) -> Result<Interval, Obstacle> {
    let resamples = Resamples::drawn(settings.n_resamples, settings.seed)?;
    Ok(found
        .intervals(truth, &resamples, settings.level)?
        .integrated)
}
