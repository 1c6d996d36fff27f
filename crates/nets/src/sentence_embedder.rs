use std::sync::{Mutex, PoisonError};

use dataset::Truncate;
use encoder::{DeviceChoice, Embedded, ModelFiles, PromptEmbedder, SentenceModel, batches};
use tch::{Device, Kind, TchError, nn::VarStore};
use tokenizers::Tokenizer;

use crate::{
    Error, Result,
    batches::{max_tokens_per_batch, run_batches},
    find_device,
    transformer::{Batch, Encoder, Pass},
    weights::load_into,
};

/// A sentence-transformers model on a device of libtorch: what the crate `encoder` computes on the CPU.
///
/// Pooling and what follows it are that crate's, on the CPU: for each token its vector comes back from the device.
#[derive(Debug)]
pub struct SentenceEmbedder {
    model: SentenceModel,
    /// A handle on tensors belongs to one thread at a time.
    encoder: Mutex<Encoder>,
    device: Device,
}

impl SentenceEmbedder {
    /// Reads a model and brings its weights to a device, as float32.
    ///
    /// # Errors
    /// [`encoder::Error::NoDevice`]; any of [`SentenceModel::read`]; [`encoder::Error::ResultNotFinite`] for a model that computes no numbers.
    pub fn load(files: &ModelFiles, device: DeviceChoice) -> Result<Self> {
        let device = find_device(device)?;
        let (model, weights) = SentenceModel::read(files)?;
        let mut variables = VarStore::new(device);
        let encoder = Encoder::new(&variables.root(), model.encoder());
        load_into(weights, &variables)?;
        variables.freeze();
        let embedder = Self {
            model,
            encoder: Mutex::new(encoder),
            device,
        };
        // A model that computes no numbers shall be told before the hours that a data set takes.
        embedder.embed(&["a".to_owned()], &|_| ())?;
        Ok(embedder)
    }

    /// The same, cutting long prompts in another way than the model's files say; `None` leaves it to them.
    #[must_use]
    pub fn with_truncate(mut self, truncate: Option<Truncate>) -> Self {
        self.model.set_truncate(truncate);
        self
    }
}

impl PromptEmbedder for SentenceEmbedder {
    fn dim(&self) -> usize {
        self.model.dim()
    }

    fn max_tokens(&self) -> Option<usize> {
        Some(self.model.max_tokens())
    }

    fn tokenizer(&self) -> &Tokenizer {
        self.model.tokenizer()
    }

    /// A prompt's vector depends on the other prompts through rounding only, some 1e-7; the same prompts in the same order give the same vectors
    /// again.
    ///
    /// # Errors
    /// [`encoder::Error::Tokenize`] or [`encoder::Error::UnknownToken`]; [`Error::Torch`] when memory does not suffice;
    /// [`encoder::Error::ResultNotFinite`].
    fn embed(
        &self,
        prompts: &[String],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> encoder::Result<Embedded> {
        let prompts = self.model.tokenize(prompts)?;
        let lengths: Vec<usize> = prompts.iter().map(|prompt| prompt.ids.len()).collect();
        let batches = batches(&lengths, max_tokens_per_batch(self.device));
        on_progress(lengths.iter().filter(|length| **length == 0).count() as u64);
        let encoder = self
            .encoder
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .share();
        let pad_id = self.model.encoder().pad_id;
        let worker = || {
            let (encoder, prompts) = (encoder.share(), &prompts);
            move |rows: &[usize]| {
                let texts: Vec<&[u32]> = rows.iter().map(|row| &*prompts[*row].ids).collect();
                hidden(&encoder, &texts, pad_id, self.device)
            }
        };
        let dim = self.model.encoder().dim;
        let mut vectors = Vec::with_capacity(batches.len());
        run_batches(&batches, self.device, worker, |rows, hidden| {
            // Each text is padded to the longest.
            let texts = hidden.chunks_exact(hidden.len() / rows.len());
            let texts = rows.iter().zip(texts);
            let of_batch =
                texts.flat_map(|(row, text)| self.model.vector(&text[..lengths[*row] * dim]));
            vectors.push((rows, of_batch.collect()));
            on_progress(rows.len() as u64);
        })
        .map_err(Error::torch("embed prompts"))?;
        self.model.gather(&prompts, vectors)
    }
}

/// The last layer's vectors, `(texts, tokens of the longest, dim)`.
fn hidden(
    encoder: &Encoder,
    texts: &[&[u32]],
    pad_id: u32,
    device: Device,
) -> Result<Vec<f32>, TchError> {
    let _no_grad = tch::no_grad_guard();
    let batch = Batch::new(texts, pad_id, device)?;
    let hidden = encoder.forward(&batch, &Pass::INFERENCE)?;
    let hidden = hidden.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?;
    Vec::try_from(hidden.f_contiguous()?.f_view(-1)?)
}
