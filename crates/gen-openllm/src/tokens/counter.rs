use std::{
    collections::HashMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use tokenizers::Tokenizer;

use super::files::TokenizerFiles;

/// The tokenizers of all LLMs, each loaded once.
pub(crate) struct Counters {
    of_model: Vec<usize>,
    counters: Vec<Counter>,
}

impl Counters {
    /// Loads the files, several at a time.
    ///
    /// # Errors
    /// When a file is not a tokenizer.
    pub(crate) fn load(files: &TokenizerFiles) -> anyhow::Result<Self> {
        let paths = files.paths.par_iter().enumerate();
        let counters = paths.map(|(i, path)| {
            // Remembering counts takes memory, and pays only if another LLM may read the same text with the same tokenizer.
            let is_shared = files.of_model.iter().filter(|&&other| other == i).count() > 1;
            Counter::load(path, is_shared)
        });
        Ok(Self {
            of_model: files.of_model.clone(),
            counters: counters.collect::<anyhow::Result<_>>()?,
        })
    }

    /// The counter of an LLM, by its number.
    pub(crate) fn of(&self, model: usize) -> &Counter {
        &self.counters[self.of_model[model]]
    }
}

/// Counts tokens.
///
/// Special tokens in the text (a chat template writes them out) count; none is added, as the evaluation added none. (It does add Gemma's
/// one token at the start; the count of a Gemma without a chat template is one too low.)
pub(crate) struct Counter {
    tokenizer: Tokenizer,
    /// Counts by SHA-256 of the text, where several LLMs have this tokenizer: they often read the same.
    known: Option<Mutex<HashMap<[u8; 32], f64>>>,
}

impl Counter {
    fn load(path: &Path, is_shared: bool) -> anyhow::Result<Self> {
        let cannot =
            |error| anyhow::anyhow!("cannot use `{}` as a tokenizer: {error}", path.display());
        let mut tokenizer = Tokenizer::from_file(path).map_err(cannot)?;
        // A sentence embedder's file cuts texts and fills them up.
        tokenizer.with_truncation(None).map_err(cannot)?;
        tokenizer.with_padding(None);
        Ok(Self {
            tokenizer,
            known: is_shared.then(Mutex::default),
        })
    }

    /// Tokens of a text.
    pub(crate) fn count(&self, text: &str) -> anyhow::Result<f64> {
        let key = || Sha256::digest(text).into();
        let Some(known) = self.known.as_ref().map(|known| (known, key())) else {
            return self.encode(text);
        };
        let (known, key): (_, [u8; 32]) = known;
        let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&n_tokens) = lock().get(&key) {
            return Ok(n_tokens);
        }
        // Not under the lock: two threads may count the same text, which costs less than waiting for each other.
        let n_tokens = self.encode(text)?;
        lock().insert(key, n_tokens);
        Ok(n_tokens)
    }

    fn encode(&self, text: &str) -> anyhow::Result<f64> {
        // Only the number of tokens is needed, so the fast variant, which leaves out their offsets, will do.
        let encoding = self.tokenizer.encode_fast(text, false);
        let encoding = encoding
            .map_err(|error| anyhow::anyhow!("cannot count the tokens of a prompt: {error}"))?;
        Ok(encoding.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts words, and says that texts be cut at two tokens and filled up to eight.
    const WORDS: &str = r#"{
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "?"},
        "added_tokens": [{"id": 1, "content": "<end>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
        "normalizer": null,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<end>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<end>": {"id": "<end>", "ids": [1], "tokens": ["<end>"]}}
        },
        "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}
    }"#;

    #[test]
    fn texts_are_counted_whole_and_as_they_stand() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("tokenizer.json");
        std::fs::write(&path, WORDS).expect("written");
        for is_shared in [false, true] {
            let counter = Counter::load(&path, is_shared).expect("a tokenizer");
            for (text, expected) in [
                ("a b c d", 4.0),
                ("", 0.0),
                ("<end>a<end> b", 4.0),
                ("a b c d", 4.0),
            ] {
                assert_eq!(counter.count(text).expect("counted"), expected, "{text}");
            }
            let n_known = counter
                .known
                .map(|known| known.lock().expect("no test panicked").len());
            assert_eq!(n_known, is_shared.then_some(3));
        }
        std::fs::write(&path, "{}").expect("written");
        assert!(Counter::load(&path, false).is_err());
    }
}
