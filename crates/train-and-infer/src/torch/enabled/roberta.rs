//! Networks that read prompts: carrot-roberta, a pair of them, and roberta-binary.

mod binary;
mod folders;
mod network;
mod per_model;
mod predict;
mod pretrained;
mod settings;

use serde_json::json;

use self::{folders::NetworkFolder, settings::Plan};
pub(crate) use self::{predict::predict, settings::RobertaSettings};
use crate::{
    learner::{Fit, Learner, Outcome, Recipe},
    setup::Setup,
};

/// Two networks, or those that the user names instead.
pub(crate) const CARROT_ROBERTA: Option<Learner> = Some(Learner::Networks {
    recipe: |setup| match &setup.roberta.pretrained {
        Some(pretrained) => pretrained.recipe(setup),
        None => trained(setup),
    },
    fit: |fit: &mut Fit<'_>| -> anyhow::Result<Outcome> {
        let setup = fit.setup;
        match &setup.roberta.pretrained {
            Some(pretrained) => pretrained.predict(fit),
            None => per_model::fit(fit),
        }
    },
});

/// One network, which knows the pair.
pub(crate) const ROBERTA_BINARY: Option<Learner> = Some(Learner::Networks {
    recipe: trained,
    fit: binary::fit,
});

/// The recipe of networks that are trained here.
fn trained(setup: &Setup) -> anyhow::Result<Recipe> {
    let settings = &setup.roberta;
    let Plan {
        params,
        trainer,
        base,
    } = &settings.plan;
    Ok(Recipe {
        config: json!({
            "trainer": trainer,
            "training": params.params(),
            "base": base,
            "predict": settings.predict_config(setup),
        }),
        seed: Some(params.params().seed.into()),
        inputs: NetworkFolder::find(setup, base)?.sources()?,
        is_fitted: true,
    })
}
