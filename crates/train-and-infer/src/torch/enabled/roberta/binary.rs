use std::collections::BTreeMap;

use encoder::ProblemType;
use fitting::PairLabels;
use ndarray::Axis;
use saved_routers::Contents;
use serde_json::json;

use super::network::Network;
use crate::learner::{Fit, Fitted, Outcome, Product};

const NETWORK: &str = "small-wins";

/// Trains a network with one output: whether the small LLM of the pair scores at least as high as the large one.
///
/// Source: roberta-binary of somerstep/CARROT at 3e6acff, after RouteLLM.
///
/// # Deviations
/// Prompts on which a score of the pair is unknown are left out; the reference has none.
pub(super) fn fit(fit: &mut Fit<'_>) -> anyhow::Result<Outcome> {
    let setup = fit.setup;
    let labels = PairLabels::of(&setup.info, &setup.dir.info(), fit.train)?;
    let network = Network {
        name: NETWORK,
        labels: &[NETWORK.to_owned()],
        problem_type: ProblemType::MultiLabelClassification,
        targets: labels.small_wins.clone().insert_axis(Axis(1)),
    };
    let network = network.train(fit)?;
    let folder = fit.new_folder()?;
    fit.stopwatch.time("save", || network.save(folder.path()))?;
    let device = format!("{:?}", network.model.device());
    Ok(Outcome {
        results: json!({ "n-small-wins": labels.n_small, "n-large-wins": labels.n_large, NETWORK: network.results() }),
        summary: vec![network.summary()],
        environment: BTreeMap::from([("device".to_owned(), device)]),
        product: Product::Fitted(Fitted {
            folder,
            contents: Contents::RobertaBinary {
                folder: NETWORK.to_owned(),
            },
            base: Some(network.base),
        }),
    })
}
