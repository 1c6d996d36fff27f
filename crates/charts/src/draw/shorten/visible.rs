//! What can be seen of a name.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// A name in which nothing passes unseen, but for what shapes the letters around it: control characters, marks that turn the direction of
/// writing, and spaces that look like others or like none are spelled out, as `\u{202e}`.
pub(super) fn visible(name: &str) -> String {
    spelled(name, |c| is_hidden(c) && !is_joining(c))
}

/// A name in which nothing at all passes unseen: joiners and combining marks are spelled out too, since `e` with an accent on it looks like
/// `é`.
pub(super) fn spelled_out(name: &str) -> String {
    spelled(name, |c| is_hidden(c) || is_combining_mark(c))
}

/// What a reader sees of a text: texts with the same look cannot be told apart.
pub(super) fn looks(text: &str) -> String {
    text.nfc().filter(|&c| !is_hidden(c)).collect()
}

fn spelled(name: &str, is_spelled: impl Fn(char) -> bool) -> String {
    let mut text = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    let mut after_space = true;
    while let Some(c) = chars.next() {
        // Spaces at the ends cannot be seen, and viewers make one of several.
        let is_lost = c == ' ' && (after_space || chars.peek().is_none());
        after_space = c == ' ';
        if is_lost || is_spelled(c) {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    text
}

/// Joiners and selectors of variants, without which some scripts and emoji are misspelled.
fn is_joining(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Whether a character has no ink of its own, or is a space other than the usual one: control characters, what Unicode calls
/// `White_Space`, `Default_Ignorable_Code_Point` and the annotations of U+FFF9, and what is no character.
fn is_hidden(c: char) -> bool {
    (c != ' ' && c.is_whitespace())
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelled_out() {
        for (name, expected, in_full) in [
            ("gpt 4", "gpt 4", "gpt 4"),
            (
                " a  b ",
                "\\u{20}a \\u{20}b\\u{20}",
                "\\u{20}a \\u{20}b\\u{20}",
            ),
            ("a\u{0}b\n", "a\\u{0}b\\u{a}", "a\\u{0}b\\u{a}"),
            (
                "x\u{202e}y\u{a0}z",
                "x\\u{202e}y\\u{a0}z",
                "x\\u{202e}y\\u{a0}z",
            ),
            ("\u{2764}\u{fe0f}", "\u{2764}\u{fe0f}", "\u{2764}\\u{fe0f}"),
            ("e\u{301}\u{200d}", "e\u{301}\u{200d}", "e\\u{301}\\u{200d}"),
        ] {
            assert_eq!(visible(name), expected, "{name:?}");
            assert_eq!(spelled_out(name), in_full, "{name:?}");
        }
        assert_eq!(looks("e\u{301}\u{200d}"), looks("\u{e9}"));
    }
}
