//! The text of a `.env`.
//!
//! dotenvy reads the lines. Its own error would not do for a message: `LineParse` shows the whole line, and with it the value, and has a position
//! within the line but not the line's number.

/// What a file holds.
#[derive(Debug)]
pub(super) struct Decoded {
    /// With its malformed lines left empty.
    pub(super) text: String,
    /// Their numbers, from 1.
    pub(super) malformed: Vec<usize>,
    /// What is odd about the file, if it is.
    pub(super) oddity: Option<&'static str>,
}

/// Where a line leaves off, by dotenvy's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is open: an entry may end here.
    Closed,
    Space,
    Escape,
    /// Within quotes of this kind.
    Open(char),
    OpenEscape(char),
    Comment,
}

/// Reads the bytes as text, in UTF-8 or in the UTF-16 of Windows' editors and shells, and finds its malformed lines. Time is linear in the length.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let (text, oddity) = match bytes {
        [0xff, 0xfe, rest @ ..] => (utf16(rest, u16::from_le_bytes), Some(UTF_16)),
        [0xfe, 0xff, rest @ ..] => (utf16(rest, u16::from_be_bytes), Some(UTF_16)),
        // Editors on Windows begin a file with a byte order mark.
        [0xef, 0xbb, 0xbf, rest @ ..] => (String::from_utf8_lossy(rest).into_owned(), None),
        _ => (String::from_utf8_lossy(bytes).into_owned(), None),
    };
    // Left alone, the line break of old editors would put the next line, perhaps a key, into an address.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (text, malformed) = without_malformed(&text);
    Decoded {
        text,
        malformed,
        oddity,
    }
}

const UTF_16: &str = "is in UTF-16, which other programs do not read: save it as UTF-8";

