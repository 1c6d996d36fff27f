//! Networks that read prompts: carrot-roberta, a pair of them, and roberta-binary.

mod binary;
mod folders;
mod network;
mod per_model;
mod pretrained;
mod settings;

use dataset::Source;
use serde_json::json;

pub(crate) use self::settings::RobertaSettings;
use self::{folders::NetworkFolder, settings::Plan};
use crate::{
    data::Data,
    job::Job,
    learner::{Outcome, Recipe},
    router::Router,
    stopwatch::Stopwatch,
};

pub(crate) fn recipe(job: &Job, router: Router) -> anyhow::Result<Recipe> {
    let settings = &job.torch.roberta;
    let predict = settings.predict_config();
    if let (Router::CarrotRoberta, Some(pretrained)) = (router, &settings.pretrained) {
        let mut inputs = Vec::new();
        for model in pretrained.models(job.info.cost_kind) {
            inputs.extend(NetworkFolder::find(job, model)?.sources()?);
        }
        return Ok(Recipe {
            config: json!({
                "pretrained": pretrained.models(job.info.cost_kind),
                "label-order": pretrained.label_order,
                "predict": predict,
            }),
            seed: None,
            inputs,
            is_fitted: false,
        });
    }
    let Plan {
        params,
        trainer,
        base,
    } = &settings.plan;
    let inputs: Vec<Source> = NetworkFolder::find(job, base)?.sources()?;
    Ok(Recipe {
        config: json!({
            "trainer": trainer,
            "training": params.params(),
            "base": base,
            "predict": predict,
        }),
        seed: Some(params.params().seed.into()),
        inputs,
        is_fitted: true,
    })
}

pub(crate) fn run(
    job: &Job,
    router: Router,
    data: &mut Data,
    stopwatch: &mut Stopwatch,
) -> anyhow::Result<Outcome> {
    let (splits, _) = data.splits(job)?;
    match (router, &job.torch.roberta.pretrained) {
        (Router::CarrotRoberta, Some(pretrained)) => {
            pretrained::run(job, pretrained, &splits.test, stopwatch)
        }
        (Router::RobertaBinary, _) => binary::run(job, &splits, stopwatch),
        _ => per_model::run(job, &splits, stopwatch),
    }
}
