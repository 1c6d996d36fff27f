use std::collections::HashSet;

use tiktoken_rs::{CoreBPE, Rank, cl100k_base_singleton};

/// The longest token of cl100k_base, a run of spaces.
const MAX_BYTES_PER_TOKEN: usize = 128;
/// English has 4 to 5 bytes per token, so that most texts show at the first look whether they are too long.
const FIRST_BYTES_PER_TOKEN: usize = 8;

/// A text's tokens by cl100k_base, the encoding of OpenAI's embedding models. Special tokens such as `<|endoftext|>` count as plain text.
pub fn count_tokens(text: &str) -> usize {
    Tokenizer::new().count(text)
}

/// Counts and cuts by cl100k_base: the encoding of OpenAI's embedding models, and a stand-in for all others.
#[derive(Clone, Copy)]
pub(crate) struct Tokenizer {
    bpe: &'static CoreBPE,
}

/// A text's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Bytes of the text that are kept.
    pub(crate) n_bytes: usize,
    /// Tokens that they have.
    pub(crate) n_tokens: usize,
}

impl Tokenizer {
    pub(crate) fn new() -> Self {
        Self {
            bpe: cl100k_base_singleton(),
        }
    }

    /// Special tokens such as `<|endoftext|>` count as the plain text that the server takes them for.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.encode(text).len()
    }

    /// The longest beginning that has at most `max_tokens` tokens and ends where both a token and a character end; `None` if that is all of
    /// the text.
    ///
    /// Work is linear in `max_tokens`, whatever the text's length: a token has at most 128 bytes, so more than `128 max_tokens` bytes are
    /// never looked at, and mostly the first `8 max_tokens` show enough. Within a run without any word boundary, the cut may so lie a few
    /// tokens from where encoding all of the text would put it. A beginning can have another number of tokens than it had within the
    /// text, as what follows decides how white space is split: it is counted again, and shortened further if need be.
    pub(crate) fn cut(&self, text: &str, max_tokens: usize) -> Option<Cut> {
        // No token is shorter than a byte.
        if text.len() <= max_tokens {
            return None;
        }
        let mut n_looked = max_tokens.saturating_mul(FIRST_BYTES_PER_TOKEN);
        let most = max_tokens.saturating_add(1) * MAX_BYTES_PER_TOKEN;
        let tokens = loop {
            let window = &text[..floor_char_boundary(text, n_looked)];
            let tokens = self.encode(window);
            if tokens.len() > max_tokens {
                break tokens;
            }
            if window.len() == text.len() {
                return None;
            }
            if n_looked >= most {
                // Only if a token were longer than any is.
                break tokens;
            }
            n_looked = n_looked.saturating_mul(4).min(most);
        };
        let ends: Vec<usize> = tokens
            .iter()
            .scan(0, |end, token| {
                let bytes = self.bpe.decode_bytes(&[*token]);
                *end += bytes.expect("tokens of the encoder can be decoded").len();
                Some(*end)
            })
            .collect();
        let mut n_kept = max_tokens.min(ends.len());
        while n_kept > 0 {
            let n_bytes = ends[n_kept - 1];
            if text.is_char_boundary(n_bytes) {
                let n_tokens = self.count(&text[..n_bytes]);
                if n_tokens <= max_tokens {
                    return Some(Cut { n_bytes, n_tokens });
                }
            }
            n_kept -= 1;
        }
        Some(Cut {
            n_bytes: 0,
            n_tokens: 0,
        })
    }

    fn encode(&self, text: &str) -> Vec<Rank> {
        match self.bpe.encode(text, &HashSet::new()) {
            Ok((tokens, _)) => tokens,
            // The regular expression gave up, on a run of some 100,000 spaces. Halves have at most a token more.
            Err(error) => {
                let middle = floor_char_boundary(text, text.len() / 2);
                tracing::debug!(n_bytes = text.len(), %error, "a text is counted in halves");
                if middle == 0 {
                    return Vec::new();
                }
                let (left, right) = text.split_at(middle);
                [self.encode(left), self.encode(right)].concat()
            }
        }
    }
}

/// The last place up to `n_bytes` where a character ends.
fn floor_char_boundary(text: &str, n_bytes: usize) -> usize {
    let from = n_bytes.min(text.len());
    let found = (0..=from).rev().find(|end| text.is_char_boundary(*end));
    found.expect("0 is a boundary")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Counts by tiktoken's `cl100k_base`; the first four are in OpenAI's cookbook and tests of tiktoken.
    #[test]
    fn matches_known_cl100k_counts() {
        let check = |text: &str, n_tokens: usize| {
            assert_eq!(Tokenizer::new().count(text), n_tokens, "{text:?}");
        };
        check("hello world", 2);
        check("tiktoken is great!", 6);
        check("antidisestablishmentarianism", 6);
        check("2 + 2 = 4", 7);
        check("お誕生日おめでとう", 9);
        check("", 0);
        check(" ", 1);
        check("0", 1);
        check("rer", 1);
        check("'rer", 2);
        check("today\n ", 3);
        check("today\n \n", 2);
        check("today\n  \n", 2);
        // Taken for plain text, not for one special token.
        check("<|endoftext|>", 7);
    }

    #[test]
    fn what_fits_is_not_cut() {
        let tokenizer = Tokenizer::new();
        assert_eq!(tokenizer.cut("hello world", 2), None);
        assert_eq!(tokenizer.cut("", 1), None);
        let cut = tokenizer.cut("hello world again", 2).unwrap();
        assert_eq!((cut.n_bytes, cut.n_tokens), (11, 2));
    }

    /// An emoji has several tokens, none of which ends with the character but the last.
    #[test]
    fn characters_stay_whole() {
        let tokenizer = Tokenizer::new();
        let text = "ab🦀🦀🦀";
        for max_tokens in 1..=tokenizer.count(text) {
            let n_bytes = tokenizer.cut(text, max_tokens).map(|cut| cut.n_bytes);
            assert!(text.is_char_boundary(n_bytes.unwrap_or(0)));
        }
        let only = tokenizer.cut("🦀", 1).unwrap();
        assert_eq!(
            only,
            Cut {
                n_bytes: 0,
                n_tokens: 0
            }
        );
    }

    /// What once took quadratic time, or made the regular expression give up.
    #[test]
    fn long_runs_are_cut_in_linear_time() {
        let tokenizer = Tokenizer::new();
        for run in ["a", " ", "\n", " \n", "=", "é", "0", "ab", "🦀", "\u{2003}"] {
            let text = run.repeat(3_000_000 / run.len()) + "x";
            let cut = tokenizer.cut(&text, 8_191).unwrap();
            assert!(cut.n_tokens <= 8_191 && cut.n_tokens > 8_180, "{run:?}");
            assert_eq!(tokenizer.count(&text[..cut.n_bytes]), cut.n_tokens);
        }
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_and_is_as_long_as_can_be(
            text in "([ \\t\\n\u{2003}]{0,4}|[a-zA-Z']{0,9}|\\PC{0,6}){0,12}",
            max_tokens in 1_usize..12,
        ) {
            let tokenizer = Tokenizer::new();
            match tokenizer.cut(&text, max_tokens) {
                None => prop_assert!(tokenizer.count(&text) <= max_tokens),
                Some(cut) => {
                    prop_assert!(tokenizer.count(&text) > max_tokens);
                    prop_assert!(cut.n_bytes < text.len());
                    prop_assert_eq!(tokenizer.count(&text[..cut.n_bytes]), cut.n_tokens);
                    prop_assert!(cut.n_tokens <= max_tokens);
                }
            }
        }
    }
}
