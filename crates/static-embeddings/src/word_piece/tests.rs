use std::{path::Path, sync::LazyLock};

use encoder::read_tokenizer;
use proptest::prelude::*;
use rand::{Rng as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use tokenizers::{
    AddedToken, Tokenizer, models::wordpiece, normalizers::BertNormalizer,
    pre_tokenizers::bert::BertPreTokenizer,
};

use super::*;

/// A vocabulary that leaves much to be split or unknown, with a prefix of our choice.
fn tiny(normalizer: BertNormalizer, prefix: &str) -> Tokenizer {
    let letters = "abcdeé日本한ᄒдо!?.-['0";
    let mut tokens: Vec<String> = ["[UNK]", "[SEP]", "abc", "ab", "дод", "12", "日本"]
        .map(String::from)
        .into();
    tokens.extend(letters.chars().map(String::from));
    tokens.extend("abcdeᅡᆫдо0".chars().map(|letter| format!("{prefix}{letter}")));
    tokens.extend([
        format!("{prefix}bc"),
        format!("{prefix}bcd"),
        format!("{prefix}ода"),
    ]);
    let mut vocabulary = ahash::AHashMap::new();
    for token in tokens {
        let id = vocabulary.len() as u32;
        vocabulary.entry(token).or_insert(id);
    }
    let model = wordpiece::WordPiece::builder()
        .vocab(vocabulary)
        .unk_token("[UNK]".to_owned())
        .continuing_subword_prefix(prefix.to_owned())
        .max_input_chars_per_word(7)
        .build()
        .expect("a model");
    let mut tokenizer = Tokenizer::new(model);
    tokenizer
        .with_normalizer(Some(normalizer))
        .with_pre_tokenizer(Some(BertPreTokenizer));
    let special = AddedToken::from("[SEP]", true);
    tokenizer.add_special_tokens(&[special]);
    tokenizer
}

fn by_library(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let encoding = tokenizer.encode_fast(text, false).expect("split");
    encoding.get_ids().to_vec()
}

/// Compares with the library, and says whether there was something to compare.
fn check(tokenizer: &Tokenizer, word_piece: &WordPiece, text: &str) -> bool {
    let (mut word, mut ids) = (Word::default(), vec![7, 7]);
    let is_split = word_piece.split(text, &mut word, &mut ids);
    match is_split {
        true => assert_eq!(ids[2..], by_library(tokenizer, text), "{text:?}"),
        false => assert_eq!(ids, [7, 7], "{text:?}"),
    }
    is_split
}

fn all_settings() -> Vec<Tokenizer> {
    let mut tokenizers = Vec::new();
    for (clean_text, handle_chinese_chars, strip_accents, lowercase) in [
        (true, true, None, true),
        (true, true, None, false),
        (false, false, Some(true), false),
        (false, true, Some(false), true),
    ] {
        let normalizer =
            BertNormalizer::new(clean_text, handle_chinese_chars, strip_accents, lowercase);
        tokenizers.extend(["##", "", "é"].map(|prefix| tiny(normalizer, prefix)));
    }
    tokenizers
}

#[test]
fn matches_tokenizers_on_what_is_special() {
    for tokenizer in all_settings() {
        let word_piece = WordPiece::of(&tokenizer).expect("of its kind");
        for text in [
            "",
            " \t\n",
            "abc abcd ABCDE",
            "a!b?!'c",
            "abcabcab abcabca",
            "ééééééé éééééééé",
            "日本 a日本b 日",
            "한국 \u{1112}\u{1161}\u{11ab}",
            "a\u{0}b\u{fffd}c\u{200d}d\u{ad}e\u{7f}",
            "a\u{a0}b\u{2003}c\u{3000}d\u{85}e\u{2028}",
            "x xx abx",
            "[ sep ] [sep]",
        ] {
            assert!(check(&tokenizer, &word_piece, text), "{text:?}");
        }
        // Where accents are kept, marks on letters are left to the library; a small İ has one.
        for text in ["é e\u{301} E\u{301}\u{323}", "İ ǅ ß ẞ Σς"] {
            check(&tokenizer, &word_piece, text);
        }
    }
}

#[test]
fn what_only_the_library_can_split_is_left_to_it() {
    let tokenizer = tiny(BertNormalizer::default(), "##");
    let word_piece = WordPiece::of(&tokenizer).expect("of its kind");
    // An added token; tone marks of old Hangul, which canonical order moves and nothing removes.
    for text in ["a [SEP] b", "a[SEP]", "a\u{302e}b", "a\u{302e}\u{1d165}"] {
        assert!(!check(&tokenizer, &word_piece, text), "{text:?}");
    }
}

#[test]
fn other_tokenizers_are_left_to_the_library() {
    let plain = || tiny(BertNormalizer::default(), "##");
    let mut normalized = plain();
    normalized.add_tokens(&[AddedToken::from("abc", false)]);
    let mut without_pre_tokenizer = plain();
    without_pre_tokenizer.with_pre_tokenizer(None::<BertPreTokenizer>);
    let mut without_normalizer = plain();
    without_normalizer.with_normalizer(None::<BertNormalizer>);
    let model = wordpiece::WordPiece::builder()
        .unk_token("none".to_owned())
        .build();
    let mut without_unknown = plain();
    without_unknown.with_model(model.expect("a model"));
    for tokenizer in [
        normalized,
        without_pre_tokenizer,
        without_normalizer,
        without_unknown,
    ] {
        assert!(WordPiece::of(&tokenizer).is_none());
    }
    assert!(WordPiece::of(&plain()).is_some());
}

static ALL_SETTINGS: LazyLock<Vec<(Tokenizer, WordPiece)>> = LazyLock::new(|| {
    let with_own = |tokenizer| {
        let word_piece = WordPiece::of(&tokenizer).expect("of its kind");
        (tokenizer, word_piece)
    };
    all_settings().into_iter().map(with_own).collect()
});

proptest! {
    #[test]
    fn matches_tokenizers_on_any_text(text in "\\PC{0,40}|[a-eA-E дод日é!\\[\\]SEP0-2\u{300}-\u{303}]{0,30}") {
        for (tokenizer, word_piece) in ALL_SETTINGS.iter() {
            check(tokenizer, word_piece, &text);
        }
    }
}

/// Texts of one to three blocks of 128 characters, between spaces and marks, of all planes that hold writing systems.
fn text(rng: &mut ChaCha8Rng) -> String {
    const BLOCK: u32 = 128;
    let block = |rng: &mut ChaCha8Rng| match rng.random_range(0..10) {
        0 => 0,
        1..=6 => rng.random_range(0..0x1_0000 / BLOCK),
        7 | 8 => rng.random_range(0x1_0000 / BLOCK..0x2_0000 / BLOCK),
        _ => rng.random_range(0..0x11_0000 / BLOCK),
    };
    let blocks: Vec<u32> = (0..rng.random_range(1..4)).map(|_| block(rng)).collect();
    let n_letters = rng.random_range(0..60);
    let mut text = String::new();
    for _ in 0..n_letters {
        let letter = match rng.random_range(0..12) {
            0 => Some(' '),
            1 => Some(char::from(rng.random_range(0..128_u8))),
            // Combining marks of several classes.
            2 => char::from_u32(rng.random_range(0x300..0x370)),
            _ => {
                let block = blocks.choose(rng).copied().unwrap_or_default();
                char::from_u32(block * BLOCK + rng.random_range(0..BLOCK))
            }
        };
        text.extend(letter);
    }
    text
}

#[test]
fn matches_tokenizers_on_100_000_texts_of_all_writing_systems() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/all-MiniLM-L6-v2/tokenizer.json");
    let mut tokenizer = read_tokenizer(&path).unwrap_or_else(|error| {
        panic!("{error}; run `scripts/minilm.sh` first, which brings the model")
    });
    tokenizer
        .with_padding(None)
        .with_truncation(None)
        .expect("none");
    let word_piece = WordPiece::of(&tokenizer).expect("of its kind");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let n_split = (0..100_000)
        .filter(|_| check(&tokenizer, &word_piece, &text(&mut rng)))
        .count();
    assert!(n_split > 90_000, "only {n_split} texts were compared");
}
