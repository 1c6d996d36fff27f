use ndarray::{Array2, ArrayView1};
use tch::{Device, Kind, TchError, Tensor, nn::VarStore};

use crate::{
    DeviceChoice, Error, ModelFiles, Result,
    batches::{batches, max_tokens_per_batch, run_batches},
    checkpoint::WeightsFile,
    encoder::{Batch, Encoder, EncoderConfig, Family, Pass},
    pooling::Pooling,
    tokens::PromptTokenizer,
};

/// The prefix of weights that were saved from a model with a head.
const WEIGHT_PREFIX: &str = "bert.";

/// A sentence-transformers model: prompts in, for each one vector of length 1 out.
///
/// Source: Reimers and Gurevych 2019, arXiv 1908.10084, section 3.
///
/// # Deviations
/// sentence-transformers normalizes only if modules.json lists `Normalize`; here every vector is normalized, since all learners
/// compare by cosine.
#[derive(Debug)]
pub struct SentenceEmbedder {
    tokenizer: PromptTokenizer,
    model: Model,
    dim: usize,
}

/// Vectors of prompts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// Shape `(n_prompts, dim)`, in the prompts' order.
    pub values: Array2<f32>,
    /// Prompts that were longer than the model can take and lost their end.
    pub n_truncated: usize,
}

/// What turns a batch into vectors.
#[derive(Debug)]
struct Model {
    encoder: Encoder,
    pooling: Pooling,
    pad_id: u32,
    device: Device,
}

impl SentenceEmbedder {
    /// Reads a model and brings its weights to a device, as float32.
    ///
    /// # Errors
    /// [`Error::NoDevice`]; [`Error::Unsupported`] for a model of another kind; any but [`Error::Tokenize`] for its files.
    pub fn load(files: &ModelFiles, device: DeviceChoice) -> Result<Self> {
        let device = device.device()?;
        let config = EncoderConfig::read(&files.config, Family::Bert)?;
        let pooling = Pooling::read(files)?;
        let tokenizer = PromptTokenizer::load(files, &config)?;
        let mut variables = VarStore::new(device);
        let encoder = Encoder::new(&variables.root(), &config);
        WeightsFile {
            path: &files.weights,
            prefix: WEIGHT_PREFIX,
            skipped: None,
            kept: &[],
        }
        .load_into(&variables)?;
        variables.freeze();
        Ok(Self {
            tokenizer,
            model: Model {
                encoder,
                pooling,
                pad_id: config.pad_id,
                device,
            },
            dim: config.dim,
        })
    }

    /// Width of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The longest prompt in tokens, special ones included; what lies behind is cut off.
    pub fn max_tokens(&self) -> usize {
        self.tokenizer.max_tokens()
    }

    /// Where the model runs.
    pub fn device(&self) -> Device {
        self.model.device
    }

    /// One vector per prompt, in their order. `on_progress` is told of prompts as they are done.
    ///
    /// A prompt's vector depends on the other prompts through rounding only, some 1e-7; the same prompts in the same order give the
    /// same vectors again. On a CPU, batches go to the cores whole: each product runs on one core, and none waits for another.
    /// A prompt without any token, which BERT's tokenizers never make, gets a vector of zeros.
    ///
    /// # Errors
    /// [`Error::Tokenize`], or [`Error::Torch`] when memory does not suffice.
    pub fn embed(
        &self,
        prompts: &[String],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Embedded> {
        let prompts = self.tokenizer.tokenize(prompts)?;
        let n_truncated = prompts.iter().filter(|prompt| prompt.is_truncated).count();
        if n_truncated > 0 {
            let (n_prompts, max_tokens) = (prompts.len(), self.max_tokens());
            tracing::warn!(n_truncated, n_prompts, max_tokens, "cut off long prompts");
        }

        let lengths: Vec<usize> = prompts.iter().map(|prompt| prompt.ids.len()).collect();
        let batches = batches(&lengths, max_tokens_per_batch(self.device()));
        on_progress(lengths.iter().filter(|length| **length == 0).count() as u64);
        let worker = || {
            let (model, prompts) = (self.model.share(), &prompts);
            move |rows: &[usize]| {
                let texts: Vec<&[u32]> = rows.iter().map(|row| &*prompts[*row].ids).collect();
                model.embed(&texts)
            }
        };
        let mut values = Array2::zeros((prompts.len(), self.dim));
        run_batches(&batches, self.device(), worker, |rows, vectors| {
            for (row, vector) in rows.iter().zip(vectors.chunks_exact(self.dim)) {
                values.row_mut(*row).assign(&ArrayView1::from(vector));
            }
            on_progress(rows.len() as u64);
        })
        .map_err(Error::torch("embed prompts"))?;
        Ok(Embedded {
            values,
            n_truncated,
        })
    }
}

impl Model {
    /// A second handle on the same weights, for another thread.
    fn share(&self) -> Self {
        Self {
            encoder: self.encoder.share(),
            pooling: self.pooling,
            pad_id: self.pad_id,
            device: self.device,
        }
    }

    /// The texts' vectors, one after the other.
    fn embed(&self, texts: &[&[u32]]) -> Result<Vec<f32>, TchError> {
        let _no_grad = tch::no_grad_guard();
        let batch = Batch::new(texts, self.pad_id, self.device)?;
        let hidden = self.encoder.forward(&batch, &Pass::INFERENCE)?;
        let vectors: Tensor = self.pooling.forward(&hidden, &batch)?; // (batch, dim)
        Vec::try_from(
            vectors
                .f_to_device(Device::Cpu)?
                .f_to_kind(Kind::Float)?
                .f_view(-1)?,
        )
    }
}
