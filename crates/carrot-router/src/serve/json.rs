//! JSON texts that are changed in place. What a client sent goes on byte for byte but for the members that are edited: parsing and writing
//! it again would lose the order of keys, digits of numbers, and duplicate keys that someone may rely on.

use std::{borrow::Cow, fmt, ops::Range};

/// As deep as serde_json goes.
const MAX_DEPTH: usize = 128;

/// The members of a JSON object at its top level, by where they lie in the text. That all of the text is JSON has been checked.
#[derive(Debug, Clone)]
pub(crate) struct Object<'a> {
    text: &'a str,
    members: Vec<Member>,
    /// Where the closing brace is.
    end: usize,
}

#[derive(Debug, Clone)]
struct Member {
    /// With its quotes.
    key: Range<usize>,
    value: Range<usize>,
}

/// A text that is not a JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadJson {
    /// What was expected.
    expected: &'static str,
    /// In bytes from the beginning.
    at: usize,
}

/// A change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    /// What is replaced.
    pub(crate) at: Range<usize>,
    /// What stands there then.
    pub(crate) with: String,
}

impl fmt::Display for BadJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}", self.expected, self.at)
    }
}

impl<'a> Object<'a> {
    /// Finds the members of an object, and checks every byte of the text on the way.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, BadJson> {
        let text = std::str::from_utf8(bytes).map_err(|error| BadJson {
            expected: "UTF-8",
            at: error.valid_up_to(),
        })?;
        Self::of(text)
    }

    /// The same for a text.
    pub(crate) fn of(text: &'a str) -> Result<Self, BadJson> {
        let mut scanner = Scanner {
            bytes: text.as_bytes(),
            at: 0,
        };
        scanner.space();
        if scanner.peek() != Some(b'{') {
            return scanner.expected("a JSON object");
        }
        let mut members = Vec::new();
        scanner.object(0, |key, value| members.push(Member { key, value }))?;
        let end = scanner.at - 1;
        scanner.space();
        if scanner.at < text.len() {
            return scanner.expected("nothing after the JSON object");
        }
        Ok(Self { text, members, end })
    }

    /// Where the value of a key lies; of a key that is there twice, the last one's.
    pub(crate) fn span(&self, key: &str) -> Option<Range<usize>> {
        let idx = self.idx(key)?;
        Some(self.members[idx].value.clone())
    }

    /// A key's value as it is written; of a key that is there twice, the last one's.
    pub(crate) fn raw(&self, key: &str) -> Option<&'a str> {
        self.span(key).map(|at| &self.text[at])
    }

    /// A key's value, where it is a string that can be decoded.
    pub(crate) fn string(&self, key: &str) -> Option<Cow<'a, str>> {
        decoded(self.raw(key)?)
    }

    /// A key's value, where it is an object.
    pub(crate) fn object(&self, key: &str) -> Option<Object<'a>> {
        Object::of(self.raw(key)?).ok()
    }

    /// Whether a key has a value other than null.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.raw(key).is_some_and(|raw| raw != "null")
    }

    /// A key that is there more than once, of some.
    pub(crate) fn twice<'k>(&self, keys: &[&'k str]) -> Option<&'k str> {
        let n_times = |key: &str| self.members.iter().filter(|it| self.is(it, key)).count();
        keys.iter().copied().find(|key| n_times(key) > 1)
    }

    /// The edit that removes a member with its comma.
    pub(crate) fn removal(&self, key: &str) -> Option<Edit> {
        let idx = self.idx(key)?;
        let member = &self.members[idx];
        let at = match (self.members.get(idx + 1), idx.checked_sub(1)) {
            (Some(next), _) => member.key.start..next.key.start,
            (None, Some(previous)) => self.members[previous].value.end..member.value.end,
            (None, None) => member.key.start..member.value.end,
        };
        Some(Edit {
            at,
            with: String::new(),
        })
    }

    /// The edit that adds a member, whose value is JSON, at the end.
    pub(crate) fn addition(&self, key: &str, value: &str) -> Edit {
        let (at, comma) = match self.members.last() {
            Some(last) => (last.value.end, ","),
            None => (self.end, ""),
        };
        Edit {
            at: at..at,
            with: format!("{comma}{}:{value}", quoted(key)),
        }
    }

    fn idx(&self, key: &str) -> Option<usize> {
        self.members.iter().rposition(|member| self.is(member, key))
    }

    fn is(&self, member: &Member, key: &str) -> bool {
        let raw = &self.text[member.key.clone()];
        match raw.contains('\\') {
            false => &raw[1..raw.len() - 1] == key,
            true => decoded(raw).is_some_and(|decoded| decoded == key),
        }
    }
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text can be written as JSON")
}

