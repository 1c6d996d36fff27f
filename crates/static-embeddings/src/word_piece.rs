//! BERT's way to split texts, several times as fast as the `tokenizers` library and with the same result.

mod characters;
mod pieces;
#[cfg(test)]
mod tests;

use tokenizers::{ModelWrapper, NormalizerWrapper, PreTokenizerWrapper, Tokenizer};

use self::{
    characters::{Ascii, Characters, Part},
    pieces::Pieces,
};

/// Splits texts as a tokenizer of the `tokenizers` library with BERT's normalizer, BERT's pre-tokenizer and a WordPiece model does, without special
/// tokens around them.
///
/// What the library does in several passes over a text with an offset for each letter is one pass here: BERT's normalizer changes each character
/// whatever stands beside it, and what becomes of each is asked of the library itself, once. Two kinds of texts are left to the library: those
/// that spell out one of the tokenizer's added tokens, such as `[SEP]`, and those with a character that Unicode's order of combining marks may
/// move.
///
/// Source: Wu et al. 2016, arXiv 1609.08144, section 4.1 (WordPiece); Devlin et al. 2019, arXiv 1810.04805; tokenizers 0.22, `BertNormalizer`,
/// `BertPreTokenizer` and `WordPiece`.
///
/// # Deviations
/// None in the ids: equality is tested on texts of all writing systems.
#[derive(Debug)]
pub(crate) struct WordPiece {
    characters: Characters,
    pieces: Pieces,
    /// Texts of added tokens, which the library looks for before all else.
    added: Vec<String>,
    /// The characters that those begin with, each once.
    first_of_added: Vec<char>,
}

/// A word as far as it was read, kept between texts for its memory.
#[derive(Debug, Default)]
pub(crate) struct Word {
    letters: Vec<u8>,
    n_letters: usize,
}

impl WordPiece {
    /// The same as a tokenizer, if that is of the kind that is known here.
    pub(crate) fn of(tokenizer: &Tokenizer) -> Option<Self> {
        let Some(NormalizerWrapper::BertNormalizer(normalizer)) = tokenizer.get_normalizer() else {
            return None;
        };
        let Some(PreTokenizerWrapper::BertPreTokenizer(pre_tokenizer)) =
            tokenizer.get_pre_tokenizer()
        else {
            return None;
        };
        let ModelWrapper::WordPiece(model) = tokenizer.get_model() else {
            return None;
        };
        let added: Vec<_> = tokenizer
            .get_added_tokens_decoder()
            .into_values()
            .filter(|token| !token.content.is_empty())
            .collect();
        // Looked for in the text as it is after the normalizer, which never is in one place here.
        if added.iter().any(|token| token.normalized) {
            return None;
        }
        let added: Vec<String> = added.into_iter().map(|token| token.content).collect();
        let mut first_of_added: Vec<char> = added
            .iter()
            .filter_map(|token| token.chars().next())
            .collect();
        first_of_added.sort_unstable();
        first_of_added.dedup();
        Some(Self {
            characters: Characters::new(*normalizer, *pre_tokenizer),
            pieces: Pieces::of(model)?,
            added,
            first_of_added,
        })
    }

    /// Appends a text's tokens; `false` where only the library can split the text, and nothing was appended.
    pub(crate) fn split(&self, text: &str, word: &mut Word, ids: &mut Vec<u32>) -> bool {
        if self.spells_an_added_token(text) {
            return false;
        }
        let n_before = ids.len();
        word.clear();
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if let Some(class) = self.characters.ascii(byte) {
                at += 1;
                match class {
                    Ascii::Letter(letter) => word.push_ascii(letter),
                    Ascii::Space => self.end(word, ids),
                    Ascii::Punctuation(mark) => {
                        self.end(word, ids);
                        self.pieces.append(&[mark], 1, ids);
                    }
                    Ascii::Nothing => {}
                }
                continue;
            }
            let character = text[at..].chars().next().expect("a character begins here");
            at += character.len_utf8();
            let Some(parts) = self.characters.parts(character) else {
                ids.truncate(n_before);
                return false;
            };
            for part in parts {
                match *part {
                    Part::Letter(letter) => word.push(letter),
                    Part::Space => self.end(word, ids),
                    Part::Punctuation(mark) => {
                        self.end(word, ids);
                        word.push(mark);
                        self.end(word, ids);
                    }
                }
            }
        }
        self.end(word, ids);
        true
    }

    fn end(&self, word: &mut Word, ids: &mut Vec<u32>) {
        if word.n_letters > 0 {
            self.pieces.append(&word.letters, word.n_letters, ids);
            word.clear();
        }
    }

    fn spells_an_added_token(&self, text: &str) -> bool {
        // Nearly all texts lack even the first characters.
        self.first_of_added
            .iter()
            .any(|&first| text.contains(first))
            && self.added.iter().any(|token| text.contains(token))
    }
}

impl Word {
    fn clear(&mut self) {
        self.letters.clear();
        self.n_letters = 0;
    }

    fn push_ascii(&mut self, letter: u8) {
        self.letters.push(letter);
        self.n_letters += 1;
    }

    fn push(&mut self, letter: char) {
        let mut bytes = [0; 4];
        self.letters
            .extend_from_slice(letter.encode_utf8(&mut bytes).as_bytes());
        self.n_letters += 1;
    }
}
