//! A look at a line that is no JSON, for what Python writes and for a message that says where it is wrong.

use crate::table::Kinds;

/// What a line holds that JSON does not allow.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Oddities {
    /// The line with null for every NaN, and for every infinity of a column that nobody wants.
    pub(super) patched: Option<Vec<u8>>,
    /// The first other infinity: its key, and how it is written.
    pub(super) infinity: Option<(String, &'static str)>,
    /// The first half of a surrogate pair without its other half: its key, and the escape.
    pub(super) half_character: Option<(String, String)>,
}

/// Words that Python's json module writes and reads, the longer ones first.
const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

impl Oddities {
    pub(super) fn of(line: &[u8], kinds: Kinds<'_>) -> Self {
        let mut this = Self::default();
        let mut patched = Vec::with_capacity(line.len());
        let mut scan = Scan::new(line);
        let mut copied = 0;
        while let Some(at) = scan.step() {
            let Some(word) = WORDS
                .into_iter()
                .find(|word| line[at..].starts_with(word.as_bytes()))
            else {
                continue;
            };
            if word != "NaN" && this.infinity.is_none() && kinds(&scan.key).is_some() {
                this.infinity = Some((scan.key.clone(), word));
            }
            patched.extend_from_slice(&line[copied..at]);
            patched.extend_from_slice(b"null");
            copied = at + word.len();
            scan.at = copied;
        }
        if copied > 0 {
            patched.extend_from_slice(&line[copied..]);
            this.patched = Some(patched);
        }
        this.half_character = scan.half_character;
        this
    }
}

/// The key whose value holds the byte in this column, from 1.
pub(super) fn key_at(line: &[u8], column: usize) -> Option<String> {
    let mut scan = Scan::new(&line[..column.min(line.len())]);
    while scan.step().is_some() {}
    (!scan.key.is_empty()).then_some(scan.key)
}

/// Goes over a line from one byte outside of strings to the next.
struct Scan<'a> {
    line: &'a [u8],
    at: usize,
    /// The last string, and the last of those that a colon follows.
    string: String,
    key: String,
    half_character: Option<(String, String)>,
}

impl<'a> Scan<'a> {
    fn new(line: &'a [u8]) -> Self {
        Self {
            line,
            at: 0,
            string: String::new(),
            key: String::new(),
            half_character: None,
        }
    }

    /// The next byte that is in no string; none at the end.
    fn step(&mut self) -> Option<usize> {
        let at = self.at;
        match self.line.get(at)? {
            b'"' => self.pass_string(),
            b':' => {
                self.key = std::mem::take(&mut self.string);
                self.at += 1;
            }
            _ => self.at += 1,
        }
        Some(at)
    }

    fn pass_string(&mut self) {
        let start = self.at + 1;
        let mut end = start;
        while let Some(&byte) = self.line.get(end) {
            match byte {
                b'"' => break,
                b'\\' => end += self.pass_escape(end),
                _ => end += 1,
            }
        }
        let end = end.min(self.line.len());
        self.string = String::from_utf8_lossy(&self.line[start.min(end)..end]).into_owned();
        self.at = end + 1;
    }

    /// How many bytes an escape takes, a surrogate pair both of its halves.
    fn pass_escape(&mut self, at: usize) -> usize {
        const LEN: usize = 6;
        match (self.surrogate(at), self.surrogate(at + LEN)) {
            (None, _) => 2,
            (Some(Half::Leading), Some(Half::Trailing)) => 2 * LEN,
            (Some(_), _) => {
                let escape = String::from_utf8_lossy(&self.line[at..at + LEN]).into_owned();
                let key = self.key.clone();
                self.half_character.get_or_insert((key, escape));
                LEN
            }
        }
    }

    fn surrogate(&self, at: usize) -> Option<Half> {
        let digits = self.line.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let code = u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
        match code {
            0xd800..0xdc00 => Some(Half::Leading),
            0xdc00..0xe000 => Some(Half::Trailing),
            _ => None,
        }
    }
}

enum Half {
    Leading,
    Trailing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn what_json_lacks_is_found_with_its_key() {
        let kinds = |name: &str| (name != "other").then_some(Kind::Number);
        let of = |line: &str| Oddities::of(line.as_bytes(), &kinds);
        let patched = |line| {
            of(line)
                .patched
                .map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
        };
        for (line, expected) in [
            (
                r#"{"a": NaN, "b": "NaN"}"#,
                Some(r#"{"a": null, "b": "NaN"}"#),
            ),
            (
                r#"{"a": "\"NaN", "b":NaN}"#,
                Some(r#"{"a": "\"NaN", "b":null}"#),
            ),
            (r#"{"other": -Infinity}"#, Some(r#"{"other": null}"#)),
            (r#"{"a": 1}"#, None),
            (r#"{"a"#, None),
            (r#"{"a": "\"#, None),
        ] {
            assert_eq!(patched(line).as_deref(), expected, "{line}");
            assert_eq!(of(line).infinity, None, "{line}");
        }
        let infinity = of(r#"{"a": NaN, "b": -Infinity, "c": Infinity}"#).infinity;
        assert_eq!(infinity, Some(("b".to_owned(), "-Infinity")));
        for (line, expected) in [
            (r#"{"a": "\ud83d"}"#, Some(r"\ud83d")),
            (r#"{"a": "x\ud83d\n"}"#, Some(r"\ud83d")),
            (r#"{"a": "\uDE00 y"}"#, Some(r"\uDE00")),
            (r#"{"a": "\ud83d\ude00"}"#, None),
            (r#"{"a": "\\ud83d"}"#, None),
            (r#"{"a": "\u00e9"}"#, None),
        ] {
            let expected = expected.map(|escape| ("a".to_owned(), escape.to_owned()));
            assert_eq!(of(line).half_character, expected, "{line}");
        }
    }

    #[test]
    fn the_key_of_a_place_is_found() {
        let line = br#"{"id": 1, "a": {"b": x}, "c": 2}"#;
        assert_eq!(key_at(line, 8).as_deref(), Some("id"));
        assert_eq!(key_at(line, 22).as_deref(), Some("b"));
        assert_eq!(key_at(line, 1), None);
        assert_eq!(key_at(line, 900).as_deref(), Some("c"));
    }
}
