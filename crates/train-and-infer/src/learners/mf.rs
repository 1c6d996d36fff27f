use std::{collections::BTreeMap, fmt::Write as _};

use dataset::write_atomically;
use routers::MfReport;
use saved_routers::Contents;
use serde_json::json;

use super::pair_labels::PairLabels;
use crate::{
    learner::{Fit, Fitted, Learner, Outcome, Product, Recipe},
    setup::Setup,
};

/// A matrix factorization on the pair, which predicts how likely the small LLM does at least as well.
pub(crate) const LEARNER: Learner = Learner { recipe, fit };

/// The folder in the router's.
const FOLDER: &str = "factorization";
const METRICS: &str = "metrics.csv";

fn recipe(setup: &Setup) -> anyhow::Result<Recipe> {
    Ok(Recipe {
        config: json!({ "mf": setup.mf.params() }),
        seed: Some(setup.mf.params().seed),
        inputs: Vec::new(),
        is_fitted: true,
    })
}

fn fit(fit: &mut Fit<'_>) -> anyhow::Result<Outcome> {
    let setup = fit.setup;
    let embeddings = fit.embeddings();
    let labels = PairLabels::of(setup, fit.train)?;
    let bar = fit.bar("training", setup.mf.params().n_epochs);
    let (mf, report) = fit.stopwatch.time("fit", || {
        // NaN included: the fit leaves those prompts out and counts them in its report.
        let small_wins = labels.small_wins.to_vec();
        Ok(setup.mf.fit(embeddings, &small_wins, &|n| bar.add(n))?)
    })?;
    drop(bar);
    let folder = fit.new_folder()?;
    fit.stopwatch.time("save", || {
        folder.write_mf(FOLDER, &mf)?;
        let path = folder.path().join(FOLDER).join(METRICS);
        Ok(write_atomically(path, metrics(&report).as_bytes())?)
    })?;
    let best = report.best.map_or_else(
        || "no validation".to_owned(),
        |best| {
            format!(
                "validation log-likelihood {:.4} after step {} of {}",
                best.log_likelihood, best.step, report.n_steps
            )
        },
    );
    Ok(Outcome {
        product: Product::Fitted(Fitted {
            folder,
            contents: Contents::Mf {
                folder: FOLDER.to_owned(),
            },
            base: None,
        }),
        results: json!({
            "n-small-wins": labels.n_small, "n-large-wins": labels.n_large, "n-train": report.n_train,
            "n-validation": report.n_validation, "n-unknown": report.n_unknown, "n-steps": report.n_steps, "best": report.best,
        }),
        summary: vec![best],
        environment: BTreeMap::new(),
    })
}

/// The course of the training.
fn metrics(report: &MfReport) -> String {
    let mut csv = String::from("epoch,loss,val_log_likelihood\n");
    for (epoch, found) in (1..).zip(&report.epochs) {
        let validation = found.val_log_likelihood;
        let validation = validation.map_or(String::new(), |x: f64| x.to_string());
        let epoch: u64 = epoch;
        writeln!(csv, "{epoch},{},{validation}", found.loss).expect("a string grows as needed");
    }
    csv
}
