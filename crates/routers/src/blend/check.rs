//! What no fit leaves is refused: parts may come from a file.

use super::{model::BlendParts, report::Setting};
use crate::{Error, Result};

/// The size of a learner: the length of its embeddings, and the outputs of each target.
struct Size {
    learner: Setting,
    dim: usize,
    n_outputs: Vec<usize>,
}

pub(super) fn check(parts: &BlendParts) -> Result<()> {
    let report = &parts.report;
    let n_models = parts.mean_costs_usd.len();
    let n_targets = report.targets.len();
    if n_models == 0 || n_targets == 0 || parts.dim == 0 {
        return Err(Error::Empty {
            what: "blend",
            shape: (n_targets, n_models),
        });
    }
    let shape = |found| Error::Shape {
        what: "blend",
        expected: (n_targets, n_models),
        found,
    };
    if parts.means.len() != n_targets {
        return Err(shape((parts.means.len(), n_models)));
    }
    if let Some(means) = parts.means.iter().find(|it| it.len() != n_models) {
        return Err(shape((n_targets, means.len())));
    }
    let bad = |name, problem| Err(Error::BadWeight { name, problem });
    let all_means = parts.means.iter().chain([&parts.mean_costs_usd]);
    if all_means.flatten().any(|mean| mean.is_infinite()) {
        return bad("means", "are not all finite");
    }
    if !(report.scale.is_finite() && report.scale >= 0.0) {
        return bad("scale", "is not a number of at least 0");
    }
    if report.routes != (report.scale > 0.0) {
        return bad(
            "scale",
            "is above 0 where it does not route, or 0 where it does",
        );
    }
    let few = report.few_scores.iter().flat_map(|it| &it.models);
    if few.into_iter().any(|&model| model >= n_models) {
        return bad("few scores", "are of LLMs that are not there");
    }
    let held_back = report.held_back();
    if held_back.iter().any(|&m| !parts.means[0][m].is_nan()) {
        return bad("few scores", "are of an LLM held back that is predicted");
    }
    let weights = report.targets.iter().flat_map(|it| &it.learners);
    let weights = weights.flat_map(|it| [it.deviation_weight, it.level_weight]);
    if !weights.into_iter().all(|it| it.is_finite() && it >= 0.0) {
        return bad("weight", "is not a number of at least 0");
    }
    for target in &report.targets {
        let kinds = target.learners.iter();
        for (i, learner) in kinds.enumerate() {
            let earlier = &target.learners[..i];
            if earlier.iter().any(|it| it.setting.is_of(learner.setting)) {
                return bad("weight", "is there twice for one learner");
            }
        }
    }
    let sizes = sizes(parts);
    for kind in Setting::KINDS {
        let size = sizes.iter().find(|it| it.learner.is_of(kind));
        match (size, report.routes && report.has_weight(kind)) {
            (None, true) => return bad("weight", "is of a learner that is not there"),
            (Some(_), false) => return bad("weight", "is 0 of a learner that is there"),
            (None, false) => {}
            (Some(size), true) => check_size(size, parts)?,
        }
    }
    Ok(())
}

fn check_size(size: &Size, parts: &BlendParts) -> Result<()> {
    let (n_targets, n_models) = (parts.means.len(), parts.mean_costs_usd.len());
    let shape = |expected, found| {
        Err(Error::Shape {
            what: "learner",
            expected,
            found,
        })
    };
    if size.dim != parts.dim {
        return shape((n_targets, parts.dim), (n_targets, size.dim));
    }
    if size.n_outputs.len() != n_targets {
        return shape((n_targets, n_models), (size.n_outputs.len(), n_models));
    }
    match size.n_outputs.iter().find(|&&n| n != n_models) {
        Some(&n) => shape((n_targets, n_models), (n_targets, n)),
        None => Ok(()),
    }
}

fn sizes(parts: &BlendParts) -> Vec<Size> {
    let mut sizes = Vec::new();
    if let Some(knn) = &parts.knn {
        let targets = 0..knn.fits().len();
        sizes.push(Size {
            learner: Setting::KNN,
            dim: knn.rows().dim(),
            n_outputs: targets.map(|target| knn.values(target).ncols()).collect(),
        });
    }
    if let Some(linear) = &parts.linear {
        let weights = linear.weights();
        sizes.push(Size {
            learner: Setting::LINEAR,
            dim: weights.first().map_or(0, |it| it.coefficients().nrows()),
            n_outputs: weights.iter().map(|it| it.intercepts().len()).collect(),
        });
    }
    if let Some(kernel) = &parts.kernel {
        sizes.push(Size {
            learner: Setting::KERNEL,
            dim: kernel.landmarks().dim(),
            n_outputs: (kernel.weights().iter())
                .map(|it| it.intercepts().len())
                .collect(),
        });
    }
    if let Some(cluster) = &parts.cluster {
        sizes.push(Size {
            learner: Setting::CLUSTER,
            dim: cluster.dim(),
            n_outputs: (cluster.targets().iter())
                .map(|it| it.values.ncols())
                .collect(),
        });
    }
    sizes
}
