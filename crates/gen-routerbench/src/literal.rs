use std::fmt;

/// Why a text is not a list of strings, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The character, from 1.
    at: usize,
    what: &'static str,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {}", self.what, self.at)
    }
}

/// The strings of a Python list literal, as `ast.literal_eval` reads them: `['It\'s', "one\n"]`.
///
/// Either quote, all escapes, adjacent strings, which are one, and a comma at the end.
///
/// # Deviations
/// What `str(list)` never writes is refused rather than guessed at: prefixes (`r''`, `b''`, `u''`, `f''`), triple quotes, characters by
/// their names (`\N{...}`), and comments. So are a list of nothing, anything but strings in it, and half a surrogate pair, which a
/// Python string can hold and a text cannot.
pub(crate) fn strings(text: &str) -> Result<Vec<String>, Refusal> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_space();
    reader.expect('[', "no `[`")?;
    let mut strings = Vec::new();
    loop {
        reader.skip_space();
        if !strings.is_empty() && reader.take(']') {
            break;
        }
        strings.push(reader.element()?);
        if !reader.take(',') {
            reader.expect(']', "neither `,` nor `]`")?;
            break;
        }
    }
    reader.skip_space();
    match reader.peek() {
        None => Ok(strings),
        Some(_) => Err(reader.refusal("text after the list")),
    }
}

