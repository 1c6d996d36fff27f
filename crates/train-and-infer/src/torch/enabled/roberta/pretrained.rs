use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use dataset::{CostKind, PerModel, PredictedCost, Predictions, Quantity};
use encoder::{NetworkTask, RobertaParts, TaskNetwork};
use nets::find_device;
use saved_routers::outputs_of_models;
use serde_json::json;

use super::{folders::NetworkFolder, predict::outputs, settings::Pretrained};
use crate::{
    learner::{Fit, Outcome, Product, Recipe},
    model_folder::survey_models,
    setup::Setup,
};

impl Pretrained {
    pub(super) fn recipe(&self, setup: &Setup) -> anyhow::Result<Recipe> {
        let models = self.models(setup.info.cost_kind);
        let mut inputs = Vec::new();
        // Either is of no use without the other.
        let names: Vec<&str> = models.iter().map(AsRef::as_ref).collect();
        survey_models(setup.quiet, &names, RobertaParts::FILES)?;
        for model in &models {
            inputs.extend(NetworkFolder::find(setup, model)?.sources()?);
        }
        Ok(Recipe {
            config: json!({
                "pretrained": models,
                "label-order": self.label_order,
                "predict": setup.roberta.predict_config(setup),
            }),
            seed: None,
            inputs,
            is_fitted: false,
        })
    }

    /// Predicts with networks that were trained elsewhere. The cost network's outputs are thousands of output tokens.
    pub(super) fn predict(&self, fit: &mut Fit<'_>) -> anyhow::Result<Outcome> {
        let (setup, test) = (fit.setup, fit.test);
        let cost_kind = setup.info.cost_kind;
        if cost_kind == CostKind::Usd {
            bail!(
                "a pretrained cost network predicts output tokens, but data set `{}` needs predictions in dollars",
                setup.info.name
            );
        }
        let mut environment = BTreeMap::new();
        let mut n_truncated = 0;
        let mut values = |name: &str, task| {
            let network = fit.stopwatch.time(&format!("load {task}"), || {
                self.load(setup, name, task, &test.models)
            })?;
            let outputs = outputs(setup, &network, task, test, fit.stopwatch)
                .with_context(|| format!("cannot use `{name}`"))?;
            // Both networks truncate at the same length, so the count of the last one is reported.
            n_truncated = outputs.is_truncated.iter().filter(|it| **it).count();
            let device = format!("{:?}", find_device(setup.device)?);
            environment.insert("device".to_owned(), device);
            anyhow::Ok(outputs.values)
        };
        let scores = values(&self.performance, NetworkTask::Performance)?;
        let cost = match cost_kind {
            CostKind::Known => PredictedCost::Known,
            CostKind::OutputTokens | CostKind::Usd => {
                let values = values(&self.cost, NetworkTask::Cost)?;
                let cost = Quantity::ThousandsOfOutputTokens.cost(&values, None);
                cost.expect("the quantity is of costs")
            }
        };
        let predictions = PerModel::of_split(&setup.info.models, test, scores, cost);
        let names: Vec<String> = self
            .models(cost_kind)
            .into_iter()
            .map(|model| format!("`{model}`"))
            .collect();
        Ok(Outcome {
            product: Product::Predictions(Predictions::PerModel(predictions)),
            results: json!({ "n-truncated": n_truncated }),
            summary: vec![
                format!("predicted with {}, trained elsewhere", names.join(" and ")),
                format!(
                    "{n_truncated} of {} prompts were truncated",
                    test.n_prompts()
                ),
            ],
            environment,
        })
    }

    /// A network with the outputs of the data set's LLMs, in their order.
    fn load(
        &self,
        setup: &Setup,
        name: &str,
        task: NetworkTask,
        models: &[String],
    ) -> anyhow::Result<TaskNetwork> {
        let folder = NetworkFolder::find(setup, name)?;
        let network = folder.load(setup, task).with_context(|| {
            format!(
                "cannot use `{name}` as the {task} network (the performance network comes first, then the cost network)"
            )
        })?;
        let order = self.label_order.as_deref();
        let columns = outputs_of_models(name, network.model().labels(), order, models)?;
        Ok(network.with_outputs(columns))
    }
}
