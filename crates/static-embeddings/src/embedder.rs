use encoder::{Embedded, Error, PromptEmbedder, Result};
use ndarray::Array2;
use rayon::prelude::*;
use tokenizers::Tokenizer;

use crate::{
    StaticFiles,
    splitter::{Scratch, Splitter},
    table::Table,
};

/// Prompts between two reports of progress, and for a thread to take at a time.
const CHUNK: usize = 64;

/// Prompts in, for each one vector of length 1 out: the mean of the vectors of its tokens.
///
/// ```text
/// sum over tokens t of w[t] v[t]    scaled to length 1
///   v  token vectors     (n_tokens, dim), which distillation has multiplied by their weights in most models
///   w  weights           (n_tokens), 1 where the file has none
/// ```
///
/// Special tokens are not put around a prompt, and words that are not in the vocabulary are left out. There is no window: a prompt is never cut.
/// One without any known token has a vector of zeros.
///
/// Source: model2vec 0.10, `StaticModel.encode` (Tulkens and van Dongen 2024, github.com/MinishLab/model2vec).
///
/// # Deviations
/// - `StaticModel.encode` cuts prompts to the 512 tokens that are its default, or to config.json's `max_length`; here they are never cut, as there
///   with `max_length=None`.
/// - It scales to length 1 where config.json says so; here every vector is, since all learners compare by cosine.
/// - Of a model in float16 it gives vectors in float16; here they are float32.
#[derive(Debug)]
pub struct StaticEmbedder {
    splitter: Splitter,
    n_tokens: usize,
    table: Table,
}

impl StaticEmbedder {
    /// Reads a model.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] for the tokenizer, [`Error::Weights`] for the vectors; [`Error::Mistaken`] or [`Error::Dataset`] for a file that cannot be
    /// read.
    pub fn load(files: &StaticFiles) -> Result<Self> {
        let splitter = Splitter::read(&files.tokenizer)?;
        let n_tokens = splitter.tokenizer().get_vocab(true).len();
        Ok(Self {
            table: Table::read(&files.weights, n_tokens)?,
            n_tokens,
            splitter,
        })
    }

    fn embed_one(
        &self,
        prompt_idx: usize,
        prompt: &str,
        scratch: &mut Scratch,
        vector: &mut [f32],
    ) -> Result<()> {
        let ids = self.splitter.split(prompt_idx, prompt, scratch)?;
        // A vocabulary with gaps has numbers beyond its size.
        if let Some(id) = ids.iter().find(|id| **id as usize >= self.n_tokens) {
            return Err(Error::UnknownToken {
                path: self.splitter.path().to_owned(),
                prompt_idx,
                found: *id,
                last: self.n_tokens.saturating_sub(1),
            });
        }
        self.table.embed(ids, vector);
        Ok(())
    }
}

impl PromptEmbedder for StaticEmbedder {
    fn dim(&self) -> usize {
        self.table.dim()
    }

    /// None: no prompt is ever cut.
    fn max_tokens(&self) -> Option<usize> {
        None
    }

    fn tokenizer(&self) -> &Tokenizer {
        self.splitter.tokenizer()
    }

    /// A vector does not depend on the other prompts. A single prompt is embedded on the calling thread, several on all cores.
    ///
    /// # Errors
    /// [`Error::Tokenize`] or [`Error::UnknownToken`].
    fn embed(&self, prompts: &[String], on_progress: &(dyn Fn(u64) + Sync)) -> Result<Embedded> {
        let dim = self.dim();
        let mut values = Array2::zeros((prompts.len(), dim));
        let rows = values.as_slice_mut().expect("just made in standard order");
        let embed =
            |scratch: &mut Scratch,
             (chunk_idx, (prompts, rows)): (usize, (&[String], &mut [f32]))| {
                for (idx, (prompt, row)) in
                    prompts.iter().zip(rows.chunks_exact_mut(dim)).enumerate()
                {
                    self.embed_one(chunk_idx * CHUNK + idx, prompt, scratch, row)?;
                }
                on_progress(prompts.len() as u64);
                Ok::<_, Error>(())
            };
        match prompts {
            // Handing one prompt to another thread takes longer than embedding it.
            [_] => embed(&mut Scratch::default(), (0, (prompts, rows)))?,
            _ => prompts
                .par_chunks(CHUNK)
                .zip(rows.par_chunks_mut(CHUNK * dim))
                .enumerate()
                .map_init(Scratch::default, embed)
                .collect::<Result<()>>()?,
        }
        Ok(Embedded {
            values,
            is_truncated: vec![false; prompts.len()],
        })
    }
}
