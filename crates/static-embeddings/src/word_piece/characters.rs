use std::sync::OnceLock;

use tokenizers::{
    NormalizedString, Normalizer as _, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer as _, normalizers::BertNormalizer, pre_tokenizers::bert::BertPreTokenizer,
};
use unicode_normalization::char::canonical_combining_class;

/// Characters in a page.
const PAGE: usize = 256;
/// Pages of all code points.
const N_PAGES: usize = (char::MAX as usize + 1) / PAGE;
const N_ASCII: usize = 128;

/// What BERT's normalizer and pre-tokenizer make of each character.
///
/// Asked of the library, a page of characters at a time when one of them first occurs: all of them would take a second at each start.
#[derive(Debug)]
pub(super) struct Characters {
    normalizer: BertNormalizer,
    pre_tokenizer: BertPreTokenizer,
    /// `None` for a character with several parts.
    ascii: [Option<Ascii>; N_ASCII],
    pages: Box<[OnceLock<Page>]>,
}

/// What becomes of an ASCII character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ascii {
    /// It is left out.
    Nothing,
    /// A letter of a word.
    Letter(u8),
    /// A word of its own.
    Punctuation(u8),
    /// The end of a word.
    Space,
}

/// A part of what becomes of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A letter of a word.
    Letter(char),
    /// A word of its own.
    Punctuation(char),
    /// The end of a word.
    Space,
}

#[derive(Debug)]
struct Page {
    /// The parts of all characters of the page, one after the other.
    parts: Vec<Part>,
    /// Where each character's parts begin and end; none of a character that may move in a text.
    ranges: [Option<(u16, u16)>; PAGE],
}

impl Characters {
    pub(super) fn new(normalizer: BertNormalizer, pre_tokenizer: BertPreTokenizer) -> Self {
        let mut characters = Self {
            normalizer,
            pre_tokenizer,
            ascii: [None; N_ASCII],
            pages: (0..N_PAGES).map(|_| OnceLock::new()).collect(),
        };
        let ascii = std::array::from_fn(|code| {
            let parts = characters.parts(char::from(code as u8))?;
            Ascii::of(parts)
        });
        characters.ascii = ascii;
        characters
    }

    /// What becomes of a byte of a text; `None` where that takes [`Characters::parts`].
    pub(super) fn ascii(&self, byte: u8) -> Option<Ascii> {
        self.ascii.get(usize::from(byte)).copied().flatten()
    }

    /// What becomes of a character; `None` where that depends on the characters around it.
    pub(super) fn parts(&self, character: char) -> Option<&[Part]> {
        let (page_idx, idx) = (character as usize / PAGE, character as usize % PAGE);
        let page = self.pages[page_idx].get_or_init(|| self.page(page_idx));
        let (begin, end) = page.ranges[idx]?;
        Some(&page.parts[usize::from(begin)..usize::from(end)])
    }

    fn page(&self, page_idx: usize) -> Page {
        let mut page = Page {
            parts: Vec::new(),
            ranges: [None; PAGE],
        };
        for (idx, range) in page.ranges.iter_mut().enumerate() {
            // Surrogates stand in no text.
            let code = u32::try_from(page_idx * PAGE + idx).ok();
            let Some(character) = code.and_then(char::from_u32) else {
                continue;
            };
            let Some(normalized) = self.normalized(character) else {
                continue;
            };
            let begin = page.parts.len();
            page.parts
                .extend(normalized.chars().map(|it| self.part(it)));
            let ends = u16::try_from(begin)
                .ok()
                .zip(u16::try_from(page.parts.len()).ok());
            *range = ends;
        }
        page
    }

    /// The character as the normalizer writes it.
    fn normalized(&self, character: char) -> Option<String> {
        let mut text = NormalizedString::from(character.to_string());
        self.normalizer.normalize(&mut text).ok()?;
        let text = text.get();
        // Canonical order sorts combining marks. Most are accents, which are removed; one that is kept may change places with another.
        let may_move = |it: char| canonical_combining_class(it) != 0;
        (!text.chars().any(may_move)).then(|| text.to_owned())
    }

    fn part(&self, character: char) -> Part {
        // Between two letters, a letter gives one word, a space two, and punctuation three.
        let mut text = PreTokenizedString::from(format!("a{character}a"));
        let n_words = match self.pre_tokenizer.pre_tokenize(&mut text) {
            Ok(()) => text
                .get_splits(OffsetReferential::Original, OffsetType::Byte)
                .len(),
            // It has no way to fail.
            Err(_) => 1,
        };
        match n_words {
            1 => Part::Letter(character),
            2 => Part::Space,
            _ => Part::Punctuation(character),
        }
    }
}

impl Ascii {
    fn of(parts: &[Part]) -> Option<Self> {
        let ascii = |it: char| it.is_ascii().then_some(it as u8);
        match *parts {
            [] => Some(Self::Nothing),
            [Part::Space] => Some(Self::Space),
            [Part::Letter(letter)] => ascii(letter).map(Self::Letter),
            [Part::Punctuation(mark)] => ascii(mark).map(Self::Punctuation),
            _ => None,
        }
    }
}
