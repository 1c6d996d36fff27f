use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;
use tokenizers::{Tokenizer, TruncationParams};

use crate::{Error, ModelFiles, Result, encoder::EncoderConfig};

/// Splits prompts into token ids, none longer than the model can take.
#[derive(Debug)]
pub(crate) struct PromptTokenizer {
    tokenizer: Tokenizer,
    lower_case: bool,
    max_tokens: usize,
}

/// A prompt's ids, special tokens included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenizedPrompt {
    pub(crate) ids: Vec<u32>,
    pub(crate) is_truncated: bool,
}

/// What sentence_bert_config.json says.
#[derive(Debug, Default, Deserialize)]
struct SentenceBertConfig {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

impl PromptTokenizer {
    /// Reads the tokenizer.
    ///
    /// The longest prompt is what sentence_bert_config.json says, else the tokenizer's own truncation, and never more than the table of positions has.
    /// Any padding in tokenizer.json is ignored.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] or [`Error::Dataset`] for the files; [`Error::Sizes`] when it knows more tokens than the model.
    pub(crate) fn load(files: &ModelFiles, config: &EncoderConfig) -> Result<Self> {
        let path = &files.tokenizer;
        let tokenizer_error = |source| Error::Tokenizer {
            path: path.clone(),
            source,
        };
        let tokenizer = Tokenizer::from_file(path).map_err(tokenizer_error)?;
        check_vocabulary(&tokenizer, path, config)?;
        let sentence_bert: SentenceBertConfig = match &files.sentence_bert {
            Some(path) => dataset::json::read(path)?,
            None => SentenceBertConfig::default(),
        };
        let max_tokens = sentence_bert
            .max_seq_length
            .or_else(|| {
                tokenizer
                    .get_truncation()
                    .map(|truncation| truncation.max_length)
            })
            .unwrap_or(usize::MAX)
            .min(config.max_tokens());
        Self::new(tokenizer, max_tokens, sentence_bert.do_lower_case).map_err(tokenizer_error)
    }

    /// Takes a tokenizer with a length of its own; any truncation and padding that it has is ignored.
    ///
    /// # Errors
    /// What the library says when special tokens alone are longer.
    pub(crate) fn new(
        mut tokenizer: Tokenizer,
        max_tokens: usize,
        lower_case: bool,
    ) -> tokenizers::Result<Self> {
        let truncation = TruncationParams {
            max_length: max_tokens,
            ..TruncationParams::default()
        };
        tokenizer
            .with_padding(None)
            .with_truncation(Some(truncation))?;
        Ok(Self {
            tokenizer,
            lower_case,
            max_tokens,
        })
    }

    /// The longest prompt in tokens, special ones included.
    pub(crate) fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Splits prompts in parallel.
    ///
    /// # Errors
    /// [`Error::Tokenize`] with the prompt's position.
    pub(crate) fn tokenize(&self, prompts: &[String]) -> Result<Vec<TokenizedPrompt>> {
        let tokenize = |(prompt_idx, prompt): (usize, &String)| {
            let encoding = if self.lower_case {
                self.tokenizer.encode_fast(prompt.to_lowercase(), true)
            } else {
                self.tokenizer.encode_fast(prompt.as_str(), true)
            };
            let encoding = encoding.map_err(|source| Error::Tokenize { prompt_idx, source })?;
            Ok(TokenizedPrompt {
                ids: encoding.get_ids().to_vec(),
                is_truncated: !encoding.get_overflowing().is_empty(),
            })
        };
        prompts.par_iter().enumerate().map(tokenize).collect()
    }
}

/// Refuses a tokenizer with more tokens than the model has vectors for.
///
/// # Errors
/// [`Error::Sizes`].
pub(crate) fn check_vocabulary(
    tokenizer: &Tokenizer,
    path: &Path,
    config: &EncoderConfig,
) -> Result<()> {
    let n_known = tokenizer.get_vocab_size(true);
    if n_known > config.vocab_size {
        return Err(Error::Sizes {
            path: path.to_owned(),
            what: "the number of tokens",
            found: n_known,
            bound: "`vocab_size` in config.json",
            limit: config.vocab_size,
        });
    }
    Ok(())
}
