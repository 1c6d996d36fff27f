use std::collections::BTreeMap;

use dataset::{Predictions, SmallWins};
use ndarray::Axis;
use nets::ProblemType;
use saved_routers::{Contents, NewFolder};
use serde_json::json;

use super::network::Network;
use crate::{
    data::Splits,
    job::Job,
    learner::{Fitted, Outcome},
    router::Router,
    stopwatch::Stopwatch,
    torch::enabled::pair_labels::PairLabels,
};

const ROUTER: Router = Router::RobertaBinary;
const NETWORK: &str = "small-wins";

/// Trains a network with one output, whether the small LLM of the pair scores at least as high as the large one, and predicts the test
/// split.
///
/// Source: roberta-binary of somerstep/CARROT at 3e6acff, after RouteLLM.
///
/// # Deviations
/// Prompts on which a score of the pair is unknown are left out; the reference has none.
pub(super) fn run(
    job: &Job,
    splits: &Splits,
    stopwatch: &mut Stopwatch,
) -> anyhow::Result<Outcome> {
    let labels = PairLabels::of(job, &splits.train)?;
    let network = Network {
        router: ROUTER,
        name: NETWORK,
        labels: &[NETWORK.to_owned()],
        problem_type: ProblemType::MultiLabelClassification,
        targets: labels.small_wins.clone().insert_axis(Axis(1)),
    };
    let network = network.train(job, &splits.train, stopwatch)?;
    let probability = network.predict(job, &splits.test, stopwatch)?;
    let folder = stopwatch.time("save", || {
        let folder = NewFolder::create(&job.model_folder(ROUTER))?;
        network.save(folder.path())?;
        Ok(folder)
    })?;
    let environment =
        BTreeMap::from([("device".to_owned(), format!("{:?}", network.model.device()))]);
    Ok(Outcome {
        predictions: Predictions::SmallWins(SmallWins {
            ids: splits.test.ids.clone(),
            probability: probability.column(0).to_owned(),
        }),
        results: json!({ "n-small-wins": labels.n_small, "n-large-wins": labels.n_large, NETWORK: network.results() }),
        summary: vec![network.summary()],
        environment,
        fitted: Some(Fitted {
            folder,
            contents: Contents::RobertaBinary {
                folder: NETWORK.to_owned(),
            },
            base: Some(network.base.clone()),
        }),
    })
}
