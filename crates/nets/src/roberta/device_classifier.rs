use std::sync::{Mutex, PoisonError};

use dataset::Truncate;
use encoder::{Classifier, PredictParams, Predicted, ProblemType, RobertaParts};
use tch::Kind;
use tokenizers::Tokenizer;

use super::{RobertaModel, model::Net, predict::predict};
use crate::{Error, Result};

/// A RoBERTa that predicts on a device of libtorch or in bfloat16, for several threads.
#[derive(Debug)]
pub(crate) struct DeviceClassifier {
    parts: RobertaParts,
    /// A handle on tensors belongs to one thread at a time.
    net: Mutex<Net>,
}

impl DeviceClassifier {
    /// Attention, linear maps and activations compute in that kind.
    ///
    /// # Errors
    /// [`Error::Torch`] when memory does not suffice.
    pub(crate) fn new(model: RobertaModel, product_kind: Kind) -> Result<Self> {
        let net = model.net.to_kind(product_kind);
        Ok(Self {
            parts: model.parts,
            net: Mutex::new(net.map_err(Error::torch("convert weights"))?),
        })
    }
}

impl Classifier for DeviceClassifier {
    fn labels(&self) -> &[String] {
        &self.parts.config.labels
    }

    fn problem_type(&self) -> Option<ProblemType> {
        self.parts.config.problem_type
    }

    fn max_tokens(&self) -> usize {
        self.parts.config.encoder.max_tokens()
    }

    fn tokenizer(&self) -> &Tokenizer {
        &self.parts.tokenizer.named.tokenizer
    }

    fn set_truncate(&mut self, truncate: Option<Truncate>) {
        self.parts.set_truncate(truncate);
    }

    fn predict(
        &self,
        prompts: &[String],
        params: &PredictParams,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> encoder::Result<Predicted> {
        let net = self
            .net
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .share();
        Ok(predict(&net, &self.parts, prompts, params, on_progress)?)
    }
}
