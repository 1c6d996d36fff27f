use std::sync::{Mutex, PoisonError};

use dataset::Truncate;
use encoder::{Embedded, ModelFiles, PromptEmbedder, Runtime, SentenceModel, batches};
use tch::{Device, Kind, TchError, nn::VarStore};
use tokenizers::Tokenizer;

use crate::{
    Error, Result,
    batches::run_batches,
    mode::Mode,
    transformer::{Batch, Encoder, Pass, longest},
    weights::load_into,
};

/// A sentence-transformers model on a device of libtorch, or in bfloat16: what the crate `encoder` computes on the CPU in float32.
///
/// Pooling and what follows it are that crate's, on the CPU: for each token its vector comes back from the device.
#[derive(Debug)]
pub struct SentenceEmbedder {
    model: SentenceModel,
    /// A handle on tensors belongs to one thread at a time.
    encoder: Mutex<Encoder>,
    mode: Mode,
}

impl SentenceEmbedder {
    /// Reads a model and brings its weights to a device: those that multiply in the precision asked for, the others as float32.
    ///
    /// # Errors
    /// [`encoder::Error::NoDevice`] or [`encoder::Error::NoPrecision`]; any of [`SentenceModel::read`]; [`encoder::Error::ResultNotFinite`] for a model that computes no numbers.
    pub fn load(files: &ModelFiles, runtime: Runtime) -> Result<Self> {
        let mode = Mode::find(runtime)?;
        let (model, weights) = SentenceModel::read(files)?;
        let mut variables = VarStore::new(mode.device);
        let encoder = Encoder::new(&variables.root(), model.encoder());
        load_into(weights, &variables)?;
        variables.freeze();
        let encoder = encoder
            .to_kind(mode.product_kind)
            .map_err(Error::torch("convert weights"))?;
        let embedder = Self {
            model,
            encoder: Mutex::new(encoder),
            mode,
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

    /// In float32 a prompt's vector depends on the other prompts through rounding only, some 1e-7; the same prompts in the same order give the same
    /// vectors again. In bfloat16 it does not depend on them at all.
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
        let batches = batches(&lengths, self.mode.max_tokens_per_batch());
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
                let n_tokens = self.mode.padded(longest(&texts), self.model.max_tokens());
                let batch = Batch::padded_to(n_tokens, &texts, pad_id, self.mode.device)?;
                hidden(&encoder, &batch, self.mode)
            }
        };
        let dim = self.model.encoder().dim;
        let mut vectors = Vec::with_capacity(batches.len());
        run_batches(&batches, self.mode, worker, |rows, hidden| {
            // Each text is padded to the same length.
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

/// The last layer's vectors, `(texts, padded tokens, dim)`.
fn hidden(encoder: &Encoder, batch: &Batch, mode: Mode) -> Result<Vec<f32>, TchError> {
    let _no_grad = tch::no_grad_guard();
    let hidden = encoder.forward(batch, &Pass::inference(mode.product_kind))?;
    let hidden = hidden.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?;
    Vec::try_from(hidden.f_contiguous()?.f_view(-1)?)
}
