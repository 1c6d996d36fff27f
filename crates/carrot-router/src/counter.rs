use std::path::Path;

use tokenizers::Tokenizer;
use untrusted_files::guard;

use crate::{Error, Result};

/// Counts the tokens of whole prompts.
#[derive(Debug)]
pub(crate) struct Counter {
    tokenizer: Tokenizer,
}

impl Counter {
    /// Counts by a `tokenizer.json`.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let tokenizer = guard(|| Tokenizer::from_file(path));
        tokenizer
            .map_err(Into::into)
            .flatten()
            .and_then(Self::new)
            .map_err(|source| Error::Tokenizer {
                path: path.to_owned(),
                source,
            })
    }

    /// Counts by a tokenizer, whatever truncation and padding it has.
    pub(crate) fn new(mut tokenizer: Tokenizer) -> tokenizers::Result<Self> {
        // Truncation would end the count where a network stops reading; padding would add to it.
        tokenizer.with_padding(None).with_truncation(None)?;
        Ok(Self { tokenizer })
    }

    /// Tokens of the prompt itself. The special tokens that a network adds around it are not counted, because an LLM does not charge for them.
    pub(crate) fn count(&self, prompt: &str) -> tokenizers::Result<usize> {
        // A tokenizer of somebody's folder may panic.
        let encoding = guard(|| self.tokenizer.encode_fast(prompt, false))??;
        Ok(encoding.len())
    }

    /// Counts several prompts.
    ///
    /// # Errors
    /// [`Error::Tokenize`] with the prompt's position.
    pub(crate) fn count_all(&self, prompts: &[String]) -> Result<Vec<usize>> {
        let count = |(prompt_idx, prompt): (usize, &String)| {
            self.count(prompt)
                .map_err(|source| Error::Tokenize { prompt_idx, source })
        };
        prompts.iter().enumerate().map(count).collect()
    }
}
