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
        let tokenizer = encoder::read_tokenizer(path).map_err(|source| source.into());
        tokenizer
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
