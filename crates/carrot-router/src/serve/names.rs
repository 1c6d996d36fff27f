//! What a client may write for `model`.

use std::collections::BTreeMap;

use super::{error::ApiError, request::Options};
use crate::check_mu;

/// The name of the router.
pub(crate) const ALIAS: &str = "carrot";
/// What RouteLLM's clients write: `router-NAME-THRESHOLD`.
const ROUTE_LLM: &str = "router-carrot-";

/// What `model` stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asked {
    /// The router, with a weight of cost.
    Router(Weight),
    /// An LLM of the pool, by its position.
    Llm(usize),
}

/// A weight of cost, and the calibration that it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weight {
    pub(crate) mu: f64,
    pub(crate) calibration: Option<String>,
}

/// All names that there are.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// What `carrot` alone stands for.
    default: Weight,
    /// The weights of cost of the router's calibrations.
    calibrations: BTreeMap<String, f64>,
    llms: BTreeMap<String, usize>,
}

impl Names {
    pub(crate) fn new(
        default: Weight,
        calibrations: BTreeMap<String, f64>,
        llms: impl IntoIterator<Item = (String, usize)>,
    ) -> Self {
        Self {
            default,
            calibrations,
            llms: llms.into_iter().collect(),
        }
    }

    /// What a name stands for. An LLM's own name first: it is what most requests for one LLM have, and so costs them one look.
    pub(crate) fn resolve(&self, model: &str, options: &Options) -> Result<Asked, ApiError> {
        if let Some(&idx) = self.llms.get(model) {
            return Ok(Asked::Llm(idx));
        }
        let named = match (model.strip_prefix("carrot:"), model.strip_prefix(ROUTE_LLM)) {
            _ if model == ALIAS => Some(self.default.clone()),
            (Some(rest), _) => match rest.strip_prefix("mu=") {
                Some(mu) => Some(weight(mu)?),
                None => self.calibration(rest),
            },
            (None, Some(mu)) => Some(weight(mu)?),
            (None, None) => None,
        };
        let named = named.ok_or_else(|| ApiError::no_model(model))?;
        // What the body says is more particular than the name.
        Ok(Asked::Router(match (options.mu, &options.calibration) {
            (Some(mu), _) => Weight {
                mu,
                calibration: None,
            },
            (None, Some(name)) => self.calibration(name).ok_or_else(|| {
                ApiError::invalid(
                    Some("carrot"),
                    "`carrot.calibration`: the router has no such calibration",
                )
            })?,
            (None, None) => named,
        }))
    }

    /// The same for a request that only wants a decision: whatever the name, the router is meant.
    pub(crate) fn weight(&self, model: &str, options: &Options) -> Result<Weight, ApiError> {
        let is_ours = model.starts_with("carrot:") || model.starts_with(ROUTE_LLM);
        let model = if is_ours { model } else { ALIAS };
        match self.resolve(model, options)? {
            Asked::Router(weight) => Ok(weight),
            Asked::Llm(_) => Err(ApiError::no_model(model)),
        }
    }

    /// The weight of cost of `carrot` alone.
    pub(crate) fn default_mu(&self) -> f64 {
        self.default.mu
    }

    /// For `GET /v1/models`: what stands for the router first.
    pub(crate) fn aliases(&self) -> Vec<String> {
        let calibrated = self
            .calibrations
            .keys()
            .map(|name| format!("carrot:{name}"));
        [ALIAS.to_owned()].into_iter().chain(calibrated).collect()
    }

    fn calibration(&self, name: &str) -> Option<Weight> {
        let mu = *self.calibrations.get(name)?;
        Some(Weight {
            mu,
            calibration: Some(name.to_owned()),
        })
    }
}

fn weight(text: &str) -> Result<Weight, ApiError> {
    let mu: Option<f64> = text.parse().ok();
    match mu.filter(|&mu| check_mu(mu).is_ok()) {
        Some(mu) => Ok(Weight {
            mu,
            calibration: None,
        }),
        None => Err(ApiError::invalid(
            Some("model"),
            "the weight of cost in `model` is not a number from 0 to 1",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let default = Weight {
            mu: 0.5,
            calibration: None,
        };
        let calibrations = [("cheap".to_owned(), 0.9)].into();
        Names::new(default, calibrations, [("owner/llm".to_owned(), 3)])
    }

    #[test]
    fn all_names_of_the_router_are_known() {
        let plain = Options::default();
        for (model, mu, calibration) in [
            ("carrot", 0.5, None),
            ("carrot:mu=0.3", 0.3, None),
            ("carrot:mu=1", 1.0, None),
            ("carrot:cheap", 0.9, Some("cheap")),
            ("router-carrot-0.3", 0.3, None),
        ] {
            let calibration = calibration.map(str::to_owned);
            let expected = Asked::Router(Weight { mu, calibration });
            assert_eq!(names().resolve(model, &plain).expect(model), expected);
        }
        let found = names().resolve("owner/llm", &plain).expect("an LLM");
        assert_eq!(found, Asked::Llm(3));
        assert_eq!(names().aliases(), ["carrot", "carrot:cheap"]);
    }

    #[test]
    fn other_names_are_not() {
        for (model, status) in [
            ("", 404),
            ("Carrot", 404),
            ("llm", 404),
            ("carrot:dear", 404),
            ("carrot:", 404),
            ("router-mf-0.3", 404),
            ("carrot:mu=2", 400),
            ("carrot:mu=", 400),
            ("carrot:mu=NaN", 400),
            ("router-carrot-x", 400),
        ] {
            let error = names().resolve(model, &Options::default());
            assert_eq!(error.expect_err(model).status.as_u16(), status, "{model}");
        }
    }

    #[test]
    fn the_body_overrides_the_name() {
        let mu = Options {
            mu: Some(0.1),
            ..Options::default()
        };
        let found = names().weight("carrot:cheap", &mu).expect("known");
        assert_eq!(found.mu, 0.1);
        let calibration = |name: &str| Options {
            calibration: Some(name.to_owned()),
            ..Options::default()
        };
        let found = names().weight("gpt-4", &calibration("cheap"));
        assert_eq!(found.expect("known").mu, 0.9);
        assert!(names().weight("carrot", &calibration("dear")).is_err());
    }
}
