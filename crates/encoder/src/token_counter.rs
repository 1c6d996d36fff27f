use std::path::Path;

use rayon::prelude::*;
use tokenizers::Tokenizer;
use untrusted_files::guard;

use crate::{Error, Result, read_tokenizer};

/// Counts the tokens of whole prompts, as an LLM charges for them.
#[derive(Debug)]
pub struct TokenCounter {
    tokenizer: Tokenizer,
}

impl TokenCounter {
    /// Counts by a `tokenizer.json`.
    ///
    /// # Errors
    /// As for [`read_tokenizer`].
    pub fn load(path: &Path) -> Result<Self> {
        Self::new(read_tokenizer(path)?).map_err(|source| Error::Tokenizer {
            path: path.to_owned(),
            source,
        })
    }

    /// Counts by a tokenizer, whatever truncation and padding it has.
    ///
    /// # Errors
    /// What the tokenizers library says.
    pub fn new(mut tokenizer: Tokenizer) -> tokenizers::Result<Self> {
        // Truncation would end the count where a network stops reading; padding would add to it.
        tokenizer.with_padding(None).with_truncation(None)?;
        Ok(Self { tokenizer })
    }

    /// Tokens of the prompt itself. The special tokens that a network adds around it are not counted, because an LLM does not charge for them.
    ///
    /// # Errors
    /// What the tokenizers library says.
    pub fn count(&self, prompt: &str) -> tokenizers::Result<usize> {
        // A tokenizer of somebody's folder may panic.
        let encoding = guard(|| self.tokenizer.encode_fast(prompt, false))??;
        Ok(encoding.len())
    }

    /// Counts several prompts, on all cores.
    ///
    /// # Errors
    /// [`Error::Tokenize`] with the prompt's position.
    pub fn count_all(&self, prompts: &[String]) -> Result<Vec<usize>> {
        let count = |(prompt_idx, prompt): (usize, &String)| {
            self.count(prompt)
                .map_err(|source| Error::Tokenize { prompt_idx, source })
        };
        prompts.par_iter().enumerate().map(count).collect()
    }
}
