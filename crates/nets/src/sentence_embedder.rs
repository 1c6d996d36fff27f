use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use dataset::Truncate;
use ndarray::{Array2, ArrayView1};
use tch::{Device, Kind, TchError, Tensor, nn::VarStore};
use tokenizers::Tokenizer;

use crate::{
    DeviceChoice, Error, ModelFiles, Result, TokenCounter,
    batches::{batches, max_tokens_per_batch, run_batches},
    checkpoint::WeightsFile,
    encoder::{Batch, Encoder, EncoderConfig, Pass},
    pooling::Pooling,
    sentence_parts::{n_prompt_tokens, pooling, steps, tokenizer},
    sentence_settings::SentenceSettings,
    steps::{Step, normalize},
    tokens::PromptTokenizer,
};

/// Types of encoders that sentence-transformers' models are made of, as far as they are known here.
const MODEL_TYPES: [&str; 4] = ["bert", "roberta", "xlm-roberta", "camembert"];

/// A sentence-transformers model: prompts in, for each one vector of length 1 out.
///
/// Read from a folder in the layout of any version from 2 to 6 of that library; what it would compute otherwise is refused, by the name of the key.
///
/// Source: Reimers and Gurevych 2019, arXiv 1908.10084, section 3; sentence-transformers 6.2 with transformers 5.24.
///
/// # Deviations
/// - sentence-transformers normalizes only if modules.json lists `Normalize`; here every vector is normalized, since all learners
///   compare by cosine.
/// - Weights in half precision are widened to float32; transformers computes in half precision from version 5 on.
/// - A text is cut to as many tokens as there are positions even where the files ask for more; sentence-transformers fails.
#[derive(Debug)]
pub struct SentenceEmbedder {
    folder: PathBuf,
    tokenizer: PromptTokenizer,
    /// Stands before each text.
    prompt: String,
    model: Model,
    dim: usize,
}

/// Vectors of prompts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// Shape `(n_prompts, dim)`, in the prompts' order.
    pub values: Array2<f32>,
    /// For each prompt whether it was longer than the model can take and lost a part.
    pub is_truncated: Vec<bool>,
}

/// What turns a batch into vectors.
#[derive(Debug)]
struct Model {
    encoder: Encoder,
    pooling: Pooling,
    /// Tokens at a text's beginning that are not pooled.
    n_skipped: usize,
    steps: Vec<Step>,
    /// Only so many values of a vector are used.
    dim: usize,
    pad_id: u32,
    device: Device,
}

impl Embedded {
    /// How many prompts lost a part.
    pub fn n_truncated(&self) -> usize {
        self.is_truncated.iter().filter(|it| **it).count()
    }
}

impl SentenceEmbedder {
    /// Reads a model and brings its weights to a device, as float32.
    ///
    /// # Errors
    /// [`Error::NoDevice`]; [`Error::Unsupported`] for a model of another kind; [`Error::ResultNotFinite`] for one that computes no numbers; any
    /// but [`Error::Tokenize`] for its files.
    pub fn load(files: &ModelFiles, device: DeviceChoice) -> Result<Self> {
        let device = device.device()?;
        let config = EncoderConfig::read(&files.config(), &MODEL_TYPES)?;
        let settings = SentenceSettings::read(files)?;
        let pooling = pooling(files)?;
        let tokenizer = tokenizer(files, &config)?;
        let (weights, prefix) = (&files.weights, format!("{}.", config.family.name()));
        let how = WeightsFile {
            paths: weights,
            prefix: &prefix,
            skipped: None,
            kept: &[],
        };
        let checked = how.check(config.shapes())?;
        let mut variables = VarStore::new(device);
        let encoder = Encoder::new(&variables.root(), &config);
        checked.load_into(&variables)?;
        variables.freeze();
        let (steps, dim) = steps(files, &pooling, config.dim, device)?;
        let n_skipped = match pooling.includes_prompt || settings.prompt.is_empty() {
            true => 0,
            false => n_prompt_tokens(&tokenizer, &settings.prompt)?,
        };
        let dim = settings.truncate_dim.map_or(dim, |n| n.min(dim));
        let embedder = Self {
            folder: files.folder.clone(),
            tokenizer,
            prompt: settings.prompt,
            model: Model {
                encoder,
                pooling,
                n_skipped,
                steps,
                dim,
                pad_id: config.pad_id,
                device,
            },
            dim,
        };
        // A model that computes no numbers shall be told before the hours that a data set takes.
        embedder.embed(&["a".to_owned()], &|_| ())?;
        Ok(embedder)
    }

