use std::path::Path;

use anyhow::{Context as _, bail};
use cli_support::Progress;
use dataset::{PartTable, PredictedCost};
use encoder::{NetworkTask, Predicted, TaskNetwork};
use nets::load_network;
use saved_routers::{Model, ModelOutputs, PerModelOutputs, SavedRouter, outputs_of_models};

use super::folders::runtime;
use crate::{setup::Setup, stopwatch::Stopwatch};

/// Predicts with the networks of a saved router.
pub(crate) fn predict(
    setup: &Setup,
    router: &SavedRouter,
    test: &PartTable,
    stopwatch: &mut Stopwatch,
) -> anyhow::Result<ModelOutputs> {
    let mut load = |folder: &Path, task| {
        stopwatch.time(&format!("load {task}"), || {
            let network = load_network(folder, task, runtime(setup))?;
            Ok(network.with_truncate(setup.truncate))
        })
    };
    match &router.model {
        Model::Roberta { performance, cost } => {
            let per_model = |network: TaskNetwork, folder: &Path| {
                let name = folder.display().to_string();
                let labels = network.model().labels();
                let columns = outputs_of_models(&name, labels, None, &test.models)?;
                anyhow::Ok(network.with_outputs(columns))
            };
            // Both are loaded and matched to the LLMs before either predicts: a cost network that does not fit must not cost the minutes that the
            // other one takes.
            let network = per_model(load(performance, NetworkTask::Performance)?, performance)?;
            let cost = match cost {
                Some(unit) => {
                    let cost = per_model(load(&unit.folder, NetworkTask::Cost)?, &unit.folder)?;
                    Some((cost, unit))
                }
                None => None,
            };
            let scores =
                outputs(setup, &network, NetworkTask::Performance, test, stopwatch)?.values;
            let cost = match cost {
                Some((network, unit)) => {
                    let outputs = outputs(setup, &network, NetworkTask::Cost, test, stopwatch)?;
                    unit.predicted(&outputs.values)
                }
                None => PredictedCost::Known,
            };
            Ok(ModelOutputs::PerModel(PerModelOutputs { scores, cost }))
        }
        Model::RobertaBinary(folder) => {
            let network = load(folder, NetworkTask::Performance)?;
            let outputs = outputs(setup, &network, NetworkTask::Performance, test, stopwatch)?;
            Ok(ModelOutputs::SmallWins(outputs.values.column(0).to_owned()))
        }
        Model::Knn(_)
        | Model::KnnIndex(_)
        | Model::Linear(_)
        | Model::Kernel(_)
        | Model::Cluster(_)
        | Model::Blend(_)
        | Model::Rorf(_)
        | Model::Mf(_) => {
            bail!("`{}` does not read prompts", router.record.router)
        }
    }
}

/// A network's outputs for the test prompts, by the settings for prediction.
pub(super) fn outputs(
    setup: &Setup,
    network: &TaskNetwork,
    task: NetworkTask,
    test: &PartTable,
    stopwatch: &mut Stopwatch,
) -> anyhow::Result<Predicted> {
    stopwatch.time(&format!("predict {task}"), || {
        let label = format!("predicting {task}");
        let bar = Progress::bar(&label, test.n_prompts() as u64, setup.quiet);
        network
            .predict(&test.prompts, &setup.roberta.predict, &|n| bar.add(n))
            .with_context(|| format!("cannot predict with the {task} network"))
    })
}
