use std::fmt;

use dataset::Truncate;
use ndarray::Array2;
use tokenizers::Tokenizer;

use super::ProblemType;
use crate::{Error, Result, batches::batches};

/// How prompts are predicted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PredictParams {
    /// The longest prompt in tokens, special ones included; what lies behind is cut off.
    pub max_tokens: usize,
    /// What becomes of the padding in a batch.
    pub padding: Padding,
}

/// What becomes of the padding that makes a batch's prompts equally long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Attention does not see it: a prompt's outputs do not depend on the others but through rounding, and batches go by length.
    Masked,
    /// Attention sees it, so that a prompt's outputs depend on the longest one in its batch; batches are taken in the prompts' order. The
    /// reference does so where it passes `input_ids` alone: in its `--trainer hf`, and in its CarrotRouter.
    Attended {
        /// Prompts in a batch, at least 1.
        prompts_per_batch: usize,
    },
}

impl Padding {
    /// Prompts that are predicted for together, batch by batch, by their positions and lengths in tokens.
    ///
    /// # Errors
    /// [`Error::BadParameter`] for batches of no prompt.
    pub fn batches(
        self,
        lengths: &[usize],
        max_tokens_per_batch: usize,
    ) -> Result<Vec<Vec<usize>>> {
        match self {
            Self::Masked => Ok(batches(lengths, max_tokens_per_batch)),
            Self::Attended {
                prompts_per_batch: 0,
            } => Err(Error::BadParameter {
                name: "prompts-per-batch",
                found: "0".to_owned(),
                expected: "at least 1",
            }),
            Self::Attended { prompts_per_batch } => {
                let rows: Vec<usize> = (0..lengths.len()).collect();
                let batches = rows.chunks(prompts_per_batch);
                Ok(batches.map(<[usize]>::to_vec).collect())
            }
        }
    }
}

/// Outputs of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// Shape `(n_prompts, n_labels)`, in the prompts' and the labels' order: logits, which [`sigmoid`] turns into probabilities, for
    /// [`crate::ProblemType::MultiLabelClassification`]; values for [`crate::ProblemType::Regression`].
    pub values: Array2<f32>,
    /// For each prompt whether it lost its end.
    pub is_truncated: Vec<bool>,
}

/// A model that gives every prompt one output per label.
pub trait Classifier: fmt::Debug + Send + Sync {
    /// What the outputs are called, in their order.
    fn labels(&self) -> &[String];

    /// What the outputs are, if the model says.
    fn problem_type(&self) -> Option<ProblemType>;

    /// The longest prompt in tokens, special ones included: 512 for `roberta-base`.
    fn max_tokens(&self) -> usize;

    /// What splits prompts, with whatever truncation and padding its files ask for.
    fn tokenizer(&self) -> &Tokenizer;

    /// Cuts long prompts in another way than the model's files say; `None` leaves it to them.
    fn set_truncate(&mut self, truncate: Option<Truncate>);

    /// One output per prompt and label. `on_progress` is told of prompts as they are done.
    ///
    /// # Errors
    /// [`Error::BadParameter`] for what `params` says; [`Error::Tokenize`]; what the model says of itself.
    fn predict(
        &self,
        prompts: &[String],
        params: &PredictParams,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Predicted>;
}

/// Turns logits into probabilities, `1 / (1 + exp(-x))`.
pub fn sigmoid(logits: &Array2<f32>) -> Array2<f32> {
    logits.mapv(|x| 1. / (1. + (-x).exp()))
}
