use std::collections::HashSet;

use serde_json::Value;
use tokenizers::{Model as _, PostProcessorWrapper, Tokenizer};

use super::error::{DistillError, Result};
use crate::splitter::unknown;

/// The tokens of a sentence embedder, and how each goes through its network alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    n_tokens: usize,
    /// The tokens that a text may have, in the order of their numbers.
    used: Vec<u32>,
    /// Special tokens before a text.
    before: Vec<u32>,
    /// Special tokens after it.
    after: Vec<u32>,
    /// The tokenizer of the static embedder.
    tokenizer: String,
}

impl Vocabulary {
    /// Takes a tokenizer's vocabulary. Left out are tokens that no text has: the special ones, and BERT's reserve `[unused0]`, `[unused1]`, ...
    ///
    /// # Errors
    /// [`DistillError::NoVocabulary`] when the tokens have no numbers from 0 without gaps, or fewer than two are left;
    /// [`DistillError::NoTokenizer`] for a tokenizer that cannot split a letter.
    pub fn of(tokenizer: &Tokenizer) -> Result<Self> {
        let vocabulary = tokenizer.get_vocab(true);
        let n_tokens = vocabulary.len();
        let no_vocabulary = |why: String| Err(DistillError::NoVocabulary { why });
        let mut tokens = vec![None; n_tokens];
        for (token, id) in vocabulary {
            let Some(place) = tokens.get_mut(id as usize) else {
                return no_vocabulary(format!("token `{token}` has number {id} of {n_tokens}"));
            };
            *place = Some(token);
        }
        let special: HashSet<u32> = tokenizer
            .get_added_tokens_decoder()
            .into_keys()
            .chain(unknown(tokenizer))
            .collect();
        let is_used = |id: u32, token: &str| !special.contains(&id) && !is_reserve(token);
        let used: Vec<u32> = (0..)
            .zip(&tokens)
            .filter_map(|(id, token)| {
                token
                    .as_deref()
                    .filter(|token| is_used(id, token))
                    .map(|_| id)
            })
            .collect();
        if used.len() < 2 {
            return no_vocabulary(format!(
                "{} of its {n_tokens} tokens occur in texts",
                used.len()
            ));
        }

        let letter = tokenizer
            .encode_fast("a", true)
            .map_err(DistillError::NoTokenizer)?;
        let is_special = letter.get_special_tokens_mask();
        let n_before = is_special.iter().take_while(|it| **it == 1).count();
        let n_after = is_special.iter().rev().take_while(|it| **it == 1).count();
        let ids = letter.get_ids();
        Ok(Self {
            n_tokens,
            used,
            before: ids[..n_before].to_vec(),
            after: ids[ids.len() - n_after.min(ids.len() - n_before)..].to_vec(),
            tokenizer: json_of(tokenizer).map_err(DistillError::NoTokenizer)?,
        })
    }

    /// The tokens that a text may have, each between the special tokens that the network expects around a text.
    pub fn sequences(&self) -> Vec<Vec<u32>> {
        let sequence = |&id: &u32| [&*self.before, &[id], &*self.after].concat();
        self.used.iter().map(sequence).collect()
    }

    /// All tokens of the tokenizer.
    pub(crate) fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    pub(crate) fn used(&self) -> &[u32] {
        &self.used
    }

    pub(crate) fn tokenizer_json(&self) -> &str {
        &self.tokenizer
    }
}

/// Whether a token is one of those that BERT's vocabularies hold free; WordPiece splits a text with its name at the brackets.
fn is_reserve(token: &str) -> bool {
    let number = token
        .strip_prefix("[unused")
        .and_then(|it| it.strip_suffix(']'));
    number.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
}

/// tokenizer.json of the static embedder: nothing stands around a text, and one that spells out `[SEP]` is split like any other, as far as the model
/// knows the special tokens by itself.
fn json_of(tokenizer: &Tokenizer) -> tokenizers::Result<String> {
    let mut tokenizer = tokenizer.clone();
    tokenizer.with_post_processor(None::<PostProcessorWrapper>);
    let mut json: Value = serde_json::from_str(&tokenizer.to_string(false)?)?;
    if let Some(added) = json["added_tokens"].as_array_mut() {
        let model = tokenizer.get_model();
        added.retain(|token| {
            let content = token["content"].as_str();
            content.is_none_or(|content| model.token_to_id(content).is_none())
        });
    }
    Ok(json.to_string())
}
