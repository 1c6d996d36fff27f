use std::path::{Path, PathBuf};

use ndarray::Axis;
use nets::{DeviceChoice, Padding, PredictParams, ProblemType, RobertaModel, sigmoid};
use saved_routers::{PredictedCost, RobertaCost, outputs_of_models};

use crate::{
    Error, Result,
    counter::Counter,
    predictor::{Length, Predicted},
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

/// A network, and for each LLM the output that is its.
#[derive(Debug)]
struct Network {
    name: String,
    model: RobertaModel,
    columns: Vec<usize>,
}

/// A network that was read, whose outputs nobody has looked at yet.
#[derive(Debug)]
pub(crate) struct LoadedNetwork {
    pub(crate) name: String,
    model: RobertaModel,
}

/// What a network is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkTask {
    /// Scores.
    Performance,
    /// What costs are made of.
    Cost,
}

impl std::fmt::Display for NetworkTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Performance => "performance",
            Self::Cost => "cost",
        })
    }
}

/// The LLMs to predict for, and the names that the user gave to outputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outputs<'a> {
    pub(crate) models: &'a [String],
    pub(crate) order: Option<&'a [String]>,
}

impl LoadedNetwork {
    /// Reads a network; `name` is what it was called.
    ///
    /// # Errors
    /// [`Error::Network`], or [`Error::OtherTask`] for a network that says it is something else.
    pub(crate) fn load(
        name: &str,
        folder: &Path,
        task: NetworkTask,
        device: DeviceChoice,
    ) -> Result<Self> {
        let model = RobertaModel::from_folder(folder, device).map_err(|source| Error::Network {
            name: name.to_owned(),
            source: source.into(),
        })?;
        // The released performance network may not say what it is.
        let is_other = matches!(
            (task, model.problem_type()),
            (NetworkTask::Performance, Some(ProblemType::Regression))
                | (
                    NetworkTask::Cost,
                    Some(ProblemType::MultiLabelClassification)
                )
        );
        match is_other {
            true => Err(Error::OtherTask {
                name: name.to_owned(),
                task,
            }),
            false => Ok(Self {
                name: name.to_owned(),
                model,
            }),
        }
    }

    /// What it calls its outputs.
    pub(crate) fn labels(&self) -> &[String] {
        self.model.labels()
    }

    fn with_outputs(self, outputs: Outputs<'_>) -> Result<Network> {
        let Outputs { models, order } = outputs;
        Ok(Network {
            columns: outputs_of_models(&self.name, self.model.labels(), order, models)?,
            name: self.name,
            model: self.model,
        })
    }
}

impl Networks {
    /// Puts networks together. Prompts are cut to `max_tokens`, special ones included, or to as many as a network can take.
    ///
    /// # Errors
    /// What [`outputs_of_models`] says of outputs that are not the LLMs'.
    pub(crate) fn new(
        performance: LoadedNetwork,
        cost: Option<(LoadedNetwork, RobertaCost)>,
        outputs: Outputs<'_>,
        max_tokens: usize,
    ) -> Result<Self> {
        let tokenizer = performance.model.tokenizer().clone();
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
                padding: Padding::Masked,
            },
        })
    }

    pub(crate) fn predict(&self, prompts: &[String]) -> Result<Predicted> {
        let performance = self
            .performance
            .model
            .predict(prompts, &self.params, &|_| ())?;
        let scores = sigmoid(&performance.values).select(Axis(1), &self.performance.columns);
        let mut is_truncated = performance.is_truncated;
        let cost = match &self.cost {
            None => PredictedCost::Known,
            Some((network, unit)) => {
                let predicted = network.model.predict(prompts, &self.params, &|_| ())?;
                for (one, other) in is_truncated.iter_mut().zip(predicted.is_truncated) {
                    *one |= other;
                }
                unit.predicted(&predicted.values.select(Axis(1), &network.columns))
            }
        };
        let counts = self.counter.count_all(prompts)?;
        let lengths = counts.into_iter().zip(is_truncated);
        let length = |(n_tokens, is_truncated)| Length {
            n_tokens,
            is_truncated,
        };
        Ok(Predicted {
            scores,
            cost,
            lengths: lengths.map(length).collect(),
        })
    }

    pub(crate) fn stand_in(&self) -> String {
        format!("the tokenizer of the network `{}`", self.performance.name)
    }

    pub(crate) fn describe(&self) -> String {
        let performance = &self.performance.name;
        match &self.cost {
            Some((cost, _)) => format!("the networks `{performance}` and `{}`", cost.name),
            None => format!("the network `{performance}`, costs being known"),
        }
    }
}
