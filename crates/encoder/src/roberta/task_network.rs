use std::path::Path;

use dataset::Truncate;
use ndarray::Axis;

use super::{
    Classifier, NetworkTask, PredictParams, Predicted, ProblemType, RobertaClassifier, sigmoid,
};
use crate::{Error, Result};

/// A network whose task is known: what its outputs say, and which of them are wanted.
///
/// One piece of code for networks that were just trained and saved, for saved ones that route, and for those trained elsewhere.
#[derive(Debug)]
pub struct TaskNetwork {
    model: Box<dyn Classifier>,
    task: NetworkTask,
    columns: Vec<usize>,
}

impl TaskNetwork {
    /// Reads a network for a task, to run on the CPU; all its outputs are wanted, in its own order.
    ///
    /// # Errors
    /// [`Error::OtherTask`] for a network for costs given as one for scores; any of [`RobertaClassifier::from_folder`].
    pub fn from_folder(folder: &Path, task: NetworkTask) -> Result<Self> {
        let model = RobertaClassifier::from_folder(folder)?;
        Self::new(Box::new(model), folder, task)
    }

    /// The same with a model that was read from the folder.
    ///
    /// # Errors
    /// [`Error::OtherTask`].
    pub fn new(model: Box<dyn Classifier>, folder: &Path, task: NetworkTask) -> Result<Self> {
        let trained_for = match model.problem_type() {
            // The released performance network may not say what it is, so a network that does not is taken for what it is given as.
            None => task,
            Some(ProblemType::MultiLabelClassification) => NetworkTask::Performance,
            Some(ProblemType::Regression) => NetworkTask::Cost,
        };
        // Nothing that a performance network predicts is below 0 or above 1 after `sigmoid`, so a network for costs cannot be one; the other way round,
        // what config.json says may be a leftover of the network that a training started from.
        if trained_for != task && task == NetworkTask::Cost {
            tracing::warn!(
                "the network in `{}` is given as a {task} network, but its config.json has the `problem_type` of a {trained_for} network; its outputs \
                 are taken as they are",
                folder.display()
            );
        } else if trained_for != task {
            return Err(Error::OtherTask {
                folder: folder.to_owned(),
                task,
                trained_for,
            });
        }
        let columns = (0..model.labels().len()).collect();
        Ok(Self {
            model,
            task,
            columns,
        })
    }

    /// The same with only some outputs, in this order: one for each LLM to predict for.
    ///
    /// # Panics
    /// When there is no such output.
    #[must_use]
    pub fn with_outputs(self, columns: Vec<usize>) -> Self {
        let n_outputs = self.model.labels().len();
        assert!(
            columns.iter().all(|&column| column < n_outputs),
            "{columns:?} of {n_outputs} outputs"
        );
        Self { columns, ..self }
    }

    /// The same, cutting long prompts in another way than the network's files say; `None` leaves it to them.
    #[must_use]
    pub fn with_truncate(mut self, truncate: Option<Truncate>) -> Self {
        self.model.set_truncate(truncate);
        self
    }

    /// The network.
    pub fn model(&self) -> &dyn Classifier {
        &*self.model
    }

    /// The wanted outputs for some prompts, of shape `(n_prompts, n_outputs)`: probabilities for [`NetworkTask::Performance`], values for
    /// [`NetworkTask::Cost`]. `on_progress` counts prompts.
    ///
    /// # Errors
    /// As [`Classifier::predict`].
    pub fn predict(
        &self,
        prompts: &[String],
        params: &PredictParams,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Predicted> {
        let predicted = self.model.predict(prompts, params, on_progress)?;
        let values = match self.task {
            NetworkTask::Performance => sigmoid(&predicted.values),
            NetworkTask::Cost => predicted.values,
        };
        Ok(Predicted {
            values: values.select(Axis(1), &self.columns),
            is_truncated: predicted.is_truncated,
        })
    }
}
