//! A Transformer encoder of the BERT family (Devlin et al. 2018, arXiv 1810.04805): post-norm layers over learned positions.
//!
//! Variables are named as in Hugging Face checkpoints. Every part takes and gives `(batch, tokens, dim)`.

mod attention;
mod config;
mod embeddings;
mod layer;
mod linear;

use tch::{Device, Kind, TchError, Tensor, nn};

use self::config::Activation;
pub(crate) use self::config::EncoderConfig;
use self::{embeddings::Embeddings, layer::Layer};

/// Token ids of several texts as one tensor.
#[derive(Debug)]
pub(crate) struct Batch {
    /// int64, `(batch, tokens)`; what lies behind a text's end is any id.
    pub(crate) ids: Tensor,
    /// bool, `(batch, tokens)`, true for a text's own tokens; `None` when all texts are equally long.
    pub(crate) mask: Option<Tensor>,
}

/// A table of embeddings and a stack of layers.
#[derive(Debug)]
pub(crate) struct Encoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
}

impl Batch {
    /// Puts texts side by side on a device. None may be empty.
    ///
    /// # Errors
    /// When libtorch refuses, for want of memory.
    pub(crate) fn new(texts: &[&[u32]], device: Device) -> Result<Self, TchError> {
        let n_tokens = texts.iter().map(|ids| ids.len()).max().unwrap_or(0);
        let mut ids = vec![0_i64; texts.len() * n_tokens];
        let mut mask = vec![false; ids.len()];
        for (text_idx, text) in texts.iter().enumerate() {
            let first = text_idx * n_tokens;
            for (slot, id) in ids[first..].iter_mut().zip(*text) {
                *slot = i64::from(*id);
            }
            mask[first..first + text.len()].fill(true);
        }
        let shape = [texts.len() as i64, n_tokens as i64];
        let mask = match mask.contains(&false) {
            true => Some(
                Tensor::f_from_slice(&mask)?
                    .f_view(shape)?
                    .f_to_device(device)?,
            ),
            false => None,
        };
        let ids = Tensor::f_from_slice(&ids)?
            .f_view(shape)?
            .f_to_device(device)?;
        Ok(Self { ids, mask })
    }

    /// What the mask adds to the scores of an attention, `(batch, 1, 1, tokens)`: minus infinity for keys behind a text's end.
    fn attention_bias(&self, kind: Kind) -> Result<Option<Tensor>, TchError> {
        let Some(mask) = &self.mask else {
            return Ok(None);
        };
        let zeros = Tensor::f_zeros(mask.size(), (kind, mask.device()))?;
        let bias = zeros.f_masked_fill(&mask.f_logical_not()?, f64::NEG_INFINITY)?;
        bias.f_unsqueeze(1)?.f_unsqueeze(1).map(Some)
    }
}

impl Encoder {
    /// Makes the variables `embeddings.*` and `encoder.layer.*` under a path, all zero until weights are loaded.
    pub(crate) fn new(path: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let layers = path / "encoder" / "layer";
        Self {
            embeddings: Embeddings::new(&(path / "embeddings"), config),
            layers: (0..config.n_layers)
                .map(|layer_idx| Layer::new(&(&layers / layer_idx), config))
                .collect(),
        }
    }

    /// A second handle on the same variables, for another thread.
    pub(crate) fn share(&self) -> Self {
        Self {
            embeddings: self.embeddings.share(),
            layers: self.layers.iter().map(Layer::share).collect(),
        }
    }

    /// The last layer's vectors, `(batch, tokens, dim)`; those behind a text's end mean nothing.
    ///
    /// # Errors
    /// When libtorch refuses: for want of memory, or because an id or a position is not in its table.
    pub(crate) fn forward(&self, batch: &Batch) -> Result<Tensor, TchError> {
        let mut hidden = self.embeddings.forward(&batch.ids)?;
        let bias = batch.attention_bias(hidden.kind())?;
        for layer in &self.layers {
            hidden = layer.forward(&hidden, bias.as_ref())?;
        }
        Ok(hidden)
    }
}
