//! Our number for each claim, or what keeps it from being found.

mod data;
mod gains;
mod routers;
mod truth;

use dataset::CostKind;

use self::{gains::Gains, truth::Losses};
use crate::{
    claims::{Claim, ClaimSettings, Metric, Unit},
    obstacle::Obstacle,
    subject::Subject,
};

/// A number of ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measured {
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// Lower end, estimate and upper end, where the value is one of them.
    pub(crate) interval: Option<[f64; 3]>,
}

/// Measures what a claim is about.
pub(crate) fn measure(
    subject: &Subject,
    claim: &Claim,
    settings: &ClaimSettings,
) -> Result<Measured, Obstacle> {
    let (value, interval) = value(subject, claim, settings)?;
    Ok(Measured {
        value,
        unit: match (claim.metric.unit(), subject.info.cost_kind) {
            (Unit::Count, _) => "count",
            (Unit::Score, _) => "score",
            (Unit::Cost, CostKind::OutputTokens) => "output tokens per query",
            (Unit::UsdPerQuery | Unit::Cost, _) => "usd per query",
        },
        interval,
    })
}

fn value(
    subject: &Subject,
    claim: &Claim,
    settings: &ClaimSettings,
) -> Result<(f64, Option<[f64; 3]>), Obstacle> {
    let embedder = claim.embedder.as_deref();
    let alone = |value: f64| (value, None);
    let losses = Losses { subject, settings };
    let gains = Gains { subject, settings };
    match &claim.metric {
        Metric::NRows => data::n_rows(subject).map(alone),
        Metric::NTrain => data::n_train(subject).map(alone),
        Metric::NTest => data::n_test(subject).map(alone),
        Metric::NValidation => data::n_validation(subject).map(alone),
        Metric::NModels => data::n_models(subject).map(alone),
        Metric::BestSingle => data::best_single(subject).map(alone),
        Metric::Oracle => data::oracle(subject).map(alone),
        Metric::ModelAccuracy { model } => data::model_accuracy(subject, model).map(alone),
        Metric::ModelCost { model } => data::model_cost(subject, model).map(alone),
        Metric::BinarizedAcc { router }
        | Metric::ScoreMae { router }
        | Metric::ScoreR2 { router }
        | Metric::RoutingAcc { router }
        | Metric::CostMae { router }
        | Metric::GainOverBestSingle { router } => {
            routers::prediction_accuracy(subject, router, embedder, &claim.metric).map(alone)
        }
        Metric::AccuracyAtCost { router, cost_usd } => {
            routers::accuracy_at_cost(subject, router, embedder, *cost_usd).map(alone)
        }
        Metric::RelativeCostOfBestSingle { router } => {
            routers::relative_cost(subject, router, embedder).map(alone)
        }
        Metric::LeastLead { router, over } => {
            routers::least_lead(subject, router, over, embedder).map(alone)
        }
        Metric::LeastBenchmarkRatio { router, .. } => {
            routers::least_benchmark_ratio(subject, router, embedder, &claim.metric).map(alone)
        }
        Metric::ExpectedBestSingle => truth::best_single(subject).map(alone),
        Metric::BayesAccuracy => truth::bayes_accuracy(subject).map(alone),
        Metric::Regret { router, by } => losses.of(router).map(|interval| by.of(interval)),
        Metric::RegretChange { router, by } => {
            losses.change(router).map(|interval| by.of(interval))
        }
        Metric::RegretOverZero { router, by } => {
            losses.over_zero(router).map(|interval| by.of(interval))
        }
        Metric::MeanGain { router, by } => gains.of(router).map(|gain| by.of(gain)),
        Metric::ExpectedGainOverBayes { router, by } => {
            gains.over_bayes(router).map(|gain| by.of(gain))
        }
        Metric::GainOutsideInterval { router } => gains.outside_interval(router),
        Metric::ObservedGainOverBayes { router, by } => {
            losses.observed_gain(router).map(|interval| by.of(interval))
        }
    }
}
