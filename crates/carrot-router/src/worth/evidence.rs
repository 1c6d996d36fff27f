//! What a gain rests on where scores are missing.

use dataset::{
    WorthEstimate, WorthEstimator, WorthEvidence, WorthPropensities, WorthPropensityFit,
    WorthRefusal,
};
use evaluation::{
    PropensitySource,
    worth::{Estimator, GainReport, Refusal, Verdict},
};
use fitting::LogPropensities;

/// The evidence for a report's mean gain; `known_alone` is the gain by known scores alone, `estimated` are propensities that were.
pub(super) fn of(
    report: &GainReport,
    known_alone: WorthEstimate,
    estimated: Option<&LogPropensities>,
) -> WorthEvidence {
    let support = &report.support;
    let too_wide = match report.verdict(None) {
        Verdict::CannotTell if report.is_too_wide() => Some(WorthRefusal::TooWide),
        _ => None,
    };
    WorthEvidence {
        estimator: match support.estimator {
            Estimator::DoublyRobust => WorthEstimator::DoublyRobust,
            Estimator::Mean | Estimator::SelfNormalized => WorthEstimator::SelfNormalized,
        },
        propensities: match support.source {
            PropensitySource::Recorded => WorthPropensities::Recorded,
            PropensitySource::Estimated => WorthPropensities::Estimated,
            PropensitySource::Complete | PropensitySource::AtRandom => WorthPropensities::AtRandom,
        },
        self_normalized: known_alone,
        effective_prompts: support.effective_prompts,
        low_propensity_share: support.low_share.max(support.constant_low_share),
        decided_share: support.decided_share,
        estimated: estimated.map(|estimated| WorthPropensityFit {
            alphas: estimated.fits.iter().map(|fit| fit.alpha).collect(),
            log_loss: estimated.calibration.log_loss,
            log_loss_of_shares: estimated.calibration.log_loss_of_shares,
            weights: [
                estimated.calibration.least_weight,
                estimated.calibration.largest_weight,
            ],
        }),
        refusal: match support.refusal() {
            Some(Refusal::Deterministic { .. }) => Some(WorthRefusal::Deterministic),
            Some(Refusal::Unsupported { .. }) => Some(WorthRefusal::Unsupported),
            Some(Refusal::FewEffective { .. }) => Some(WorthRefusal::FewEffective),
            None => too_wide,
        },
    }
}
