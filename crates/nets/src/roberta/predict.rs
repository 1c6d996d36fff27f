use ndarray::{Array2, ArrayView1};
use tch::{Device, Kind, TchError};

use super::{
    RobertaModel,
    model::{Net, TrainingPass},
};
use crate::{
    Error, Result,
    batches::{batches, max_tokens_per_batch, run_batches},
    encoder::Batch,
};

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

/// Outputs of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// Shape `(n_prompts, n_labels)`, in the prompts' and the labels' order: logits, which [`sigmoid`] turns into probabilities, for
    /// [`crate::ProblemType::MultiLabelClassification`]; values for [`crate::ProblemType::Regression`].
    pub values: Array2<f32>,
    /// For each prompt whether it lost its end.
    pub is_truncated: Vec<bool>,
}

impl RobertaModel {
    /// One output per prompt and label. `on_progress` is told of prompts as they are done.
    ///
    /// # Errors
    /// [`Error::BadParameter`] for what `params` says; [`Error::Tokenize`], or [`Error::Torch`] when memory does not suffice.
    pub fn predict(
        &self,
        prompts: &[String],
        params: &PredictParams,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Predicted> {
        let prompts = self.tokenize(prompts, params.max_tokens)?;
        let texts: Vec<&[u32]> = prompts.iter().map(|prompt| &*prompt.ids).collect();
        Ok(Predicted {
            values: self.outputs(&texts, params.padding, on_progress)?,
            is_truncated: prompts.iter().map(|prompt| prompt.is_truncated).collect(),
        })
    }

    /// Outputs of tokenized prompts, none of which is empty, `(n_prompts, n_labels)`.
    pub(crate) fn outputs(
        &self,
        texts: &[&[u32]],
        padding: Padding,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Array2<f32>> {
        let batches = match padding {
            Padding::Masked => {
                let lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
                batches(&lengths, max_tokens_per_batch(self.device()))
            }
            Padding::Attended {
                prompts_per_batch: 0,
            } => {
                return Err(Error::BadParameter {
                    name: "prompts-per-batch",
                    found: "0".to_owned(),
                    expected: "at least 1",
                });
            }
            Padding::Attended { prompts_per_batch } => {
                let rows: Vec<usize> = (0..texts.len()).collect();
                rows.chunks(prompts_per_batch)
                    .map(<[usize]>::to_vec)
                    .collect()
            }
        };
        let worker = || {
            let net = self.net().share();
            move |rows: &[usize]| {
                let texts: Vec<&[u32]> = rows.iter().map(|row| texts[*row]).collect();
                net.outputs(&texts, padding)
            }
        };
        let n_labels = self.labels().len();
        let mut values = Array2::zeros((texts.len(), n_labels));
        run_batches(&batches, self.device(), worker, |rows, outputs| {
            for (row, outputs) in rows.iter().zip(outputs.chunks_exact(n_labels)) {
                values.row_mut(*row).assign(&ArrayView1::from(outputs));
            }
            on_progress(rows.len() as u64);
        })
        .map_err(Error::torch("predict"))?;
        Ok(values)
    }
}

impl Net {
    /// The texts' outputs, one after the other.
    fn outputs(&self, texts: &[&[u32]], padding: Padding) -> Result<Vec<f32>, TchError> {
        let _no_grad = tch::no_grad_guard();
        let batch = self.batch(texts, padding)?;
        let outputs = self.forward(&batch, &TrainingPass::INFERENCE)?; // (batch, labels)
        let outputs = outputs.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?;
        Vec::try_from(outputs.f_contiguous()?.f_view(-1)?)
    }

    /// Puts texts side by side.
    pub(crate) fn batch(&self, texts: &[&[u32]], padding: Padding) -> Result<Batch, TchError> {
        let batch = Batch::new(texts, self.pad_id, self.device)?;
        Ok(match padding {
            Padding::Masked => batch,
            Padding::Attended { .. } => Batch {
                mask: None,
                ..batch
            },
        })
    }
}

/// Turns logits into probabilities, `1 / (1 + exp(-x))`.
pub fn sigmoid(logits: &Array2<f32>) -> Array2<f32> {
    logits.mapv(|x| 1. / (1. + (-x).exp()))
}
