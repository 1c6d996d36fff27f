//! What a known truth demands of any router.

use dataset::{PerModel, Split, TestPredictions};
use evaluation::{
    Interval, Predicted, Router, Truth,
    choice::choose,
    study::{Regret, Resamples, Weights, regret},
};

use crate::{
    Result as VerdictResult,
    claims::{ClaimSettings, End},
    obstacle::Obstacle,
    subject::Subject,
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

pub(super) fn best_single(subject: &Subject) -> Number {
    let expectations = subject.expectations()?;
    let (_, point) = evaluation::baseline::best_single(&Truth::expected(expectations)?)
        .ok_or_else(|| Obstacle::nothing_known("nothing is expected"))?;
    Ok(point.accuracy)
}

pub(super) fn bayes_accuracy(subject: &Subject) -> Number {
    let expectations = subject.expectations()?;
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
    subject: &Subject,
    router: &str,
    settings: &ClaimSettings,
) -> Result<Interval, Obstacle> {
    let predictions = subject.router(router, None)?;
    let expectations = subject.expectations()?;
    let found = against_bayes(expectations, &subject.measured(&predictions)?, settings)?;
    interval(&found, &Truth::expected(expectations)?, settings)
}

pub(super) fn change(
    subject: &Subject,
    router: &str,
    settings: &ClaimSettings,
) -> Result<Interval, Obstacle> {
    let sizes = subject.dir.learning_curve_sizes(router)?;
    let (Some(&fewest), Some(&most)) = (sizes.first(), sizes.get(1..).and_then(<[_]>::last)) else {
        return Err(Obstacle::NotRun(format!(
            "`{router}` was not fitted on two numbers of train prompts; `cargo run -p train-and-infer -- --dataset {} --routers {router} --train-sizes ...` does",
            subject.dir.name()
        )));
    };
    let [fewest, most] = [fewest, most].map(|n_train| subject.on_train_size(router, n_train));
    let (fewest, most) = (fewest?, most?);
    let expectations = subject.expectations()?;
    let of =
        |point: &TestPredictions| against_bayes(expectations, &subject.measured(point)?, settings);
    let found = of(&most)?.minus(&of(&fewest)?)?;
    interval(&found, &Truth::expected(expectations)?, settings)
}

pub(super) fn over_zero(
    subject: &Subject,
    router: &str,
    settings: &ClaimSettings,
) -> Result<Interval, Obstacle> {
    let predictions = subject.router(router, None)?;
    let expectations = subject.expectations()?;
    let of_router = against_bayes(expectations, &subject.measured(&predictions)?, settings)?;
    let of_zero = against_bayes(expectations, &Router::Zero, settings)?;
    interval(
        &of_router.minus(&of_zero)?,
        &Truth::expected(expectations)?,
        settings,
    )
}

pub(super) fn observed_gain(
    subject: &Subject,
    router: &str,
    settings: &ClaimSettings,
) -> Result<Interval, Obstacle> {
    let predictions = subject.router(router, None)?;
    let expectations = subject.expectations()?;
    let test: &Split = subject.test()?;
    let drawn = Truth::of(test)?;
    let weights = weights(settings);
    let bayes = Predicted::of(expectations)?;
    let loss = regret(&drawn, bayes, &subject.measured(&predictions)?, weights)?;
    let found = interval(&loss, &drawn, settings)?;
    // A gain is a loss with the other sign.
    Ok(Interval {
        estimate: -found.estimate,
        low: -found.high,
        high: -found.low,
        ..found
    })
}

fn weights(settings: &ClaimSettings) -> Weights<'static> {
    Weights {
        lambdas: &[],
        cost_multiplier: settings.cost_multiplier,
    }
}

fn against_bayes(
    expectations: &PerModel,
    router: &Router<'_>,
    settings: &ClaimSettings,
) -> VerdictResult<Regret> {
    let bayes = Predicted::of(expectations)?;
    Ok(regret(
        &Truth::expected(expectations)?,
        bayes,
        router,
        weights(settings),
    )?)
}

fn interval(
    found: &Regret,
    truth: &Truth<'_>,
    settings: &ClaimSettings,
) -> Result<Interval, Obstacle> {
    let resamples = Resamples::drawn(settings.n_resamples, settings.seed)?;
    Ok(found
        .intervals(truth, &resamples, settings.level)?
        .integrated)
}
