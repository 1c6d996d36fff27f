//! Out-of-fold predictions and estimated propensities that train-and-infer left, used where they are what would come out here.

use dataset::{EstimatedPropensities, OutOfFold, RunManifest, WholeSet, WorthFit, sha256_file};
use fitting::{Folds, LearnerParams, LogPropensities, Recipe, RouteDecision};
use serde_json::Value;
use tracing::info;

use super::{WorthError, embedded::Embedded};

/// One cross-fit.
pub(super) struct Kept {
    pub(super) out_of_fold: OutOfFold,
    pub(super) fits: Vec<WorthFit>,
}

/// The predictions of a repeat on disk, if they are of the same rows, embeddings, folds and settings.
pub(super) fn read(
    whole: &WholeSet,
    embedded: &Embedded,
    router: &str,
    recipe: &Recipe,
    folds: &Folds,
    repeat: usize,
) -> Result<Option<Kept>, WorthError> {
    let Ok(number) = u32::try_from(repeat) else {
        return Ok(None);
    };
    // A repeat whose files cannot be read is computed again.
    let manifest = whole.dir().out_of_fold_manifest(router, number);
    let Ok(manifest) = RunManifest::read(&manifest) else {
        return Ok(None);
    };
    let Ok(Ok(found)) = whole.cross_fit(router, number) else {
        return Ok(None);
    };
    let is_input = |sha256: &String| manifest.inputs.iter().any(|input| input.sha256 == *sha256);
    let is_same = manifest.predictions_sha256 == Some(sha256_file(&found.path)?)
        && manifest.embedder.as_ref() == Some(&embedded.name)
        && embedded.sha256.iter().all(is_input)
        && manifest.seed == recipe.seed
        && has_settings(&manifest.config, &recipe.config)
        && found.out_of_fold.folds == folds.of_row();
    if !is_same {
        return Ok(None);
    }
    info!("using the predictions in `{}`", found.path.display());
    let results = manifest.results["folds"].as_array();
    let results = results.map_or(&[][..], Vec::as_slice);
    let fits = results.iter().enumerate();
    Ok(Some(Kept {
        fits: fits
            .filter_map(|(fold, fit)| worth_fit(repeat, fold, &fit["results"]))
            .collect(),
        out_of_fold: found.out_of_fold,
    }))
}

/// The propensities that train-and-infer estimated, if they are of the same rows, embeddings, folds and settings; `None` where nothing was to be
/// estimated, too.
pub(super) fn propensities(
    whole: &WholeSet,
    embedded: &Embedded,
    params: &LearnerParams,
    folds: &Folds,
) -> Result<Option<LogPropensities>, WorthError> {
    let path = whole.dir().propensities();
    let is_estimated = whole.table().propensities.as_ref();
    if !is_estimated.is_some_and(|it| it.are_estimated) {
        return Ok(None);
    }
    let made_from = EstimatedPropensities::read_made_from(&path)?;
    let is_same = made_from.is_some_and(|it| {
        let has = |sha256| it.other_sha256.contains(sha256);
        it.embedder.as_ref() == Some(&embedded.name) && embedded.sha256.iter().all(has)
    });
    if !is_same {
        return Ok(None);
    }
    let estimated = EstimatedPropensities::read(&path)?;
    let kept = LogPropensities::kept(estimated, params, folds);
    if kept.is_some() {
        info!("using the propensities in `{}`", path.display());
    }
    Ok(kept)
}

/// What a fit says of its decision to route; `None` of a router that decides nothing.
pub(super) fn worth_fit(repeat: usize, fold: usize, results: &Value) -> Option<WorthFit> {
    let decision = RouteDecision::of(results)?;
    Some(WorthFit {
        repeat,
        fold,
        g: decision.g,
        judged: decision.is_judged,
    })
}

/// Whether a manifest's settings hold all of a recipe's.
fn has_settings(config: &Value, recipe: &Value) -> bool {
    // As it comes back from a file, where a number may lose its last bit.
    let recipe: Option<Value> = serde_json::from_str(&recipe.to_string()).ok();
    let recipe = recipe.as_ref().and_then(Value::as_object);
    recipe.is_some_and(|recipe| {
        recipe
            .iter()
            .all(|(key, value)| config.get(key) == Some(value))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_must_all_be_the_same() {
        let recipe = json!({ "knn": { "n-folds": 5, "alpha": 0.1 } });
        let more = json!({ "knn": { "n-folds": 5, "alpha": 0.1 }, "cross-fit": 5 });
        assert!(has_settings(&more, &recipe));
        assert!(!has_settings(
            &json!({ "knn": { "n-folds": 4, "alpha": 0.1 } }),
            &recipe
        ));
        assert!(!has_settings(&json!({}), &recipe));
    }

    #[test]
    fn only_a_blend_decides() {
        let expected = |judged| WorthFit {
            repeat: 1,
            fold: 3,
            g: 0.0,
            judged,
        };
        let zero = json!({ "scale": 0.0, "gain": 0.0 });
        for (gains, judged) in [
            (json!([]), false),
            (json!([zero]), false),
            (json!([zero, { "scale": 0.5, "gain": null }]), false),
            (json!([zero, { "scale": 0.5, "gain": -0.01 }]), true),
        ] {
            let blend = json!({ "routes": false, "scale": 0.0, "gains": gains });
            assert_eq!(worth_fit(1, 3, &blend), Some(expected(judged)), "{gains}");
        }
        assert_eq!(worth_fit(1, 3, &json!({ "targets": [] })), None);
    }
}
