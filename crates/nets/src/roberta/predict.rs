use encoder::{Padding, PredictParams, Predicted, RobertaParts};
use ndarray::{Array2, ArrayView1};
use tch::{Device, Kind, TchError};

use super::{
    RobertaModel,
    model::{Net, TrainingPass},
};
use crate::{Error, Result, batches::run_batches, transformer::Batch};

impl RobertaModel {
    /// One output per prompt and label. `on_progress` is told of prompts as they are done.
    ///
    /// # Errors
    /// [`encoder::Error::BadParameter`] for what `params` says; [`encoder::Error::Tokenize`], or [`Error::Torch`] when memory does not suffice.
    pub fn predict(
        &self,
        prompts: &[String],
        params: &PredictParams,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Predicted> {
        predict(&self.net, &self.parts, prompts, params, on_progress)
    }

    /// Outputs of tokenized prompts, none of which is empty, `(n_prompts, n_labels)`.
    pub(crate) fn outputs(&self, texts: &[&[u32]], padding: Padding) -> Result<Array2<f32>> {
        outputs(&self.net, self.labels().len(), texts, padding, &|_| ())
    }
}

/// One output per prompt and label.
pub(super) fn predict(
    net: &Net,
    parts: &RobertaParts,
    prompts: &[String],
    params: &PredictParams,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<Predicted> {
    let prompts = parts.tokenize(prompts, params.max_tokens)?;
    let texts: Vec<&[u32]> = prompts.iter().map(|prompt| &*prompt.ids).collect();
    let n_labels = parts.config.labels.len();
    Ok(Predicted {
        values: outputs(net, n_labels, &texts, params.padding, on_progress)?,
        is_truncated: prompts.iter().map(|prompt| prompt.is_truncated).collect(),
    })
}

fn outputs(
    net: &Net,
    n_labels: usize,
    texts: &[&[u32]],
    padding: Padding,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<Array2<f32>> {
    let lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
    let batches = padding.batches(&lengths, net.mode.max_tokens_per_batch())?;
    let worker = || {
        let net = net.share();
        move |rows: &[usize]| {
            let texts: Vec<&[u32]> = rows.iter().map(|row| texts[*row]).collect();
            net.outputs(&texts, padding)
        }
    };
    let mut values = Array2::zeros((texts.len(), n_labels));
    run_batches(&batches, net.mode, worker, |rows, outputs| {
        for (row, outputs) in rows.iter().zip(outputs.chunks_exact(n_labels)) {
            values.row_mut(*row).assign(&ArrayView1::from(outputs));
        }
        on_progress(rows.len() as u64);
    })
    .map_err(Error::torch("predict"))?;
    Ok(values)
}

impl Net {
    /// The texts' outputs, one after the other.
    fn outputs(&self, texts: &[&[u32]], padding: Padding) -> Result<Vec<f32>, TchError> {
        let _no_grad = tch::no_grad_guard();
        let batch = self.batch(texts, padding)?;
        let outputs = self.forward(&batch, &TrainingPass::inference(self.mode.product_kind))?; // (batch, labels)
        let outputs = outputs.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?;
        Vec::try_from(outputs.f_contiguous()?.f_view(-1)?)
    }

    /// Puts texts side by side.
    pub(crate) fn batch(&self, texts: &[&[u32]], padding: Padding) -> Result<Batch, TchError> {
        let batch = Batch::new(texts, self.pad_id, self.mode.device)?;
        Ok(match padding {
            Padding::Masked => batch,
            Padding::Attended { .. } => Batch {
                mask: None,
                ..batch
            },
        })
    }
}
