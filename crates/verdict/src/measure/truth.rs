//! What a known truth demands of any router.

use dataset::TestPredictions;
use evaluation::{
    Interval, Predicted, Router, Truth,
    choice::choose,
    study::{Regret, Resamples, Weights, regret},
};

use crate::{
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
            // Lambda 0: accuracy alone, whatever it costs.
            let m = choose(&scores.to_vec(), &costs.to_vec(), 0.0, 1.0)?;
            Some(f64::from(scores[m]))
        })
        .collect();
    Ok(chosen.iter().sum::<f64>() / chosen.len() as f64)
}

/// Losses against the Bayes router, with their intervals.
pub(super) struct Losses<'a> {
    pub(super) subject: &'a Subject,
    pub(super) settings: &'a ClaimSettings,
}

impl Losses<'_> {
    /// Expected utility lost by a router.
    pub(super) fn of(&self, router: &str) -> Result<Interval, Obstacle> {
        self.interval(&self.regret_of(router)?)
    }

    /// By how much the loss changes from the fewest train prompts to the most.
    pub(super) fn change(&self, router: &str) -> Result<Interval, Obstacle> {
        let subject = self.subject;
        // The two ends only: between neighboring sizes noise is as large as the change.
        let sizes = subject.dir.learning_curve_sizes(router)?;
        let (Some(&fewest), Some(&most)) = (sizes.first(), sizes.get(1..).and_then(<[_]>::last))
        else {
            return Err(Obstacle::NotRun(format!(
                "`{router}` was not fitted on two numbers of train prompts; `cargo run -p train-and-infer -- --dataset {} --routers {router} --train-sizes ...` does",
                subject.dir.name()
            )));
        };
        let [fewest, most] = [fewest, most].map(|n_train| subject.on_train_size(router, n_train));
        let (fewest, most) = (fewest?, most?);
        let of = |point: &TestPredictions| self.against_bayes(&subject.measured(point)?);
        self.interval(&of(&most)?.minus(&of(&fewest)?)?)
    }

    /// A router's loss less that of the zero router, which knows nothing of a prompt.
    pub(super) fn over_zero(&self, router: &str) -> Result<Interval, Obstacle> {
        let of_router = self.regret_of(router)?;
        let of_zero = self.against_bayes(&Router::Zero)?;
        self.interval(&of_router.minus(&of_zero)?)
    }

    /// What a router gains over the Bayes router by the observed scores. No router beats it in expectation, so a gain is the luck of
    /// the draw.
    pub(super) fn observed_gain(&self, router: &str) -> Result<Interval, Obstacle> {
        let predictions = self.subject.router(router, None)?;
        let bayes = Predicted::of(self.subject.expectations()?)?;
        // The same prompts with the scores that were drawn, not those expected.
        let drawn = Truth::of(self.subject.test()?)?;
        let measured = self.subject.measured(&predictions)?;
        let loss = regret(&drawn, bayes, &measured, self.weights())?;
        let found = self.interval_under(&loss, &drawn)?;
        // A gain is a loss with the other sign.
        Ok(Interval {
            estimate: -found.estimate,
            low: -found.high,
            high: -found.low,
            ..found
        })
    }

    fn regret_of(&self, router: &str) -> Result<Regret, Obstacle> {
        let predictions = self.subject.router(router, None)?;
        self.against_bayes(&self.subject.measured(&predictions)?)
    }

    fn against_bayes(&self, router: &Router<'_>) -> Result<Regret, Obstacle> {
        let expectations = self.subject.expectations()?;
        let truth = Truth::expected(expectations)?;
        let bayes = Predicted::of(expectations)?;
        Ok(regret(&truth, bayes, router, self.weights())?)
    }

    fn interval(&self, found: &Regret) -> Result<Interval, Obstacle> {
        self.interval_under(found, &Truth::expected(self.subject.expectations()?)?)
    }

    fn interval_under(&self, found: &Regret, truth: &Truth<'_>) -> Result<Interval, Obstacle> {
        let resamples = Resamples::drawn(self.settings.n_resamples, self.settings.seed)?;
        let intervals = found.intervals(truth, &resamples, self.settings.level)?;
        Ok(intervals.integrated)
    }

    fn weights(&self) -> Weights<'static> {
        Weights {
            lambdas: &[],
            cost_multiplier: self.settings.cost_multiplier,
        }
    }
}