/// The names that a text without malformed lines sets, in its order.
pub(super) fn names(text: &str) -> impl Iterator<Item = String> {
    dotenvy::from_read_iter(text.as_bytes())
        .filter_map(Result::ok)
        .map(|(name, _)| name)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (units, rest) = bytes.as_chunks::<2>();
    let units = units.iter().map(|bytes| unit(*bytes));
    let mut text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

/// The text with its malformed lines left empty, and their numbers from 1.
///
/// A quoted value may run over lines. It ends at the first line behind which nothing is open, so each entry is parsed once. Looking for that line
/// takes linear time in all: from two lines the search can be under way at the same place only if one of them is within single and
/// the other within double quotes.
fn without_malformed(text: &str) -> (String, Vec<usize>) {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut malformed = Vec::new();
    let mut start = 0;
    while start < lines.len() {
        match entry_end(&lines, start).filter(|&end| is_well_formed(&lines[start..end])) {
            Some(end) => start = end,
            None => {
                lines[start] = "";
                start += 1;
                malformed.push(start);
            }
        }
    }
    (lines.join("\n") + "\n", malformed)
}

/// Behind the last line of the entry that begins at line `start`, if it ends at all.
fn entry_end(lines: &[&str], start: usize) -> Option<usize> {
    if lines[start].trim_start().starts_with('#') {
        return Some(start + 1);
    }
    let mut state = State::Closed;
    for (line, idx) in lines[start..].iter().zip(start..) {
        state = line.chars().fold(state, State::after);
        // The line's end is a character like others.
        state = state.after('\n');
        if matches!(state, State::Closed) {
            return Some(idx + 1);
        }
    }
    None
}

impl State {
    fn after(self, character: char) -> Self {
        match (self, character) {
            (Self::Comment, '\n') | (Self::Escape, _) => Self::Closed,
            (Self::Comment, _) | (Self::Space, '#') => Self::Comment,
            (Self::Closed | Self::Space, '\\') => Self::Escape,
            (Self::Closed | Self::Space, '"' | '\'') => Self::Open(character),
            (Self::Closed, c) if c.is_whitespace() && c != '\n' && c != '\r' => Self::Space,
            (Self::Closed | Self::Space, _) => Self::Closed,
            (Self::Open(quote), '\\') => Self::OpenEscape(quote),
            (Self::Open(quote), c) if c == quote => Self::Closed,
            (Self::Open(quote) | Self::OpenEscape(quote), _) => Self::Open(quote),
        }
    }
}

fn is_well_formed(lines: &[&str]) -> bool {
    // With the line's end: without it dotenvy takes a space at the end for the beginning of something.
    let text = format!("{}\n", lines.join("\n"));
    // The environment panics on a value with a NUL, and a character that could not be decoded would be another one in the value.
    let is_usable = |value: &str| !value.contains(['\0', char::REPLACEMENT_CHARACTER]);
    dotenvy::from_read_iter(text.as_bytes())
        .all(|var| var.is_ok_and(|(name, value)| is_usable(&name) && is_usable(&value)))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn check(bytes: &[u8], expected_lines: &[usize], expected_vars: &[&str]) -> Decoded {
        let decoded = decode(bytes);
        let vars: Vec<String> = dotenvy::from_read_iter(decoded.text.as_bytes())
            .map(|var| var.map(|(name, value)| format!("{name}={value}")))
            .collect::<Result<_, _>>()
            .expect("no malformed line is left");
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(decoded.malformed, expected_lines, "{text:?}");
        assert_eq!(vars, expected_vars, "{text:?}");
        decoded
    }

    #[test]
    fn malformed_lines_are_found_and_left_out() {
        for (text, lines, vars) in [
            ("", &[][..], &[][..]),
            ("A=1\n# note\n\nB='2 3'\n", &[], &["A=1", "B=2 3"]),
            ("A=1\nno assignment\nB=2", &[2], &["A=1", "B=2"]),
            ("bad 1\nA=1\nbad 2\n", &[1, 3], &["A=1"]),
            ("A=\"1\n2\"\nbad\nB=3", &[3], &["A=1\n2", "B=3"]),
            ("A=\"open\nB=2\nC=3\n", &[1], &["B=2", "C=3"]),
            ("export A=1\r\nB = 2\r\n", &[], &["A=1", "B=2"]),
            ("A=un quoted\nB=2\n", &[1], &["B=2"]),
            ("A=1 \nbad\nB=2 ", &[2], &["A=1", "B=2"]),
            ("A=1\0\nB='\0'\n\0\nC=3\n", &[1, 2, 3], &["C=3"]),
            ("\u{feff}A=1\nB=2\n", &[], &["A=1", "B=2"]),
            ("\u{feff}A=1\r\nB=2\r\n", &[], &["A=1", "B=2"]),
            ("\u{1}\u{7f}=é\n=\n'\nA=1", &[1, 2, 3], &["A=1"]),
            (
                "A=1 # it's\nB='#' # \"\nC=a#'b'\n",
                &[],
                &["A=1", "B=#", "C=a#b"],
            ),
            ("A=1\rB='2 3'\rbad\rC=4", &[3], &["A=1", "B=2 3", "C=4"]),
            ("B=a\\ b\nD=4\n", &[], &["B=a b", "D=4"]),
            // A file that was padded with NULs after a power cut.
            ("A=1\nB=2\n\0\0\0\0\0\0", &[3], &["A=1", "B=2"]),
        ] {
            let decoded = check(text.as_bytes(), lines, vars);
            assert_eq!(decoded.oddity, None);
        }
    }

    #[test]
    fn other_encodings_are_read_or_named_by_line() {
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        let text = "\u{feff}A=1\r\nB='é🦀'\r\n";
        for bytes in [utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes)] {
            let decoded = check(&bytes, &[], &["A=1", "B=é🦀"]);
            assert!(
                decoded
                    .oddity
                    .is_some_and(|oddity| oddity.contains("UTF-16"))
            );
            check(&[&bytes[..], b"x"].concat(), &[3], &["A=1", "B=é🦀"]);
        }
        // Latin-1: harmless in a comment.
        check(b"# caf\xe9\nA=caf\xe9\nB=2\n", &[2], &["B=2"]);
    }

    /// All the shapes in which quotes can stay open, and what once took minutes.
    #[test]
    fn many_open_quotes_take_linear_time() {
        let begun = Instant::now();
        for line in [
            "A=\"x",
            "A='x",
            "A=\"it's",
            "A='\"'\"",
            "'\"",
            "\"\\\"'",
            "A=\\",
            "A=\"\\",
            "\"'\"'\"",
            "A=\"b c\" \"",
        ] {
            for last in ["", "'", "\""] {
                let text = format!("{line}\n").repeat(20_000) + last;
                _ = decode(text.as_bytes());
                let text = format!("B='\n{line}\n").repeat(10_000) + last;
                _ = decode(text.as_bytes());
            }
        }
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(20), "{took:?}");
    }

    #[test]
    fn mutations_of_env_files_do_not_panic() {
        let files = [
            b"A=1\n# note\nexport B='2 3' # c\nC=\"x\n${A} \\\"y\"\n".to_vec(),
            b"\xef\xbb\xbfOPENAI_API_KEY=sk-1\r\nOPENAI_BASE_URL=http://h/v1\r\n".to_vec(),
            "\u{feff}A=1\r\nB='2'\r\n"
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
        ];
        test_support::try_mutations(&files, |bytes| {
            let decoded = decode(&bytes);
            let all = dotenvy::from_read_iter(decoded.text.as_bytes());
            for var in all {
                let (name, value) = var.expect("no malformed line is left");
                let is_settable =
                    !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0');
                assert!(is_settable, "{name:?}");
            }
        });
    }
}
