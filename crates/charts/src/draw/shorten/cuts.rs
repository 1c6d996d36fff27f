//! Ways to cut long names.

use super::are_apart;

/// What stands for the characters left out.
const ELLIPSIS: char = '\u{2026}';

/// A name without its middle where it has more than `max_chars` characters; `max_chars` is at least 1.
#[must_use]
pub fn shortened_to(name: &str, max_chars: usize) -> String {
    cut(name, max_chars, n_head(max_chars))
}

/// Characters before the one that stands for the middle.
fn n_head(max_chars: usize) -> usize {
    max_chars - 1 - (max_chars - 1) / 2
}

/// A name that is longer than `max_chars` with its first `n_head` and its last characters.
fn cut(name: &str, max_chars: usize, n_head: usize) -> String {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= max_chars {
        return name.to_owned();
    }
    let n_tail = max_chars - 1 - n_head;
    let (head, tail) = (&chars[..n_head], &chars[chars.len() - n_tail..]);
    head.iter().chain(&[ELLIPSIS]).chain(tail).collect()
}

/// Names cut at the same place, the nearest to the middle at which they look different; at best so that the words in which they differ
/// are whole.
pub(super) fn cut_apart(names: &[String], max_chars: usize) -> Option<Vec<String>> {
    let middle = n_head(max_chars);
    let mut places: Vec<usize> = (0..max_chars).collect();
    places.sort_by_key(|place| place.abs_diff(middle));
    let cut_at = |place: usize| -> Vec<String> {
        let cut = |name: &String| cut(name, max_chars, place);
        names.iter().map(cut).collect()
    };
    let whole_words_differ = |cut: &[String]| {
        let whole: Vec<String> = cut.iter().map(|name| whole_words(name)).collect();
        are_apart(&whole)
    };
    let mut best = None;
    for place in places {
        let cut = cut_at(place);
        if whole_words_differ(&cut) {
            return Some(cut);
        }
        if best.is_none() && are_apart(&cut) {
            best = Some(cut);
        }
    }
    best
}

/// A shortened name without the words that the cut goes through.
fn whole_words(name: &str) -> String {
    let Some((head, tail)) = name.split_once(ELLIPSIS) else {
        return name.to_owned();
    };
    let head = head.rfind(is_joint).map_or("", |end| &head[..=end]);
    let tail = tail.find(is_joint).map_or("", |start| &tail[start..]);
    format!("{head}{ELLIPSIS}{tail}")
}

/// Whether a character separates the words of a name.
fn is_joint(c: char) -> bool {
    c.is_ascii_punctuation() || c == ' '
}

/// Names as their beginning, a window from where they begin to differ, and their end.
pub(super) fn in_windows(names: &[String], max_chars: usize) -> Option<Vec<String>> {
    let chars: Vec<Vec<char>> = names.iter().map(|name| name.chars().collect()).collect();
    let first = chars.first()?;
    let n_common = (0..first.len())
        .find(|&i| chars.iter().any(|name| name.get(i) != first.get(i)))
        .unwrap_or(first.len());
    // Beginning and end are a quarter each, and the window has the rest.
    let n_end = max_chars / 4;
    let n_window = max_chars.checked_sub(2 * n_end + 2).filter(|&n| n > 0)?;
    let from = n_common.saturating_sub(n_window / 4);
    let window = |name: &Vec<char>| -> String {
        let mut text = String::new();
        let mut last = None;
        let is_shown =
            |i: usize| i < n_end || (from..from + n_window).contains(&i) || i + n_end >= name.len();
        for i in (0..name.len()).filter(|&i| is_shown(i)) {
            if last.is_some_and(|last: usize| last + 1 != i) {
                text.push(ELLIPSIS);
            }
            text.push(name[i]);
            last = Some(i);
        }
        text
    };
    let windows: Vec<String> = chars.iter().map(window).collect();
    are_apart(&windows).then_some(windows)
}
