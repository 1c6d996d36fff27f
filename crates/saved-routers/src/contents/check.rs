use dataset::{FolderName, Quantity};

use super::{BlendContents, Contents};

/// What deviations may be multiplied by.
const BLEND_FACTORS: [f64; 7] = [0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 1.25];

/// A value that the rest of a record, or the crate, cannot do with.
pub(crate) struct Contradiction {
    pub(crate) key: &'static str,
    pub(crate) found: String,
    pub(crate) expected: &'static str,
}

fn bad(
    key: &'static str,
    found: impl Into<String>,
    expected: &'static str,
) -> Option<Contradiction> {
    let found = found.into();
    Some(Contradiction {
        key,
        found,
        expected,
    })
}

impl Contents {
    /// The first value that cannot be.
    pub(crate) fn contradiction(&self) -> Option<Contradiction> {
        let quantities = self.quantities();
        if self.is_per_model_on_embeddings() && !is_score_and_cost(&quantities) {
            let expected = "a score, then output tokens, standardized dollars, or nothing";
            return bad("targets", format!("{quantities:?}"), expected);
        }
        // Two networks of scores read well enough, and every cost would be a score.
        if let (Self::Roberta { .. }, [_, Quantity::Score]) = (self, &quantities[..]) {
            let found = format!("{:?}", Quantity::Score);
            return bad("quantity", found, "what a cost is made of");
        }
        let of_parts = match self {
            Self::Knn { targets, .. } => {
                let is_bad = targets.iter().any(|target| target.n_neighbors == 0);
                is_bad.then_some(("n-neighbors", "0".to_owned(), "at least 1"))
            }
            Self::Cluster { targets } => {
                let is_bad = targets.iter().any(|target| target.n_clusters == 0);
                is_bad.then_some(("n-clusters", "0".to_owned(), "at least 1"))
            }
            Self::Linear { targets } => bad_alpha(targets.iter().map(|target| target.alpha)),
            Self::Kernel { targets } => {
                let mut gammas = targets.iter().map(|target| target.gamma);
                let gamma = gammas.find(|it| !(it.is_finite() && *it > 0.0));
                gamma
                    .map(|it| ("gamma", it.to_string(), "a number above 0"))
                    .or_else(|| bad_alpha(targets.iter().map(|target| target.alpha)))
            }
            _ => None,
        };
        if let Some((key, found, expected)) = of_parts {
            return bad(key, found, expected);
        }
        if let Self::Blend(blend) = self {
            return of_blend(blend);
        }
        // A folder of a network is a plain name, so that it cannot lead out of the router's folder.
        let is_name = |name: &str| name.parse::<FolderName>().is_ok();
        let folder = self.folders().into_iter().find(|name| !is_name(name))?;
        bad("folder", format!("`{folder}`"), "a name without a slash")
    }

    /// The name of its tensors' group, and of itself within a blend, if it may be in one.
    pub(crate) fn learner_name(&self) -> Option<&'static str> {
        match self {
            Self::Knn { .. } => Some("knn"),
            Self::Linear { .. } => Some("linear"),
            Self::Kernel { .. } => Some("kernel"),
            Self::Cluster { .. } => Some("cluster"),
            _ => None,
        }
    }
}

fn bad_alpha(
    mut alphas: impl Iterator<Item = f64>,
) -> Option<(&'static str, String, &'static str)> {
    let alpha = alphas.find(|it| !(it.is_finite() && *it >= 0.0))?;
    Some(("alpha", alpha.to_string(), "a number of at least 0"))
}

fn is_score_and_cost(quantities: &[Quantity]) -> bool {
    matches!(
        quantities,
        [Quantity::Score]
            | [
                Quantity::Score,
                Quantity::OutputTokens | Quantity::StandardizedUsd,
            ]
    )
}

fn of_blend(blend: &BlendContents) -> Option<Contradiction> {
    let BlendContents {
        g,
        targets,
        learners,
        mean_cost,
    } = blend;
    if !BLEND_FACTORS.contains(g) {
        return bad("g", g.to_string(), "one of the factors that a fit tries");
    }
    if !blend.routes() {
        return if mean_cost.is_none() {
            bad("mean-cost", "absent", "given where g is 0")
        } else if !learners.is_empty() {
            let found = format!("a list of {}", learners.len());
            bad("learners", found, "none where g is 0")
        } else {
            None
        };
    }
    if mean_cost.is_some() {
        return bad("mean-cost", "given", "absent where g is not 0");
    }
    let mut seen: Vec<&str> = Vec::new();
    for part in learners {
        let Some(name) = part.learner.learner_name() else {
            return bad("learners", "with another kind", "learners on embeddings");
        };
        if seen.contains(&name) {
            return bad("learners", format!("with `{name}` twice"), "each one once");
        }
        seen.push(name);
        if part.learner.quantities() != *targets {
            let expected = "the blend's targets in each learner";
            return bad(
                "targets",
                format!("{:?}", part.learner.quantities()),
                expected,
            );
        }
        if part.weights.len() != targets.len() {
            let found = format!("a list of {}", part.weights.len());
            return bad("weights", found, "one entry for each target");
        }
        let weights = part.weights.iter().flat_map(|it| [it.level, it.deviation]);
        if let Some(weight) = weights
            .into_iter()
            .find(|it| !(it.is_finite() && *it >= 0.0))
        {
            return bad("weights", format!("with {weight}"), "numbers of at least 0");
        }
        if let Some(contradiction) = part.learner.contradiction() {
            return Some(contradiction);
        }
    }
    None
}
