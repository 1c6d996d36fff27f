use dataset::ModelInfo;
use routers::{BlendCandidate, BlendReport, ScaleGain};
use serde::Serialize;

/// What the rule of a blend decided before and after a change of its LLMs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RuleChange {
    /// Before.
    pub before: RuleOutcome,
    /// After.
    pub after: RuleOutcome,
}

/// What the rule of a blend decided, and by what.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RuleOutcome {
    /// Which of its two candidates predicts scores. A change of the LLMs keeps the fit's: the other one's hyperparameters and weights are not stored,
    /// and choosing between them again takes every candidate setting of every learner, which is a fit.
    pub candidate: BlendCandidate,
    /// The factor of predicted differences between LLMs in force; 0 where the blend does not route.
    pub scale: f64,
    /// The gain over not routing at this factor, on prompts out of fold, in scores; 0 at 0, `None` where it is not known.
    pub gain: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// The LLMs that are never chosen because they have few scores ([`routers::FewScores`]).
    pub held_back: Vec<String>,
    /// The factor with the largest gain of those above 0, which was not taken where the blend does not route.
    pub best_tried: Option<ScaleGain>,
}

impl RuleOutcome {
    /// `models` are the LLMs that the report is of.
    pub(super) fn of(report: &BlendReport, models: &[ModelInfo]) -> Self {
        let at = |scale: f64| report.gains.iter().find(|it| it.scale == scale);
        let tried = report.gains.iter().filter(|it| it.scale > 0.0);
        let tried = tried.filter(|it| it.gain.is_some());
        Self {
            candidate: report.taken,
            scale: report.scale,
            held_back: (report.held_back().iter())
                .map(|&model| models[model].name.clone())
                .collect(),
            gain: at(report.scale).and_then(|it| it.gain),
            standard_error: at(report.scale).and_then(|it| it.standard_error),
            // The first of equal ones, as the rule takes it.
            best_tried: tried
                .rev()
                .max_by(|a, b| {
                    a.gain
                        .partial_cmp(&b.gain)
                        .expect("known gains are numbers")
                })
                .copied(),
        }
    }

    /// Whether the blend routes.
    pub fn routes(&self) -> bool {
        self.scale > 0.0
    }
}

#[cfg(test)]
mod tests {
    use routers::FewScores;

    use super::*;

    #[test]
    fn the_outcome_names_the_factor_in_force_and_the_best_tried() {
        let gain = |(scale, gain): (f64, Option<f64>)| ScaleGain {
            scale,
            gain,
            standard_error: Some(0.5),
        };
        let gains = [
            (0.0, Some(0.0)),
            (0.5, Some(0.25)),
            (1.0, Some(0.25)),
            (1.25, None),
        ];
        let mut report = BlendReport {
            routes: false,
            scale: 0.0,
            taken: BlendCandidate::Smoothest,
            tried: Vec::new(),
            few_scores: None,
            gains: gains.map(gain).to_vec(),
            targets: Vec::new(),
        };
        let models = ["a", "b"].map(|name| ModelInfo {
            name: name.to_owned(),
            price: None,
            cost_rule: dataset::CostRule::Given,
        });
        let outcome = RuleOutcome::of(&report, &models);
        assert!(!outcome.routes() && outcome.held_back.is_empty());
        assert_eq!(outcome.candidate, BlendCandidate::Smoothest);
        assert_eq!(outcome.gain, Some(0.0));
        assert_eq!(outcome.best_tried, Some(gain((0.5, Some(0.25)))));
        (report.routes, report.scale) = (true, 1.25);
        let outcome = RuleOutcome::of(&report, &models);
        assert_eq!((outcome.scale, outcome.gain), (1.25, None));
        report.few_scores = Some(FewScores {
            models: vec![1],
            held_back: true,
            gain: Some(0.25),
            standard_error: Some(0.5),
        });
        assert_eq!(RuleOutcome::of(&report, &models).held_back, ["b"]);
        report.gains.clear();
        assert_eq!(RuleOutcome::of(&report, &models).best_tried, None);
    }
}