struct Reader<'a> {
    text: &'a str,
    /// Of the next character, in bytes.
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        Some(char)
    }

    fn take(&mut self, expected: char) -> bool {
        let is_there = self.peek() == Some(expected);
        if is_there {
            self.at += expected.len_utf8();
        }
        is_there
    }

    fn expect(&mut self, expected: char, otherwise: &'static str) -> Result<(), Refusal> {
        if self.take(expected) {
            Ok(())
        } else {
            Err(self.refusal(otherwise))
        }
    }

    fn refusal(&self, what: &'static str) -> Refusal {
        Refusal {
            at: self.text[..self.at].chars().count() + 1,
            what,
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r' | '\x0c')) {
            self.at += 1;
        }
    }

    /// One string, or several side by side; the space behind them is skipped.
    fn element(&mut self) -> Result<String, Refusal> {
        let mut value = String::new();
        match self.peek() {
            Some('\'' | '"') => {}
            Some(']') => return Err(self.refusal("an empty list")),
            _ => {
                let letters = self
                    .rest()
                    .trim_start_matches(|c: char| c.is_ascii_alphabetic());
                let is_prefix =
                    letters.len() < self.rest().len() && letters.starts_with(['\'', '"']);
                let what = if is_prefix {
                    "a string with a prefix"
                } else {
                    "not a string"
                };
                return Err(self.refusal(what));
            }
        }
        while let Some(quote @ ('\'' | '"')) = self.peek() {
            self.string(quote, &mut value)?;
            self.skip_space();
        }
        Ok(value)
    }

    fn string(&mut self, quote: char, value: &mut String) -> Result<(), Refusal> {
        // Looked for first: three quotes would otherwise read as an empty string and the start of another one.
        if self.rest().chars().take(3).filter(|&c| c == quote).count() == 3 {
            return Err(self.refusal("triple quotes"));
        }
        self.at += 1;
        loop {
            let rest = self.rest();
            let n_plain = rest.find([quote, '\\', '\n', '\r']).unwrap_or(rest.len());
            value.push_str(&rest[..n_plain]);
            self.at += n_plain;
            match self.peek() {
                None => return Err(self.refusal("unterminated string")),
                Some('\\') => self.escape(value)?,
                // `str` always escapes a line break, so a bare one shows that this text was not written by it.
                Some('\n' | '\r') => return Err(self.refusal("a line break in a string")),
                Some(_) => {
                    self.at += 1;
                    return Ok(());
                }
            }
        }
    }

    /// A backslash and what belongs to it.
    fn escape(&mut self, value: &mut String) -> Result<(), Refusal> {
        let backslash = self.at;
        self.at += 1;
        let char = match self.next() {
            None => return Err(self.refusal("unterminated string")),
            // A line that goes on in the next one.
            Some('\n') => return Ok(()),
            Some('\r') => {
                self.take('\n');
                return Ok(());
            }
            Some(char @ ('\\' | '\'' | '"')) => char,
            Some('a') => '\x07',
            Some('b') => '\x08',
            Some('f') => '\x0c',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\x0b',
            Some(first @ '0'..='7') => {
                let mut code = first as u32 - '0' as u32;
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    self.at += 1;
                    code = code * 8 + digit;
                }
                char::from_u32(code).expect("three octal digits are at most U+01FF")
            }
            Some('x') => self.code_point(backslash, 2)?,
            Some('u') => self.code_point(backslash, 4)?,
            Some('U') => self.code_point(backslash, 8)?,
            Some('N') => {
                self.at = backslash;
                return Err(self.refusal("a character by its name"));
            }
            // Python keeps the backslash of an escape that it does not know.
            Some(other) => {
                value.push('\\');
                other
            }
        };
        value.push(char);
        Ok(())
    }

    /// The character with this number of hexadecimal digits; `backslash` is where its escape begins.
    fn code_point(&mut self, backslash: usize, n_digits: usize) -> Result<char, Refusal> {
        let digits = self.rest().get(..n_digits);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let found = match code {
            None => Err("an escape without its hexadecimal digits"),
            Some(code) => char::from_u32(code).ok_or("an escape that is not a character"),
        };
        found.inspect(|_| self.at += n_digits).map_err(|what| {
            self.at = backslash;
            self.refusal(what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each value is what Python 3.11's `ast.literal_eval` gives.
    #[test]
    fn lists_are_read_as_python_does() {
        for (text, expected) in [
            ("['a']", &["a"][..]),
            ("[\"it's\"]", &["it's"]),
            (r#"['say "it\'s"']"#, &["say \"it's\""]),
            ("['']", &[""]),
            (r"['one\ntwo\r\n\tthree']", &["one\ntwo\r\n\tthree"]),
            (r"['\\n is no line break']", &[r"\n is no line break"]),
            (r"['\a\b\f\v\0']", &["\x07\x08\x0c\x0b\0"]),
            (r"['\x41\xe9\u00e9\U0001f600']", &["Aéé😀"]),
            (r"['\7\101\1018\477']", &["\x07AA8\u{13f}"]),
            (r"['\d\ \%']", &[r"\d\ \%"]),
            ("['one \\\nline', 'a\\\r\nb']", &["one line", "ab"]),
            ("['a', \"b\",'c',]", &["a", "b", "c"]),
            (" [ 'a' 'b'\n\"c\" , '' 'd' ''\n, '' ]\n", &["abc", "d", ""]),
            ("['😀 naïve 北京']", &["😀 naïve 北京"]),
        ] {
            let expected: Vec<String> = expected.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(strings(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_literals_are_refused_with_the_place() {
        for (text, expected) in [
            ("", "no `[` at character 1"),
            ("Who?", "no `[` at character 1"),
            ("'a'", "no `[` at character 1"),
            ("('a',)", "no `[` at character 1"),
            ("[]", "an empty list at character 2"),
            ("[,]", "not a string at character 2"),
            ("['a',,]", "not a string at character 6"),
            ("['a' 1]", "neither `,` nor `]` at character 6"),
            ("[1]", "not a string at character 2"),
            ("[None]", "not a string at character 2"),
            ("['é', ['b']]", "not a string at character 7"),
            ("[{'a': 'b'}]", "not a string at character 2"),
            ("['a'", "neither `,` nor `]` at character 5"),
            ("['a', ", "not a string at character 7"),
            ("['a", "unterminated string at character 4"),
            ("['a\\", "unterminated string at character 5"),
            ("['a\nb']", "a line break in a string at character 4"),
            ("['a'] and more", "text after the list at character 7"),
            ("[r'a']", "a string with a prefix at character 2"),
            ("[b\"a\"]", "a string with a prefix at character 2"),
            ("[u'a']", "a string with a prefix at character 2"),
            ("['''a''']", "triple quotes at character 2"),
            (
                r"['é\x4']",
                "an escape without its hexadecimal digits at character 4",
            ),
            (
                r"['\u00']",
                "an escape without its hexadecimal digits at character 3",
            ),
            (
                r"['\x+1']",
                "an escape without its hexadecimal digits at character 3",
            ),
            (
                r"['\ud83d\ude00']",
                "an escape that is not a character at character 3",
            ),
            (
                r"['\U00110000']",
                "an escape that is not a character at character 3",
            ),
            (r"['\N{DASH}']", "a character by its name at character 3"),
        ] {
            let refusal = strings(text).map_err(|refusal| refusal.to_string());
            assert_eq!(refusal, Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn matches_python_on_what_it_writes() {
        let cases: Vec<(String, Vec<String>)> =
            serde_json::from_str(include_str!("../tests/golden/literals.json"))
                .expect("pairs of a literal and its strings");
        assert!(cases.len() > 500);
        for (text, expected) in cases {
            assert_eq!(strings(&text), Ok(expected), "{text}");
        }
    }
}
