use dataset::{Precision, Truncate};
use ndarray::Array2;
use rayon::prelude::*;
use tokenizers::Tokenizer;

use crate::{
    Embedded, ModelFiles, PromptEmbedder, Result, SentenceModel,
    batches::batches,
    forward::{Encoder, Spread, Wanted},
};

/// A sentence-transformers model on the CPU: prompts in, for each one vector of length 1 out. [`SentenceModel`] says which models.
///
/// A prompt's vector is the same, bit for bit, whatever other prompts stand beside it and however many cores there are.
#[derive(Debug)]
pub struct SentenceEmbedder {
    model: SentenceModel,
    encoder: Encoder,
}

impl SentenceEmbedder {
    /// Reads a model, to compute in float32.
    ///
    /// # Errors
    /// As [`SentenceModel::read`]; [`crate::Error::ResultNotFinite`] for a model that computes no numbers.
    pub fn load(files: &ModelFiles) -> Result<Self> {
        Self::load_in(Precision::F32, files)
    }

    /// Reads a model, to multiply in a precision: bfloat16 on any processor, to the same bits, but slowly where
    /// [`crate::multiplies_bf16`] says no.
    ///
    /// # Errors
    /// As [`SentenceEmbedder::load`].
    pub fn load_in(precision: Precision, files: &ModelFiles) -> Result<Self> {
        let (model, encoder) = SentenceModel::read_with(files, |config, mut weights| {
            Encoder::load(precision, &mut weights, "", config)
        })?;
        let embedder = Self { model, encoder };
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

    /// One vector for each list of token ids, special ones included, as pooling and the steps after it give it, whatever its length: shape
    /// `(n_texts, dim)`. For whoever looks at single tokens; ids are not checked against the vocabulary, whose tokenizer they are from.
    ///
    /// # Errors
    /// [`crate::Error::ResultNotFinite`].
    pub fn embed_ids(
        &self,
        texts: &[Vec<u32>],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Array2<f32>> {
        let texts: Vec<&[u32]> = texts.iter().map(|ids| &**ids).collect();
        let pooled = |tokens: &[f32]| self.model.pooled(tokens);
        let batches = self.run(&texts, &pooled, on_progress);
        self.model.gather_values(texts.len(), batches)
    }

    /// Batches of texts, by their positions, with their vectors one after the other. Batches go to the cores whole, so that none waits for
    /// another; a single batch has all cores, in bfloat16 one.
    fn run(
        &self,
        texts: &[&[u32]],
        vector: &(dyn Fn(&[f32]) -> Vec<f32> + Sync),
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Vec<(Vec<usize>, Vec<f32>)> {
        let lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
        let batches = batches(&lengths, self.encoder.tokens_per_batch());
        on_progress(lengths.iter().filter(|length| **length == 0).count() as u64);
        let embed = |rows: Vec<usize>, spread| {
            let texts: Vec<&[u32]> = rows.iter().map(|row| texts[*row]).collect();
            let vectors = self.vectors(&texts, vector, spread);
            on_progress(rows.len() as u64);
            (rows, vectors)
        };
        match batches.len() {
            1 => batches
                .into_iter()
                .map(|rows| embed(rows, Spread::AllCores))
                .collect(),
            _ => batches
                .into_par_iter()
                .map(|rows| embed(rows, Spread::OneCore))
                .collect(),
        }
    }

    /// The texts' vectors, one after the other.
    fn vectors(
        &self,
        texts: &[&[u32]],
        vector: &(dyn Fn(&[f32]) -> Vec<f32> + Sync),
        spread: Spread,
    ) -> Vec<f32> {
        let hidden = self.encoder.forward(texts, Wanted::All, spread);
        let dim = self.model.encoder().dim;
        let mut rest = &hidden[..];
        let mut vectors = Vec::with_capacity(texts.len() * self.model.dim());
        for text in texts {
            let (tokens, behind) = rest.split_at(text.len() * dim);
            vectors.extend(vector(tokens));
            rest = behind;
        }
        vectors
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

    /// # Errors
    /// [`crate::Error::Tokenize`] or [`crate::Error::UnknownToken`]; [`crate::Error::ResultNotFinite`].
    fn embed(&self, prompts: &[String], on_progress: &(dyn Fn(u64) + Sync)) -> Result<Embedded> {
        let prompts = self.model.tokenize(prompts)?;
        let texts: Vec<&[u32]> = prompts.iter().map(|prompt| &*prompt.ids).collect();
        let vector = |tokens: &[f32]| self.model.vector(tokens);
        let batches = self.run(&texts, &vector, on_progress);
        self.model.gather(&prompts, batches)
    }
}
