use dataset::Truncate;
use rayon::prelude::*;
use tokenizers::Tokenizer;
use untrusted_files::guard;

use crate::{
    Error, Result,
    config::EncoderConfig,
    tokenizer_files::{NamedTokenizer, guarded},
};

/// Splits prompts into token ids, none longer than the model can take.
#[derive(Debug)]
pub struct PromptTokenizer {
    named: NamedTokenizer,
    max_tokens: usize,
    truncate: Truncate,
    /// Rows of the model's table of tokens.
    vocab_size: usize,
    /// The special tokens around a prompt.
    n_special: usize,
    /// Whether one of them stands at the end.
    ends_in_special: bool,
}

/// A prompt's ids, special tokens included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizedPrompt {
    /// The ids, at least the special ones, none of them beyond the model's vocabulary.
    pub ids: Vec<u32>,
    /// Whether the prompt lost a part.
    pub is_truncated: bool,
}

impl PromptTokenizer {
    /// Takes a tokenizer with a length of its own; any truncation and padding that it has is ignored.
    ///
    /// # Errors
    /// [`Error::Tokenizer`]; [`Error::Sizes`] when it knows more tokens than the model.
    pub fn new(
        mut named: NamedTokenizer,
        config: &EncoderConfig,
        max_tokens: usize,
        truncate: Truncate,
    ) -> Result<Self> {
        let NamedTokenizer { tokenizer, path } = &mut named;
        let n_known = tokenizer.get_vocab_size(true);
        if n_known > config.vocab_size {
            return Err(Error::Sizes {
                path: path.clone(),
                what: "the number of tokens",
                found: n_known,
                bound: "`vocab_size` in config.json",
                limit: config.vocab_size,
            });
        }
        let (n_special, ends_in_special) = guarded(path, || {
            tokenizer.with_padding(None).with_truncation(None)?;
            let n_special = tokenizer.encode_fast("", true)?.len();
            let letter = tokenizer.encode_fast("a", true)?;
            let last = letter.get_special_tokens_mask().last();
            Ok((n_special, last == Some(&1)))
        })?;
        Ok(Self {
            named,
            max_tokens,
            truncate,
            vocab_size: config.vocab_size,
            n_special,
            ends_in_special,
        })
    }

    /// What splits prompts, without truncation and padding.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.named.tokenizer
    }

    /// The longest prompt in tokens, special ones included.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The special tokens around a prompt.
    pub fn n_special(&self) -> usize {
        self.n_special
    }

    /// Whether a special token stands at each prompt's end.
    pub fn ends_in_special(&self) -> bool {
        self.ends_in_special
    }

    /// Cuts another part of long prompts.
    pub fn set_truncate(&mut self, truncate: Truncate) {
        self.truncate = truncate;
    }

    /// Splits prompts in parallel.
    ///
    /// # Errors
    /// [`Error::Tokenize`] or [`Error::UnknownToken`] with the prompt's position.
    pub fn tokenize(&self, prompts: &[String]) -> Result<Vec<TokenizedPrompt>> {
        prompts
            .par_iter()
            .enumerate()
            .map(|(prompt_idx, prompt)| self.tokenize_one(prompt_idx, prompt))
            .collect()
    }

    fn tokenize_one(&self, prompt_idx: usize, prompt: &str) -> Result<TokenizedPrompt> {
        let tokenize_error = |source| Error::Tokenize { prompt_idx, source };
        let encoding = guard(|| self.named.tokenizer.encode_fast(prompt, true))
            .map_err(|panicked| tokenize_error(panicked.into()))?
            .map_err(tokenize_error)?;
        let is_special: Vec<bool> = encoding
            .get_special_tokens_mask()
            .iter()
            .map(|it| *it == 1)
            .collect();
        let mut ids = encoding.get_ids().to_vec();
        let is_truncated = ids.len() > self.max_tokens;
        if is_truncated {
            ids = self.cut(&ids, &is_special);
            // Special tokens are never cut off, and may be more than fit.
            if ids.len() > self.max_tokens {
                return Err(Error::NoRoom {
                    path: self.named.path.clone(),
                    key: "the longest text",
                    found: self.max_tokens,
                    n_special: ids.len(),
                });
            }
        }
        match ids.iter().find(|id| **id as usize >= self.vocab_size) {
            None => Ok(TokenizedPrompt { ids, is_truncated }),
            Some(id) => Err(Error::UnknownToken {
                path: self.named.path.clone(),
                prompt_idx,
                found: *id,
                last: self.vocab_size.saturating_sub(1),
            }),
        }
    }

    /// As many of a text's tokens as there is room for between its special ones.
    fn cut(&self, ids: &[u32], is_special: &[bool]) -> Vec<u32> {
        let n_before = is_special.iter().take_while(|it| **it).count();
        let n_after = is_special.iter().rev().take_while(|it| **it).count();
        let n_after = n_after.min(ids.len() - n_before);
        let (before, rest) = ids.split_at(n_before);
        let (text, after) = rest.split_at(rest.len() - n_after);
        let n_kept = self.max_tokens.saturating_sub(n_before + n_after);
        let n_kept = n_kept.min(text.len());
        let n_first = self.truncate.n_from_beginning(n_kept);
        let (first, last) = (&text[..n_first], &text[text.len() - (n_kept - n_first)..]);
        [before, first, last, after].concat()
    }
}
