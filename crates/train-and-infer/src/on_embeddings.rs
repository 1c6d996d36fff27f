//! Routers on embeddings, which the crate `fitting` fits: progress, timing and saving around it.

use std::collections::BTreeMap;

use fitting::Learner;

use crate::{
    learner::{Fit, Fitted, Outcome, Product, Recipe},
    setup::Setup,
};

pub(crate) fn recipe(setup: &Setup, learner: Learner) -> Recipe {
    let fitting::Recipe { config, seed } = setup.learners.recipe(learner);
    Recipe {
        config,
        seed,
        inputs: Vec::new(),
        is_fitted: true,
    }
}

pub(crate) fn fit(fit: &mut Fit<'_>, learner: Learner) -> anyhow::Result<Outcome> {
    let setup = fit.setup;
    let embeddings = fit.embeddings();
    let (label, total) = setup.learners.progress(learner, embeddings.nrows());
    let bar = fit.bar(label, total);
    let router = fit.stopwatch.time("fit", || {
        let on_progress = |n| bar.add(n);
        Ok((setup.learners).fit(learner, embeddings, fit.train, &setup.info, &on_progress)?)
    })?;
    // Ends the bar, which would otherwise stay on the screen while the router is saved.
    drop(bar);
    let folder = fit.new_folder()?;
    let contents = fit.stopwatch.time("save", || Ok(router.save(&folder)?))?;
    Ok(Outcome {
        product: Product::Fitted(Fitted {
            folder,
            contents,
            base: None,
        }),
        results: router.results(),
        summary: router.summary(&fit.train.models),
        environment: BTreeMap::new(),
    })
}
