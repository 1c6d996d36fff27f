use std::collections::BTreeMap;

use dataset::{CostTarget, Quantity};
use ndarray::Array2;
use routers::{Knn, Target, TargetFit};
use saved_routers::{Contents, KnnParts, KnnTarget};
use serde_json::json;

use crate::{
    learner::{Fit, Fitted, Learner, Outcome, Product, Recipe},
    setup::Setup,
};

/// k-nearest-neighbors regression of scores and, unless costs are known, of what they are made of.
pub(crate) const LEARNER: Learner = Learner { recipe, fit };

fn recipe(setup: &Setup) -> anyhow::Result<Recipe> {
    Ok(Recipe {
        config: json!({ "knn": setup.knn.params(), "saved-vectors": setup.saved_embeddings }),
        seed: None,
        inputs: Vec::new(),
        is_fitted: true,
    })
}

fn fit(fit: &mut Fit<'_>) -> anyhow::Result<Outcome> {
    let setup = fit.setup;
    let embeddings = fit.embeddings();
    let cost_target = CostTarget::of(setup.info.cost_kind, fit.train);
    let targets = targets(&fit.train.scores, &cost_target);
    // All targets at once, because finding neighbors is what takes the time, and they are the same for every target.
    let bar = fit.bar("finding neighbors", embeddings.nrows() as u64);
    let knn = fit.stopwatch.time("fit", || {
        Ok(setup.knn.fit(embeddings, &targets, &|n| bar.add(n))?)
    })?;
    // Ends the bar, which would otherwise stay on the screen while the router is saved.
    drop(bar);
    let fitted = save(fit, &knn, &targets, &cost_target)?;
    Ok(Outcome {
        product: Product::Fitted(fitted),
        results: json!({ "targets": knn.fits() }),
        summary: knn.fits().iter().map(summary).collect(),
        environment: BTreeMap::new(),
    })
}

/// The score first.
fn targets(scores: &Array2<f32>, cost_target: &CostTarget) -> Vec<Target> {
    let mut targets = vec![Target {
        name: "score".to_owned(),
        values: scores.clone(),
    }];
    if let Some((name, values)) = cost_target.values() {
        targets.push(Target {
            name: name.to_owned(),
            values: values.clone(),
        });
    }
    targets
}

fn save(
    fit: &mut Fit<'_>,
    knn: &Knn,
    targets: &[Target],
    cost_target: &CostTarget,
) -> anyhow::Result<Fitted> {
    let setup = fit.setup;
    let folder = fit.new_folder()?;
    let mut quantities = vec![Quantity::Score];
    fit.stopwatch.time("save", || {
        folder.write_knn(&KnnParts {
            embeddings: knn.rows(),
            targets,
            format: setup.saved_embeddings,
        })?;
        match cost_target {
            CostTarget::OutputTokens(_) => quantities.push(Quantity::OutputTokens),
            CostTarget::Usd(_, standardizer) => {
                // Dollars are learned as z-scores, so whoever predicts needs the way back.
                quantities.push(Quantity::StandardizedUsd);
                folder.write_scale(standardizer)?;
            }
            CostTarget::Known => {}
        }
        Ok(())
    })?;
    let targets = quantities.into_iter().zip(knn.fits());
    Ok(Fitted {
        folder,
        contents: Contents::Knn {
            embeddings: setup.saved_embeddings,
            backend: setup.knn.params().backend,
            targets: targets
                .map(|(quantity, fit)| KnnTarget {
                    quantity,
                    n_neighbors: fit.n_neighbors,
                })
                .collect(),
        },
        base: None,
    })
}

fn summary(fit: &TargetFit) -> String {
    let score = fit
        .cross_validation
        .iter()
        .find(|score| score.n_neighbors == fit.n_neighbors);
    let score = score.map_or_else(
        || "too few rows for cross-validation".to_owned(),
        |score| format!("cross-validated R2 {:.4}", score.mean_r2),
    );
    format!("{:<14} k = {:<4} {score}", fit.target, fit.n_neighbors)
}
