use std::path::PathBuf;

use dataset::Truncate;
use ndarray::{Array2, ArrayView1};
use tokenizers::Tokenizer;

use crate::{
    CheckedWeights, Embedded, EncoderConfig, Error, ModelFiles, PromptTokenizer, Result,
    TokenizedPrompt, WeightsFile,
    forward::Processor,
    pooling::Pooling,
    sentence_parts::{n_prompt_tokens, pooling, steps, tokenizer},
    sentence_settings::SentenceSettings,
    steps::{Step, normalize},
};

/// Types of encoders that sentence-transformers' models are made of, as far as they are known here.
const MODEL_TYPES: [&str; 4] = ["bert", "roberta", "xlm-roberta", "camembert"];

/// All of a sentence-transformers model but its encoder: what makes token ids of prompts, and vectors of what the encoder makes of those.
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
pub struct SentenceModel {
    folder: PathBuf,
    config: EncoderConfig,
    tokenizer: PromptTokenizer,
    /// Stands before each text.
    prompt: String,
    pooling: Pooling,
    /// Tokens at a text's beginning that are not pooled.
    n_skipped: usize,
    steps: Vec<Step>,
    /// Only so many values of a vector are used.
    dim: usize,
    processor: Processor,
}

impl SentenceModel {
    /// Reads a model's settings and its tokenizer, and compares the names and shapes of its encoder's weights with the settings.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a model of another kind; any but [`Error::Tokenize`] for its files.
    pub fn read(files: &ModelFiles) -> Result<(Self, CheckedWeights)> {
        Self::read_with(files, |_, weights| Ok(weights))
    }

    /// The same with what becomes of the weights, which is made while the tokenizer is read.
    ///
    /// # Errors
    /// As [`SentenceModel::read`]; what `load` says.
    pub(crate) fn read_with<T: Send>(
        files: &ModelFiles,
        load: impl FnOnce(&EncoderConfig, CheckedWeights) -> Result<T> + Send,
    ) -> Result<(Self, T)> {
        let config = EncoderConfig::read(&files.config(), &MODEL_TYPES)?;
        let settings = SentenceSettings::read(files)?;
        let pooling = pooling(files)?;
        let how = WeightsFile {
            paths: files.weights.clone(),
            prefix: format!("{}.", config.family.name()),
            skipped: None,
            kept: &[],
        };
        let weights = || load(&config, how.check(config.shapes())?);
        let (tokenizer, loaded) = rayon::join(|| tokenizer(files, &config), weights);
        let (tokenizer, loaded) = (tokenizer?, loaded?);
        let (steps, dim) = steps(files, &pooling, config.dim)?;
        let n_skipped = match pooling.includes_prompt || settings.prompt.is_empty() {
            true => 0,
            false => n_prompt_tokens(&tokenizer, &settings.prompt)?,
        };
        let model = Self {
            folder: files.folder.clone(),
            config,
            tokenizer,
            prompt: settings.prompt,
            pooling,
            n_skipped,
            steps,
            dim: settings.truncate_dim.map_or(dim, |n| n.min(dim)),
            processor: Processor::detect(),
        };
        Ok((model, loaded))
    }

    /// Cuts long prompts in another way than the model's files say; `None` leaves it to them.
    pub fn set_truncate(&mut self, truncate: Option<Truncate>) {
        if let Some(truncate) = truncate {
            self.tokenizer.set_truncate(truncate);
        }
    }

    /// The shape of the encoder.
    pub fn encoder(&self) -> &EncoderConfig {
        &self.config
    }

    /// What splits prompts, without truncation and padding.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.tokenizer.tokenizer()
    }

    /// Width of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The longest prompt in tokens, special ones included; longer ones are cut.
    pub fn max_tokens(&self) -> usize {
        self.tokenizer.max_tokens()
    }

    /// Splits prompts into the encoder's tokens.
    ///
    /// # Errors
    /// [`Error::Tokenize`] or [`Error::UnknownToken`].
    pub fn tokenize(&self, prompts: &[String]) -> Result<Vec<TokenizedPrompt>> {
        let prompts = match self.prompt.is_empty() {
            true => self.tokenizer.tokenize(prompts)?,
            false => {
                let texts = prompts.iter().map(|text| format!("{}{text}", self.prompt));
                self.tokenizer.tokenize(&texts.collect::<Vec<String>>())?
            }
        };
        let n_truncated = prompts.iter().filter(|it| it.is_truncated).count();
        if n_truncated > 0 {
            let (n_prompts, max_tokens) = (prompts.len(), self.max_tokens());
            tracing::debug!(n_truncated, n_prompts, max_tokens, "cut off long prompts");
        }
        Ok(prompts)
    }

    /// A text's vector, of `dim` values and length 1, from the encoder's vectors of its tokens, `(tokens, encoder's dim)`.
    pub fn vector(&self, tokens: &[f32]) -> Vec<f32> {
        let mut vector = self.pooled(tokens);
        normalize(self.processor, &mut vector);
        vector
    }

    /// The same as pooling and the steps after it give it, whatever its length.
    pub(crate) fn pooled(&self, tokens: &[f32]) -> Vec<f32> {
        let mut vector = self
            .pooling
            .forward(tokens, self.config.dim, self.n_skipped);
        for step in &self.steps {
            vector = step.forward(self.processor, vector);
        }
        vector.truncate(self.dim);
        vector
    }

    /// Puts vectors together that were made batch by batch: for each batch its prompts' positions and their vectors, one after the other. A prompt
    /// without any token, which BERT's tokenizers never make, is in no batch and gets a vector of zeros.
    ///
    /// # Errors
    /// [`Error::ResultNotFinite`].
    pub fn gather<R: AsRef<[usize]>>(
        &self,
        prompts: &[TokenizedPrompt],
        batches: impl IntoIterator<Item = (R, Vec<f32>)>,
    ) -> Result<Embedded> {
        Ok(Embedded {
            values: self.gather_values(prompts.len(), batches)?,
            is_truncated: prompts.iter().map(|it| it.is_truncated).collect(),
        })
    }

    /// The same of texts that were not prompts: shape `(n_texts, dim)`.
    pub(crate) fn gather_values<R: AsRef<[usize]>>(
        &self,
        n_texts: usize,
        batches: impl IntoIterator<Item = (R, Vec<f32>)>,
    ) -> Result<Array2<f32>> {
        let mut values = Array2::zeros((n_texts, self.dim));
        for (rows, vectors) in batches {
            if vectors.iter().any(|value| !value.is_finite()) {
                return Err(Error::ResultNotFinite {
                    folder: self.folder.clone(),
                });
            }
            for (row, vector) in rows.as_ref().iter().zip(vectors.chunks_exact(self.dim)) {
                values.row_mut(*row).assign(&ArrayView1::from(vector));
            }
        }
        Ok(values)
    }
}
