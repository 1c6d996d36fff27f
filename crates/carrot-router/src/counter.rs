use std::path::Path;

use encoder::TokenCounter;
use tokenizers::Tokenizer;

use crate::{Error, Result};

/// Counts the tokens of whole prompts.
#[derive(Debug)]
pub(crate) struct Counter(TokenCounter);

impl Counter {
    /// Counts by a `tokenizer.json`.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let counter = TokenCounter::load(path).map_err(|source| Error::Tokenizer {
            path: path.to_owned(),
            source: source.into(),
        })?;
        Ok(Self(counter))
    }

    /// Counts by a tokenizer, whatever truncation and padding it has.
    pub(crate) fn new(tokenizer: Tokenizer) -> tokenizers::Result<Self> {
        Ok(Self(TokenCounter::new(tokenizer)?))
    }

    /// Tokens of the prompt itself, see [`TokenCounter::count`].
    pub(crate) fn count(&self, prompt: &str) -> tokenizers::Result<usize> {
        self.0.count(prompt)
    }

    /// Counts several prompts.
    ///
    /// # Errors
    /// [`Error::Tokenize`] with the prompt's position.
    pub(crate) fn count_all(&self, prompts: &[String]) -> Result<Vec<usize>> {
        self.0.count_all(prompts).map_err(|error| match error {
            encoder::Error::Tokenize { prompt_idx, source } => Error::Tokenize { prompt_idx, source },
            error => error.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{error::Error as _, fs};

    use test_support::try_mutations;

    use super::*;

    const TINY: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../encoder/tests/golden/tiny-bert/tokenizer.json"
    );

    #[test]
    fn mutations_of_an_llms_tokenizer() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("tokenizer.json");
        let tiny = fs::read(TINY).expect("read");
        try_mutations(&[tiny], |bytes| {
            fs::write(&path, bytes).expect("written");
            if let Ok(counter) = Counter::load(&path) {
                _ = counter.count("so long. Zwölf 你");
            }
        });
    }

    #[test]
    fn another_file_under_its_name_is_told() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("tokenizer.json");
        fs::write(&path, "<!DOCTYPE html>").expect("written");
        let error = Counter::load(&path).expect_err("a page");
        let cause = error.source().expect("there is one").to_string();
        assert!(cause.contains("web page"), "{cause}");
    }
}
