//! What the numbers of a data set rest on where not all of its scores are known: which estimator, what that takes for granted, and how much is known
//! of each router's choices.

use std::fmt;

use evaluation::{
    Gaps, PropensitySource, Router, Truth,
    choice::{ChoiceSupport, least_support},
};

use super::{contenders::Contender, series::Series};

/// Of a data set's test part.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    gaps: Gaps,
    /// Where it is least along the curve, by the router's name, in the order of tables.
    support: Vec<(String, ChoiceSupport)>,
    /// Whether one LLM was asked for each prompt, and nothing says with which probability.
    is_unweighed_log: bool,
    dataset: String,
}

impl Evidence {
    /// `None` where nothing is missing.
    ///
    /// # Errors
    /// When predictions leave nothing to choose.
    pub(crate) fn of(
        truth: &Truth<'_>,
        test: &dataset::PartTable,
        dataset: &str,
        contenders: &[Contender<'_>],
    ) -> evaluation::Result<Option<Self>> {
        let Some(gaps) = Gaps::of(truth) else {
            return Ok(None);
        };
        let mut support = Vec::new();
        for Contender { series, router, .. } in contenders {
            // Expectations are no router, and the zero router's LLMs have no settings.
            let is_router = matches!(series, Series::Router(_) | Series::Rule(_));
            if !is_router || matches!(router, Router::Zero) {
                continue;
            }
            let least = least_support(truth, *router, &router.curve(truth)?)?;
            support.extend(least.map(|least| (series.name(), least)));
        }
        Ok(Some(Self {
            gaps,
            support,
            is_unweighed_log: test.propensities.is_none() && test.asked().is_some(),
            dataset: dataset.to_owned(),
        }))
    }

    /// A few words for a figure's title.
    pub(crate) fn words(&self) -> String {
        self.gaps.words()
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.gaps)?;
        if self.is_unweighed_log {
            write!(
                f,
                " One LLM was asked for each prompt, and nothing says with which probability: where the prompt had a say in it, all of this is wrong by as much \
                 as that matters. `{}` estimates the probabilities.",
                cli_support::fit_command(&self.dataset, dataset::router_names::CARROT_LINEAR, None)
            )?;
        }
        // With whole rows missing nothing is weighted, and all choices are known.
        if self.gaps.source == PropensitySource::Complete || self.support.is_empty() {
            return Ok(());
        }
        let of_routers: Vec<String> = (self.support.iter())
            .map(|(name, support)| {
                format!(
                    "of {name} at least as much as {:.0} of {} prompts, with up to {:.1}% of its choices below a probability of .01",
                    support.effective_prompts,
                    support.n_prompts,
                    100.0 * support.low_share
                )
            })
            .collect();
        write!(
            f,
            " Along its curve, the known choices weigh {}.",
            of_routers.join("; ")
        )
    }
}

#[cfg(test)]
mod tests {
    use evaluation::worth::Estimator;

    use super::*;

    fn evidence(source: PropensitySource, is_unweighed_log: bool) -> Evidence {
        Evidence {
            gaps: Gaps {
                known_share: 0.1666,
                source,
                n_never_known: 0,
            },
            support: vec![(
                "CARROT (KNN)".to_owned(),
                ChoiceSupport {
                    estimator: Estimator::SelfNormalized,
                    source,
                    n_prompts: 400,
                    effective_prompts: 61.3,
                    low_share: 0.02,
                    decided_share: 0.0,
                },
            )],
            is_unweighed_log,
            dataset: "my-log".to_owned(),
        }
    }

    #[test]
    fn estimator_assumption_and_support_are_named() {
        let found = evidence(PropensitySource::Estimated, false);
        assert_eq!(
            found.words(),
            "16.6% of scores known, weighted by estimated propensities"
        );
        let text = found.to_string();
        for part in [
            "self-normalized",
            "estimated from the prompts' embeddings. That is right only if",
            "of CARROT (KNN) at least as much as 61 of 400 prompts, with up to 2.0% of its choices below a probability of .01.",
        ] {
            assert!(text.contains(part), "no `{part}` in: {text}");
        }
        assert!(!text.contains("nothing says"), "{text}");
    }

    #[test]
    fn a_log_without_estimates_names_what_makes_some() {
        let text = evidence(PropensitySource::AtRandom, true).to_string();
        assert!(
            text.contains("nothing says with which probability"),
            "{text}"
        );
        assert!(
            text.contains("train-and-infer -- --dataset my-log"),
            "{text}"
        );
    }
}
