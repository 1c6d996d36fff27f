use dataset::{PredictedCost, Truncate};
use std::path::{Path, PathBuf};

use encoder::{NetworkTask, Padding, PredictParams, Runtime, TaskNetwork};
use saved_routers::{RobertaCost, outputs_of_models};

use crate::{
    Error, Result,
    backend::load_network,
    counter::Counter,
    predicted::{Length, Predicted},
};

/// Predicts with networks that read the prompt: one for scores and, unless costs are known, one for them.
#[derive(Debug)]
pub(crate) struct Networks {
    performance: Network,
    cost: Option<(Network, RobertaCost)>,
    /// By the tokenizer of the performance network.
    counter: Counter,
    params: PredictParams,
}

/// A network with one output for each LLM.
#[derive(Debug)]
struct Network {
    name: String,
    network: TaskNetwork,
}

/// A network that was read, but not yet matched to LLMs.
#[derive(Debug)]
pub(crate) struct LoadedNetwork {
    pub(crate) name: String,
    network: TaskNetwork,
}

/// The LLMs to predict for, and the names that the user gave to the outputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outputs<'a> {
    pub(crate) models: &'a [String],
    pub(crate) order: Option<&'a [String]>,
}

impl LoadedNetwork {
    /// Reads a network; messages call it `name`.
    ///
    /// # Errors
    /// [`Error::Network`], or [`Error::OtherTask`] for a network that says it is something else.
    pub(crate) fn load(
        name: &str,
        folder: &Path,
        task: NetworkTask,
        runtime: Runtime,
        truncate: Option<Truncate>,
    ) -> Result<Self> {
        let name = name.to_owned();
        match load_network(folder, task, runtime) {
            Ok(network) => Ok(Self {
                name,
                network: network.with_truncate(truncate),
            }),
            Err(encoder::Error::OtherTask { .. }) => Err(Error::OtherTask { name, task }),
            Err(source) => Err(Error::Network {
                name,
                source: source.into(),
            }),
        }
    }

    /// What it calls its outputs.
    pub(crate) fn labels(&self) -> &[String] {
        self.network.model().labels()
    }

    fn with_outputs(self, outputs: Outputs<'_>) -> Result<Network> {
        let Outputs { models, order } = outputs;
        let columns = outputs_of_models(&self.name, self.labels(), order, models)?;
        Ok(Network {
            name: self.name,
            network: self.network.with_outputs(columns),
        })
    }
}

impl Networks {
    /// Combines networks. Prompts are truncated to `max_tokens`, special ones included, or to as many as a network can take.
    ///
    /// # Errors
    /// What [`outputs_of_models`] says of outputs that are not the LLMs'.
    pub(crate) fn new(
        performance: LoadedNetwork,
        cost: Option<(LoadedNetwork, RobertaCost)>,
        outputs: Outputs<'_>,
        max_tokens: usize,
    ) -> Result<Self> {
        let tokenizer = performance.network.model().tokenizer().clone();
        let counter = Counter::new(tokenizer).map_err(|source| Error::Tokenizer {
            path: PathBuf::from(&performance.name),
            source,
        })?;
        let cost = match cost {
            Some((network, unit)) => Some((network.with_outputs(outputs)?, unit)),
            None => None,
        };
        Ok(Self {
            performance: performance.with_outputs(outputs)?,
            cost,
            counter,
            params: PredictParams {
                max_tokens,
                // The reference attends to padding, which makes a decision depend on the other prompts of the call.
                padding: Padding::Masked,
            },
        })
    }

    pub(crate) fn predict(&self, prompts: &[String]) -> Result<Predicted> {
        let predict = |network: &Network| network.network.predict(prompts, &self.params, &|_| ());
        let performance = predict(&self.performance)?;
        let mut is_truncated = performance.is_truncated;
        let cost = match &self.cost {
            None => PredictedCost::Known,
            Some((network, unit)) => {
                let predicted = predict(network)?;
                // Each network has a tokenizer and a limit of its own.
                for (one, other) in is_truncated.iter_mut().zip(predicted.is_truncated) {
                    *one |= other;
                }
                unit.predicted(&predicted.values)
            }
        };
        let counts = self.counter.count_all(prompts)?;
        let lengths = counts.into_iter().zip(is_truncated);
        let length = |(n_tokens, is_truncated)| Length {
            n_tokens,
            is_truncated,
        };
        Ok(Predicted {
            scores: performance.values,
            cost,
            lengths: lengths.map(length).collect(),
            shards_missing: Vec::new(),
            sketches: None,
        })
    }

    pub(crate) fn stand_in(&self) -> String {
        format!("the tokenizer of the network `{}`", self.performance.name)
    }

    pub(crate) fn describe(&self) -> String {
        let performance = &self.performance.name;
        match &self.cost {
            Some((cost, _)) => format!("the networks `{performance}` and `{}`", cost.name),
            None => format!("the network `{performance}`; costs are known"),
        }
    }
}
