use std::path::{Path, PathBuf};

use encoder::{Error, Result, read_tokenizer};
use tokenizers::{ModelWrapper, Tokenizer};
use untrusted_files::guard;

use crate::word_piece::{Word, WordPiece};

/// Splits prompts into the tokens that count: all but special ones around a prompt, and unknown words.
#[derive(Debug)]
pub(crate) struct Splitter {
    path: PathBuf,
    tokenizer: Tokenizer,
    /// The same in less time, if the tokenizer is of the kind that it knows.
    word_piece: Option<WordPiece>,
    /// What stands for a word that is not in the vocabulary.
    unknown: Option<u32>,
}

/// What splitting a prompt needs, kept for the next one.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    word: Word,
    ids: Vec<u32>,
}

impl Splitter {
    /// Reads a tokenizer.json. What it says of truncation and padding does not count: Model2Vec sets both by itself.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let mut tokenizer = read_tokenizer(path)?;
        let tokenizer_error = |source| Error::Tokenizer {
            path: path.to_owned(),
            source,
        };
        tokenizer
            .with_padding(None)
            .with_truncation(None)
            .map_err(tokenizer_error)?;
        Ok(Self {
            path: path.to_owned(),
            word_piece: WordPiece::of(&tokenizer),
            unknown: unknown(&tokenizer),
            tokenizer,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// A prompt's tokens in their order.
    ///
    /// # Errors
    /// [`Error::Tokenize`] with the prompt's position.
    pub(crate) fn split<'a>(
        &self,
        prompt_idx: usize,
        prompt: &str,
        scratch: &'a mut Scratch,
    ) -> Result<&'a [u32]> {
        let Scratch { word, ids } = scratch;
        ids.clear();
        let is_split = self
            .word_piece
            .as_ref()
            .is_some_and(|it| it.split(prompt, word, ids));
        if !is_split {
            let tokenize_error = |source| Error::Tokenize { prompt_idx, source };
            let encoding = guard(|| self.tokenizer.encode_fast(prompt, false))
                .map_err(|panicked| tokenize_error(panicked.into()))?
                .map_err(tokenize_error)?;
            ids.extend_from_slice(encoding.get_ids());
        }
        ids.retain(|&id| Some(id) != self.unknown);
        Ok(ids)
    }
}

/// The id of a tokenizer's token for unknown words, if it has one.
pub(crate) fn unknown(tokenizer: &Tokenizer) -> Option<u32> {
    let token = match tokenizer.get_model() {
        ModelWrapper::WordPiece(model) => Some(&model.unk_token),
        ModelWrapper::WordLevel(model) => Some(&model.unk_token),
        ModelWrapper::BPE(model) => model.unk_token.as_ref(),
        // Its id has no other way out of the library.
        ModelWrapper::Unigram(model) => {
            let model = serde_json::to_value(model).ok()?;
            let id = model.get("unk_id")?.as_u64()?;
            return u32::try_from(id).ok();
        }
    };
    tokenizer.token_to_id(token?)
}
