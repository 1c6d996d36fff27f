use ahash::AHashMap;
use tokenizers::{Model as _, models::wordpiece};

/// A WordPiece vocabulary, and the rule by which it splits words: the longest token that a word begins with, and so on with the rest.
#[derive(Debug)]
pub(super) struct Pieces {
    /// Tokens by which a word may begin.
    first: Tokens,
    /// Tokens by which it may go on, without the prefix that says so.
    further: Tokens,
    unknown: u32,
    /// Longer words are unknown.
    max_letters: usize,
}

/// Tokens by their text.
#[derive(Debug, Default)]
struct Tokens {
    ids: AHashMap<Box<[u8]>, u32>,
    /// Bytes of the longest.
    longest: usize,
}

impl Pieces {
    /// The same as a model, if that has a token for words that are unknown.
    pub(super) fn of(model: &wordpiece::WordPiece) -> Option<Self> {
        let (mut first, mut further) = (Tokens::default(), Tokens::default());
        for (token, id) in model.get_vocab() {
            if let Some(rest) = token.strip_prefix(&model.continuing_subword_prefix)
                && !rest.is_empty()
            {
                further.insert(rest, id);
            }
            first.insert(&token, id);
        }
        Some(Self {
            first,
            further,
            unknown: model.token_to_id(&model.unk_token)?,
            max_letters: model.max_input_chars_per_word,
        })
    }

    /// Appends the tokens of a word in UTF-8.
    pub(super) fn append(&self, word: &[u8], n_letters: usize, ids: &mut Vec<u32>) {
        if n_letters > self.max_letters {
            ids.push(self.unknown);
            return;
        }
        let n_before = ids.len();
        let (mut rest, mut tokens) = (word, &self.first);
        while !rest.is_empty() {
            let Some((id, n_bytes)) = tokens.longest_in(rest) else {
                // A word of which any part is unknown is unknown as a whole.
                ids.truncate(n_before);
                ids.push(self.unknown);
                return;
            };
            ids.push(id);
            (rest, tokens) = (&rest[n_bytes..], &self.further);
        }
    }
}

impl Tokens {
    fn insert(&mut self, token: &str, id: u32) {
        self.longest = self.longest.max(token.len());
        self.ids.insert(token.as_bytes().into(), id);
    }

    /// The longest token that a text in UTF-8 begins with, and its bytes.
    fn longest_in(&self, text: &[u8]) -> Option<(u32, usize)> {
        let mut end = text.len().min(self.longest);
        while end > 0 {
            // No token ends within a character, so that bytes between two need no look.
            let is_whole = text.get(end).is_none_or(|&next| next as i8 >= -0x40);
            if is_whole && let Some(&id) = self.ids.get(&text[..end]) {
                return Some((id, end));
            }
            end -= 1;
        }
        None
    }
}
