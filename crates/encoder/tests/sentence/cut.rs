//! Which part of long prompts is cut off.

use dataset::Truncate;
use ndarray::s;
use serde_json::json;

use crate::{
    common::max_difference,
    tiny::{Folder, embed},
};

/// Sums in another order, float32.
const SAME: f32 = 1e-6;

/// What is left of a prompt of many words in a window of 6 tokens, 4 of them words.
const PROMPT: &str = "a b c d e f g h i";
const CUT: [(Truncate, &str); 3] = [
    (Truncate::Right, "a b c d"),
    (Truncate::Left, "f g h i"),
    (Truncate::Middle, "a b h i"),
];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.set("sentence_bert_config.json", "max_seq_length", json!(6));
    folder
}

#[test]
fn the_part_that_is_asked_for_is_cut_off() {
    let folder = folder();
    for (truncate, rest) in CUT {
        let embedder = folder.load().unwrap().with_truncate(Some(truncate));
        let prompts = [PROMPT, rest].map(str::to_owned);
        let embedded = embed(&embedder, &prompts);
        assert_eq!(embedded.is_truncated, [true, false]);
        assert_eq!(embedded.n_truncated(), 1);
        let values = embedded.values;
        let difference = max_difference(values.slice(s![..1, ..]), values.slice(s![1.., ..]));
        assert!(difference < SAME, "{truncate} {difference}");
    }
}

#[test]
fn the_files_decide_where_nothing_is_asked_for() {
    for (side, expected) in [
        (None, Truncate::Right),
        (Some("right"), Truncate::Right),
        (Some("left"), Truncate::Left),
    ] {
        let folder = folder();
        if let Some(side) = side {
            folder.set("tokenizer_config.json", "truncation_side", json!(side));
        }
        let prompts = [PROMPT.to_owned()];
        let found = embed(&folder.load().unwrap().with_truncate(None), &prompts);
        let expected = folder.load().unwrap().with_truncate(Some(expected));
        assert_eq!(found, embed(&expected, &prompts), "{side:?}");
    }
}

/// An odd number of words: the beginning has the one more.
#[test]
fn the_middle_of_an_odd_window() {
    let folder = folder();
    folder.set("sentence_bert_config.json", "max_seq_length", json!(5));
    let embedder = folder.load().unwrap().with_truncate(Some(Truncate::Middle));
    let values = embed(&embedder, &[PROMPT, "a b i"].map(str::to_owned)).values;
    let difference = max_difference(values.slice(s![..1, ..]), values.slice(s![1.., ..]));
    assert!(difference < SAME, "{difference}");
}
