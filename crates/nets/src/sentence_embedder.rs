use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use ndarray::{Array2, ArrayView1};
use tch::{Device, Kind, TchError, Tensor, nn::VarStore};

use crate::{
    DeviceChoice, Error, ModelFiles, Result,
    batches::batches,
    checkpoint::load_weights,
    encoder::{Batch, Encoder, EncoderConfig},
    pooling::Pooling,
    tokens::PromptTokenizer,
};

/// Padded tokens of one batch on one core. From 512 to 4,096 the speed is the same within 3%; 8,192 tokens leave the cache and cost
/// a fifth more.
const MAX_TOKENS_PER_BATCH_CPU: usize = 1_024;
/// Padded tokens of one batch on a GPU, which wants many: 32,768 tokens x 1,536 wide x 4 bytes are 200 MB.
const MAX_TOKENS_PER_BATCH_GPU: usize = 32_768;
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
    n_threads: usize,
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
    device: Device,
}

impl SentenceEmbedder {
    /// Reads a model and brings its weights to a device, as float32.
    ///
    /// # Errors
    /// [`Error::NoDevice`]; [`Error::Unsupported`] for a model of another kind; any but [`Error::Tokenize`] for its files.
    pub fn load(files: &ModelFiles, device: DeviceChoice) -> Result<Self> {
        let device = device.device()?;
        let config = EncoderConfig::read(&files.config)?;
        let pooling = Pooling::read(files)?;
        let tokenizer = PromptTokenizer::load(files, &config)?;
        let mut variables = VarStore::new(device);
        let encoder = Encoder::new(&variables.root(), &config);
        load_weights(&variables, &files.weights, WEIGHT_PREFIX)?;
        variables.freeze();
        Ok(Self {
            tokenizer,
            model: Model {
                encoder,
                pooling,
                device,
            },
            dim: config.dim,
            n_threads: usize::try_from(tch::get_num_threads()).unwrap_or(1),
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
        let (max_tokens_per_batch, max_workers) = match self.device() {
            Device::Cpu => (MAX_TOKENS_PER_BATCH_CPU, self.n_threads),
            _ => (MAX_TOKENS_PER_BATCH_GPU, 1),
        };
        let batches = batches(&lengths, max_tokens_per_batch);
        let n_workers = max_workers.min(batches.len());
        on_progress(lengths.iter().filter(|length| **length == 0).count() as u64);
        let next_batch = AtomicUsize::new(0);
        let work = |model: &Model, sender: &mpsc::Sender<_>| {
            while let Some(rows) = batches.get(next_batch.fetch_add(1, Ordering::Relaxed)) {
                let texts: Vec<&[u32]> = rows.iter().map(|row| &*prompts[*row].ids).collect();
                let vectors = model.embed(&texts);
                // The other end is gone when another batch has failed.
                if sender.send((rows, vectors)).is_err() {
                    return;
                }
            }
        };

        let mut values = Array2::zeros((prompts.len(), self.dim));
        let outcome: Result<()> = thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            for _ in 0..n_workers {
                let (model, sender, work) = (self.model.share(), sender.clone(), &work);
                let n_threads = (self.n_threads / n_workers) as i32;
                scope.spawn(move || {
                    tch::set_num_threads(n_threads);
                    work(&model, &sender);
                });
            }
            drop(sender);
            for (rows, vectors) in receiver {
                let vectors = vectors.map_err(Error::torch("embed prompts"))?;
                for (row, vector) in rows.iter().zip(vectors.chunks_exact(self.dim)) {
                    values.row_mut(*row).assign(&ArrayView1::from(vector));
                }
                on_progress(rows.len() as u64);
            }
            Ok(())
        });
        // Threads to come take the number that was set last.
        tch::set_num_threads(self.n_threads as i32);
        outcome?;
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
            device: self.device,
        }
    }

    /// The texts' vectors, one after the other.
    fn embed(&self, texts: &[&[u32]]) -> Result<Vec<f32>, TchError> {
        let _no_grad = tch::no_grad_guard();
        let batch = Batch::new(texts, self.device)?;
        let hidden = self.encoder.forward(&batch)?;
        let vectors: Tensor = self.pooling.forward(&hidden, &batch)?; // (batch, dim)
        Vec::try_from(
            vectors
                .f_to_device(Device::Cpu)?
                .f_to_kind(Kind::Float)?
                .f_view(-1)?,
        )
    }
}
