//! What an answer was billed.

use super::json::Object;

/// Bytes of text per token, where nothing counted the tokens.
const BYTES_PER_TOKEN: usize = 4;

/// Tokens as an upstream reports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    pub(crate) input: Option<u64>,
    pub(crate) output: Option<u64>,
    /// Those of the input that came out of a cache.
    pub(crate) cached: Option<u64>,
}

impl Usage {
    /// Reads a `usage` in the words of any format.
    pub(crate) fn of(raw: &str) -> Option<Self> {
        let object = Object::of(raw).ok()?;
        let count = |key: &str| object.raw(key)?.parse::<u64>().ok();
        let mut input = count("prompt_tokens").or_else(|| count("input_tokens"));
        // Anthropic counts what it read from its cache apart.
        for key in ["cache_read_input_tokens", "cache_creation_input_tokens"] {
            if let (Some(n), Some(cached)) = (input, count(key)) {
                input = Some(n.saturating_add(cached));
            }
        }
        let output = count("completion_tokens").or_else(|| count("output_tokens"));
        let details = ["prompt_tokens_details", "input_tokens_details"];
        let details = details.iter().find_map(|key| object.object(key));
        let cached = details.and_then(|it| it.raw("cached_tokens")?.parse().ok());
        let cached = cached.or_else(|| count("cache_read_input_tokens"));
        (input.is_some() || output.is_some()).then_some(Self {
            input,
            output,
            cached,
        })
    }

    /// Takes over what a later event reports.
    pub(crate) fn update(&mut self, later: Self) {
        self.input = later.input.or(self.input);
        self.output = later.output.or(self.output);
        self.cached = later.cached.or(self.cached);
    }
}

/// Tokens that so many bytes of an answer may have.
pub(crate) fn estimated_tokens(n_bytes: usize) -> u64 {
    n_bytes.div_ceil(BYTES_PER_TOKEN) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: Option<u64>, output: u64, cached: Option<u64>) -> Usage {
        Usage {
            input,
            output: Some(output),
            cached,
        }
    }

    #[test]
    fn usage_is_read_in_the_words_of_every_format() {
        let chat = r#"{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":3}}"#;
        assert_eq!(Usage::of(chat), Some(usage(Some(7), 2, Some(3))));
        let messages = r#"{"input_tokens":7,"output_tokens":2,"cache_read_input_tokens":5}"#;
        assert_eq!(Usage::of(messages), Some(usage(Some(12), 2, Some(5))));
        for odd in [
            "null",
            "{}",
            "[]",
            r#"{"prompt_tokens":-1}"#,
            r#"{"prompt_tokens":"7"}"#,
        ] {
            assert_eq!(Usage::of(odd), None, "{odd}");
        }
        let mut found = usage(Some(5), 1, None);
        found.update(usage(None, 9, None));
        assert_eq!(found, usage(Some(5), 9, None));
        assert_eq!(estimated_tokens(9), 3);
    }
}
