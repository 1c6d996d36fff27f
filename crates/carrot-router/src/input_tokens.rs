use std::fs;

use nets::ModelFiles;
use serde::Deserialize;
use tokenizers::Tokenizer;

use crate::{Error, Result};

/// Counts the tokens of whole prompts with an embedder's tokenizer.
#[derive(Debug)]
pub(crate) struct InputTokens {
    tokenizer: Tokenizer,
    lower_case: bool,
    /// The special tokens that the embedder sees around a prompt.
    n_special: usize,
}

/// The part of sentence_bert_config.json that concerns tokens.
#[derive(Debug, Default, Deserialize)]
struct SentenceBert {
    #[serde(default)]
    do_lower_case: bool,
}

/// A prompt's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    /// Of the prompt itself: an LLM's own special tokens are no part of what a user pays for a word.
    pub(crate) n_tokens: usize,
    /// With the special tokens that the embedder needs.
    pub(crate) n_with_special: usize,
}

impl InputTokens {
    pub(crate) fn load(files: &ModelFiles) -> Result<Self> {
        let path = &files.tokenizer;
        let tokenizer_error = |source| Error::Tokenizer {
            path: path.clone(),
            source,
        };
        let mut tokenizer = Tokenizer::from_file(path).map_err(tokenizer_error)?;
        tokenizer
            .with_padding(None)
            .with_truncation(None)
            .map_err(tokenizer_error)?;
        let sentence_bert = match &files.sentence_bert {
            Some(path) => {
                let text = fs::read(path).map_err(|source| Error::Io {
                    path: path.clone(),
                    source,
                })?;
                serde_json::from_slice(&text).map_err(|source| Error::Json {
                    path: path.clone(),
                    source,
                })?
            }
            None => SentenceBert::default(),
        };
        let special = tokenizer.encode_fast("", true).map_err(tokenizer_error)?;
        Ok(Self {
            n_special: special.len(),
            lower_case: sentence_bert.do_lower_case,
            tokenizer,
        })
    }

    pub(crate) fn count(&self, prompt: &str) -> tokenizers::Result<Length> {
        let encoding = match self.lower_case {
            true => self.tokenizer.encode_fast(prompt.to_lowercase(), false)?,
            false => self.tokenizer.encode_fast(prompt, false)?,
        };
        Ok(Length {
            n_tokens: encoding.len(),
            n_with_special: encoding.len() + self.n_special,
        })
    }
}