/// The text with edits, none of which overlap.
pub(crate) fn edited(text: &[u8], mut edits: Vec<Edit>) -> Vec<u8> {
    edits.sort_by_key(|edit| edit.at.start);
    let n_added: usize = edits.iter().map(|edit| edit.with.len()).sum();
    let mut new = Vec::with_capacity(text.len() + n_added);
    let mut from = 0;
    for Edit { at, with } in edits {
        new.extend_from_slice(&text[from..at.start]);
        new.extend_from_slice(with.as_bytes());
        from = at.end;
    }
    new.extend_from_slice(&text[from..]);
    new
}

/// What a JSON string says; `None` for other values, and for half a surrogate pair.
fn decoded(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    match inner.contains('\\') {
        false => Some(Cow::Borrowed(inner)),
        true => serde_json::from_str::<String>(raw).ok().map(Cow::Owned),
    }
}

/// The elements of a JSON array, as they are written; none for another value.
pub(crate) fn elements(raw: &str) -> Vec<&str> {
    let mut scanner = Scanner {
        bytes: raw.as_bytes(),
        at: 0,
    };
    let mut found = Vec::new();
    match scanner.peek() {
        Some(b'[') => match scanner.array(0, |at| found.push(&raw[at])) {
            Ok(()) => found,
            Err(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Reads JSON by RFC 8259 and keeps nothing but the places.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expected<T>(&self, expected: &'static str) -> Result<T, BadJson> {
        Err(BadJson {
            expected,
            at: self.at,
        })
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), BadJson> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object(depth, |_, _| ()),
            Some(b'[') => self.array(depth, |_| ()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.expected("a JSON value"),
        }
    }

    fn object(
        &mut self,
        depth: usize,
        mut on_member: impl FnMut(Range<usize>, Range<usize>),
    ) -> Result<(), BadJson> {
        self.deeper(depth)?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.at;
            if self.peek() != Some(b'"') {
                return self.expected("a key in quotes");
            }
            self.string()?;
            let key = key..self.at;
            self.space();
            if self.peek() != Some(b':') {
                return self.expected("`:`");
            }
            self.at += 1;
            self.space();
            let value = self.at;
            self.value(depth + 1)?;
            on_member(key, value..self.at);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.expected("`,` or `}`"),
            }
            self.space();
        }
    }

    fn array(
        &mut self,
        depth: usize,
        mut on_element: impl FnMut(Range<usize>),
    ) -> Result<(), BadJson> {
        self.deeper(depth)?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let value = self.at;
            self.value(depth + 1)?;
            on_element(value..self.at);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.expected("`,` or `]`"),
            }
            self.space();
        }
    }

    /// Past the opening bracket.
    fn deeper(&mut self, depth: usize) -> Result<(), BadJson> {
        if depth >= MAX_DEPTH {
            return self.expected("at most 128 levels");
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn string(&mut self) -> Result<(), BadJson> {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                            self.at += 1;
                        }
                        Some(b'u') => {
                            let digits = self.bytes.get(self.at + 1..self.at + 5);
                            if !digits.is_some_and(|all| all.iter().all(u8::is_ascii_hexdigit)) {
                                return self.expected("four hexadecimal digits");
                            }
                            self.at += 5;
                        }
                        _ => return self.expected("an escape"),
                    }
                }
                Some(0..0x20) => return self.expected("no control character in a string"),
                Some(_) => self.at += 1,
                None => return self.expected("the end of a string"),
            }
        }
    }

    fn number(&mut self) -> Result<(), BadJson> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), BadJson> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        match self.at > from {
            true => Ok(()),
            false => self.expected("a digit"),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), BadJson> {
        match self.bytes[self.at..].starts_with(word) {
            true => {
                self.at += word.len();
                Ok(())
            }
            false => self.expected("a JSON value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use test_support::{mutated, n_mutations};

    use super::*;

    #[test]
    fn members_are_found_and_edited_in_place() {
        let text = br#" { "a" : 1.50e+3 , "model":"x","b":[{"model":2}],"carrot":{"mu":0.1} }"#;
        let object = Object::parse(text).expect("an object");
        assert_eq!(object.raw("a"), Some("1.50e+3"));
        assert_eq!(object.string("model").as_deref(), Some("x"));
        assert_eq!(object.raw("none"), None);
        let model = Edit {
            at: object.span("model").expect("it is there"),
            with: quoted("y\"z"),
        };
        let carrot = object.removal("carrot").expect("it is there");
        let new = edited(text, vec![carrot, model]);
        let expected: &[u8] = br#" { "a" : 1.50e+3 , "model":"y\"z","b":[{"model":2}] }"#;
        assert_eq!(new, expected, "{}", String::from_utf8_lossy(&new));
        let added = edited(text, vec![object.addition("m", "{}")]);
        assert!(added.ends_with(br#""carrot":{"mu":0.1},"m":{} }"#));
    }

    #[test]
    fn a_member_is_removed_with_its_comma_wherever_it_stands() {
        for (text, expected) in [
            (r#"{"carrot":1}"#, "{}"),
            (r#"{"carrot":1, "b":2}"#, r#"{"b":2}"#),
            (r#"{"a":0, "carrot":1 ,"b":2}"#, r#"{"a":0, "b":2}"#),
            (r#"{"a":0 , "carrot":1}"#, r#"{"a":0}"#),
            (r#"{"c\u0061rrot":1,"a":0}"#, r#"{"a":0}"#),
        ] {
            let object = Object::of(text).expect("an object");
            let edit = object.removal("carrot").expect("it is there");
            let new = edited(text.as_bytes(), vec![edit]);
            assert_eq!(String::from_utf8_lossy(&new), expected);
        }
        let empty = Object::of("{ }").expect("an object");
        assert_eq!(
            edited(b"{ }", vec![empty.addition("a", "1")]),
            br#"{ "a":1}"#
        );
    }

    #[test]
    fn a_key_that_is_there_twice_is_found() {
        let object = Object::of(r#"{"model":"a","x":1,"x":2,"mod\u0065l":"b"}"#).expect("read");
        assert_eq!(object.twice(&["y", "model"]), Some("model"));
        assert_eq!(object.twice(&["y"]), None);
        assert_eq!(object.string("model").as_deref(), Some("b"));
    }

    #[test]
    fn elements_of_an_array() {
        assert_eq!(
            elements(r#"[1, {"a":[2]},"]"]"#),
            ["1", r#"{"a":[2]}"#, r#""]""#]
        );
        assert!(
            elements("{}").is_empty() && elements("[]").is_empty() && elements("[1").is_empty()
        );
    }

    /// serde_json is the judge. It takes numbers beyond f64 for an error, which are JSON all the same.
    #[test]
    fn what_is_json_is_what_serde_json_takes() {
        let whole = br#"{"model":"carrot","n":-0.5e-3,"t":true,"messages":[{"role":"user","content":"a\u00e9\n\"\\ \ud83d\ude00"}],"z":null}"#;
        let mut n_good = 0;
        for number in 0..20 * n_mutations() as u64 {
            let bytes = mutated(whole, number);
            let ours = Object::parse(&bytes);
            match serde_json::from_slice::<Value>(&bytes) {
                Ok(Value::Object(value)) => {
                    n_good += 1;
                    let object = ours.unwrap_or_else(|error| panic!("mutation {number}: {error}"));
                    for key in value.keys() {
                        let raw = object.raw(key).expect("the same keys");
                        let found: Value = serde_json::from_str(raw).expect("a value");
                        assert_eq!(found, value[key], "mutation {number}");
                    }
                }
                Ok(_) => assert!(ours.is_err(), "mutation {number}"),
                Err(error) => {
                    let of_number = error.to_string().contains("number out of range");
                    let of_surrogate = error.to_string().contains("surrogate")
                        || error.to_string().contains("hex escape");
                    assert!(
                        ours.is_err() || of_number || of_surrogate,
                        "mutation {number}: {error}"
                    );
                }
            }
        }
        assert!(n_good > 100, "{n_good}");
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(127), "]".repeat(127));
        assert!(Object::of(&deep).is_ok());
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Object::of(&deep).is_err());
    }
}