    /// The same, cutting long prompts in another way than the model's files say; `None` leaves it to them.
    #[must_use]
    pub fn with_truncate(mut self, truncate: Option<Truncate>) -> Self {
        if let Some(truncate) = truncate {
            self.tokenizer.set_truncate(truncate);
        }
        self
    }

    /// What splits prompts, without truncation and padding.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.tokenizer.tokenizer()
    }

    /// Counts the tokens of whole prompts.
    ///
    /// # Errors
    /// [`Error::Tokenizer`].
    pub fn counter(&self) -> Result<TokenCounter> {
        TokenCounter::new(self.tokenizer().clone()).map_err(|source| Error::Tokenizer {
            path: self.folder.clone(),
            source,
        })
    }

    /// Width of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The longest prompt in tokens, special ones included; longer ones are cut.
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
    /// [`Error::Tokenize`] or [`Error::UnknownToken`]; [`Error::Torch`] when memory does not suffice; [`Error::ResultNotFinite`].
    pub fn embed(
        &self,
        prompts: &[String],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Embedded> {
        let prompts = match self.prompt.is_empty() {
            true => self.tokenizer.tokenize(prompts)?,
            false => {
                let texts = prompts.iter().map(|text| format!("{}{text}", self.prompt));
                self.tokenizer.tokenize(&texts.collect::<Vec<String>>())?
            }
        };
        let is_truncated: Vec<bool> = prompts.iter().map(|it| it.is_truncated).collect();
        let n_truncated = is_truncated.iter().filter(|it| **it).count();
        if n_truncated > 0 {
            let (n_prompts, max_tokens) = (prompts.len(), self.max_tokens());
            tracing::debug!(n_truncated, n_prompts, max_tokens, "cut off long prompts");
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
        let is_finite = AtomicBool::new(true);
        run_batches(&batches, self.device(), worker, |rows, vectors| {
            for (row, vector) in rows.iter().zip(vectors.chunks_exact(self.dim)) {
                if vector.iter().any(|value| !value.is_finite()) {
                    is_finite.store(false, Ordering::Relaxed);
                }
                values.row_mut(*row).assign(&ArrayView1::from(vector));
            }
            on_progress(rows.len() as u64);
        })
        .map_err(Error::torch("embed prompts"))?;
        if !is_finite.into_inner() {
            return Err(Error::ResultNotFinite {
                folder: self.folder.clone(),
            });
        }
        Ok(Embedded {
            values,
            is_truncated,
        })
    }
}

impl Model {
    /// A second handle on the same weights, for another thread.
    fn share(&self) -> Self {
        Self {
            encoder: self.encoder.share(),
            pooling: self.pooling.clone(),
            steps: self.steps.iter().map(Step::share).collect(),
            ..*self
        }
    }

    /// The texts' vectors, one after the other.
    fn embed(&self, texts: &[&[u32]]) -> Result<Vec<f32>, TchError> {
        let _no_grad = tch::no_grad_guard();
        let batch = Batch::new(texts, self.pad_id, self.device)?;
        let hidden = self.encoder.forward(&batch, &Pass::INFERENCE)?;
        let mut vectors: Tensor = self.pooling.forward(&hidden, &batch, self.n_skipped)?;
        for step in &self.steps {
            vectors = step.forward(&vectors)?;
        }
        let vectors = normalize(&vectors.f_narrow(1, 0, self.dim as i64)?)?; // (batch, dim)
        Vec::try_from(
            vectors
                .f_to_device(Device::Cpu)?
                .f_to_kind(Kind::Float)?
                .f_contiguous()?
                .f_view(-1)?,
        )
    }
}
