use dataset::{FolderName, Quantity};
use routers::{BlendTarget, Setting};

use super::{BlendContents, Contents};

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
            Self::Knn { targets, .. } | Self::KnnIndex { targets, .. } => {
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

/// What [`routers::Blend::from_parts`] does not see, and what its message would not name the key of.
fn of_blend(blend: &BlendContents) -> Option<Contradiction> {
    let BlendContents {
        targets, report, ..
    } = blend;
    if report.targets.len() != targets.len() {
        let found = format!("with {} targets", report.targets.len());
        return bad("report", found, "as many targets as `targets`");
    }
    // Only factors that the fit tried, and judged.
    let is_tried = report.gains.iter().any(|it| it.scale == report.scale);
    if report.scale != 0.0 && !is_tried {
        let expected = "0 or one of the factors of `gains`";
        return bad("scale", report.scale.to_string(), expected);
    }
    // A learner without a setting for one of the targets would not be stored, though it has weight for another.
    let n_of = |setting: Setting| {
        let of_target = |it: &&BlendTarget| it.learners.iter().any(|it| it.setting.is_of(setting));
        report.targets.iter().filter(of_target).count()
    };
    let settings = report.targets.iter().flat_map(|it| &it.learners);
    if settings
        .into_iter()
        .any(|it| n_of(it.setting) != targets.len())
    {
        let expected = "the same learners for each target";
        return bad("report", "with a learner that a target lacks", expected);
    }
    let of_learner = |learner: &Contents| learner.contradiction();
    blend.learners().iter().find_map(of_learner)
}
