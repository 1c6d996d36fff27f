//! What others wrote, such as prompts, names and answers of servers, on a terminal that obeys control sequences.

use std::{borrow::Cow, fmt::Write as _};

use tracing::field::Field;
use tracing_subscriber::fmt::format::Writer;

/// A text in which control characters are shown rather than obeyed: `\u{1b}` for an escape. Line breaks and tabs stay.
///
/// Characters that turn the direction of writing are shown too, since with them a name can look like another one.
///
/// ```
/// assert_eq!(cli_support::escaped("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\n");
/// ```
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_obeyed(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown.into()
}

/// JSON with the same characters in JSON's own way of writing them: it means the same, and moves no cursor.
pub(crate) fn escaped_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_obeyed) {
        return json.into();
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_obeyed(c) {
            // All of them are below 2^16, so none needs a pair.
            write!(shown, "\\u{:04x}", u32::from(c)).expect("a string grows as needed");
        } else {
            shown.push(c);
        }
    }
    shown.into()
}

/// Writes a field of a log line: the message as it is, others after their name.
pub(crate) fn write_field(
    writer: &mut Writer<'_>,
    field: &Field,
    value: &dyn std::fmt::Debug,
) -> std::fmt::Result {
    let value = format!("{value:?}");
    let value = escaped(&value);
    match field.name() {
        "message" => write!(writer, "{value}"),
        // Where in its sources another library logs.
        name if name.starts_with("log.") => Ok(()),
        name => write!(writer, "{}={value}", name.trim_start_matches("r#")),
    }
}

fn is_obeyed(c: char) -> bool {
    (c.is_control() && !"\n\t".contains(c))
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_terminal_obeys_is_escaped() {
        for (text, expected) in [
            (
                "plain\n\ttext, é, 模型, \u{1f600}\n",
                "plain\n\ttext, é, 模型, \u{1f600}\n",
            ),
            ("\u{1b}]0;title\u{7}", r"\u{1b}]0;title\u{7}"),
            ("a\rb\u{8}\0", r"a\u{d}b\u{8}\u{0}"),
            ("\u{9b}31m\u{7f}", r"\u{9b}31m\u{7f}"),
            ("\u{202e}abc", r"\u{202e}abc"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn json_means_the_same() {
        let value = "\u{1b}[2J\u{9b}\u{7f}\u{202e}\r\n é";
        let json = serde_json::to_string(value).expect("a string");
        let shown = escaped_json(&json);
        assert!(!shown.contains(is_obeyed), "{shown:?}");
        assert_eq!(serde_json::from_str::<String>(&shown).expect("JSON"), value);
    }
}
