//! Names that a user gives and that end up in paths, in column names and on screens.

use std::{borrow::Cow, fmt, path::Path, str::FromStr};

use crate::{Error, Result};

/// Leaves room for suffixes below the 255 bytes that common file systems allow.
const MAX_FOLDER_LEN: usize = 200;
const MAX_DATASET_LEN: usize = 128;
/// How much of a bad name a message shows, in characters.
const SHOWN: usize = 60;
/// What Windows takes for devices, whatever the case and whatever follows a dot.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// The name of one folder: valid on every system, and never a way out of the folder above.
///
/// ```
/// use dataset::FolderName;
/// assert!("all-MiniLM-L6-v2".parse::<FolderName>().is_ok());
/// for bad in ["..", "a/b", "a:b", "NUL", ".hidden", "end."] {
///     assert!(bad.parse::<FolderName>().is_err());
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderName(String);

/// A data set's name, which is also its folder's: a [`FolderName`] of ASCII letters, digits, `.`, `_` and `-` that begins with a letter,
/// a digit or `_`.
///
/// ```
/// use dataset::DatasetName;
/// assert!("open-llm-lb-v2".parse::<DatasetName>().is_ok());
/// assert!("../elsewhere".parse::<DatasetName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetName(FolderName);

/// A name that is not valid for a folder on every system, or would leave the folder above.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot name {what}: {why}", shown(name))]
pub struct BadName {
    /// The name.
    pub name: String,
    /// What it was to name, with an article.
    pub what: &'static str,
    /// The rule that it breaks.
    pub why: Cow<'static, str>,
}

impl FolderName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A folder's name for any text, such as a model's name on a server. Different texts have different names, and [`FolderName::decode`] gives
    /// the text back: `/` becomes `--`; what a folder's name may not hold, and a hyphen beside another or beside `/`, becomes `%` and two
    /// hexadecimal digits for each byte.
    ///
    /// ```
    /// use dataset::FolderName;
    /// assert_eq!(FolderName::encode("BAAI/bge-m3")?.as_str(), "BAAI--bge-m3");
    /// assert_eq!(FolderName::encode("nomic-embed-text:latest")?.as_str(), "nomic-embed-text%3Alatest");
    /// # Ok::<(), dataset::BadName>(())
    /// ```
    ///
    /// # Errors
    /// [`BadName`] for a text without anything that names, or with control characters, or whose name would be too long.
    pub fn encode(text: &str) -> Result<Self, BadName> {
        let bad = |why| Err(BadName::new(text, "a folder", why));
        if text
            .chars()
            .all(|c| "./\\".contains(c) || c.is_whitespace())
        {
            return bad("it has no letter, digit or other sign that names something".into());
        }
        if text.chars().any(is_forbidden_everywhere) {
            return bad("it holds control characters".into());
        }
        let chars: Vec<char> = text.chars().collect();
        let is_hyphen = |i: Option<&char>| i.is_some_and(|c| "-/".contains(*c));
        let last = chars.len() - 1;
        let mut name = String::new();
        for (i, &c) in chars.iter().enumerate() {
            let beside = i.checked_sub(1).and_then(|i| chars.get(i));
            let is_kept = match c {
                '/' => {
                    name.push_str("--");
                    continue;
                }
                '-' => !is_hyphen(beside) && !is_hyphen(chars.get(i + 1)),
                '%' => false,
                '.' => i > 0 && i < last,
                ' ' => i > 0 && i < last,
                c => c.is_alphanumeric() || (c.is_ascii_graphic() && !is_separator(c)),
            };
            if is_kept {
                name.push(c);
            } else {
                percent(c, &mut name);
            }
        }
        if is_device(&name) {
            let rest = name.split_off(1);
            let first = name.chars().next().unwrap_or_default();
            name.clear();
            percent(first, &mut name);
            name.push_str(&rest);
        }
        match name.parse() {
            Ok(name) => Ok(name),
            Err(BadName { why, .. }) => bad(why),
        }
    }

    /// The text that [`FolderName::encode`] made this name of.
    pub fn decode(&self) -> String {
        let mut bytes = Vec::new();
        let mut rest = self.0.as_bytes();
        while let [first, after @ ..] = rest {
            let hex = |at: usize| rest.get(at).and_then(|digit| (*digit as char).to_digit(16));
            let (byte, n_read) = match (first, hex(1), hex(2)) {
                (b'%', Some(high), Some(low)) => ((high * 16 + low) as u8, 3),
                (b'-', ..) if after.first() == Some(&b'-') => (b'/', 2),
                _ => (*first, 1),
            };
            bytes.push(byte);
            rest = &rest[n_read..];
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl FromStr for FolderName {
    type Err = BadName;

    /// Takes the text as it is, or refuses it.
    fn from_str(text: &str) -> Result<Self, BadName> {
        let why: Cow<'static, str> = if text.is_empty() {
            "it is empty".into()
        } else if text.len() > MAX_FOLDER_LEN {
            format!(
                "it has {} bytes, and at most {MAX_FOLDER_LEN} fit",
                text.len()
            )
            .into()
        } else if text.starts_with('.') {
            "it begins with a dot".into()
        } else if text.chars().any(is_forbidden_everywhere) {
            "it holds control characters".into()
        } else if let Some(c) = text.chars().find(|&c| is_separator(c)) {
            format!("it holds `{c}`").into()
        } else if text.ends_with(['.', ' ']) || text.starts_with(' ') {
            "it begins with a space, or ends with a space or a dot".into()
        } else if is_device(text) {
            "Windows takes it for a device".into()
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(BadName::new(text, "a folder", why))
    }
}

impl fmt::Display for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl DatasetName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for DatasetName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = |why| BadName::new(text, "a data set", why);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if text.len() > MAX_DATASET_LEN
            || text.starts_with(['.', '-'])
            || !text.chars().all(is_plain)
        {
            return Err(bad(format!(
                "a name has at most {MAX_DATASET_LEN} ASCII letters, digits, `.`, `_` and `-`, and does not begin with `.` or `-`"
            )
            .into()));
        }
        text.parse()
            .map(Self)
            .map_err(|BadName { why, .. }| bad(why))
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl BadName {
    fn new(name: &str, what: &'static str, why: Cow<'static, str>) -> Self {
        Self {
            name: name.to_owned(),
            what,
            why,
        }
    }
}

/// Refuses a name that no LLM may have: an empty one, and one with control characters, which no figure can show and which a terminal obeys.
/// `path` is the file that gives the name.
///
/// # Errors
/// [`Error::ModelName`].
pub fn check_model_name(path: &Path, name: &str) -> Result<()> {
    let why = if name.trim().is_empty() {
        "is empty"
    } else if name.chars().any(is_forbidden_everywhere) {
        "holds control characters"
    } else {
        return Ok(());
    };
    Err(Error::ModelName {
        path: path.to_owned(),
        name: shown(name),
        why,
    })
}

/// A name as a message shows it: on one line, without control characters, and short.
pub(crate) fn shown(name: &str) -> String {
    let cut: String = name.chars().take(SHOWN).collect();
    let mut shown = String::new();
    for c in cut.chars() {
        match c {
            c if is_forbidden_everywhere(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    if cut.len() < name.len() {
        shown.push_str("...");
    }
    shown
}

/// Control characters: those of ASCII and Latin-1, those that break lines or turn the direction of writing, and what XML cannot hold.
fn is_forbidden_everywhere(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

/// What separates the parts of a path, or has another meaning in one, on some system.
fn is_separator(c: char) -> bool {
    "/\\:*?\"<>|".contains(c)
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    let is_numbered = |port: &str| {
        stem.strip_prefix(port).is_some_and(|number| {
            let mut chars = number.chars();
            let digit = chars.next();
            chars.next().is_none() && digit.is_some_and(|c| "123456789¹²³".contains(c))
        })
    };
    DEVICES.contains(&&*stem) || is_numbered("COM") || is_numbered("LPT")
}

fn percent(c: char, into: &mut String) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        into.push_str(&format!("%{byte:02X}"));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_plain_folder_names() {
        for good in [
            "mmlu-pro", "a", "_x", "v1.2_b", "7", "console", "com10", "nul-1",
        ] {
            assert!(good.parse::<DatasetName>().is_ok(), "{good}");
            assert!(good.parse::<FolderName>().is_ok(), "{good}");
        }
        let long = "a".repeat(MAX_FOLDER_LEN + 1);
        let everywhere = [
            "",
            ".",
            "..",
            "a/b",
            "a\\b",
            "../a",
            "/a",
            ".a",
            "a\0",
            "a\nb",
            "a\u{9b}b",
            "\u{202e}a",
            "a:b",
            "C:",
            "a.",
            "CON",
            "nul",
            "com1",
            "LPT9.txt",
            "aux.parquet",
            "a?",
            "a*",
            &long,
        ];
        for bad in everywhere {
            assert!(bad.parse::<FolderName>().is_err(), "{bad:?}");
            assert!(bad.parse::<DatasetName>().is_err(), "{bad:?}");
        }
        for bad in ["-a", "a b", "é", &"a".repeat(MAX_DATASET_LEN + 1)] {
            assert!(bad.parse::<FolderName>().is_ok(), "{bad:?}");
            assert!(bad.parse::<DatasetName>().is_err(), "{bad:?}");
        }
        for bad in ["a ", " a"] {
            assert!(bad.parse::<FolderName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn messages_show_no_control_characters() {
        let error = "a\u{1b}[2J\u{202e}".parse::<FolderName>().expect_err("bad");
        let message = error.to_string();
        assert_eq!(
            message,
            r"`a\u{1b}[2J\u{202e}` cannot name a folder: it holds control characters"
        );
        let error = "x".repeat(500).parse::<DatasetName>().expect_err("bad");
        assert!(error.to_string().len() < 250, "{error}");
    }

    #[test]
    fn any_text_that_names_something_has_a_folder() {
        for (text, name) in [
            ("text-embedding-3-small", "text-embedding-3-small"),
            ("BAAI/bge-m3", "BAAI--bge-m3"),
            ("BAAI--bge-m3", "BAAI%2D%2Dbge-m3"),
            ("BAAI\\bge-m3", "BAAI%5Cbge-m3"),
            ("a-/b", "a%2D--b"),
            ("nomic-embed-text:v1.5", "nomic-embed-text%3Av1.5"),
            ("/models/bge", "--models--bge"),
            ("../x", "%2E.--x"),
            ("con", "%63on"),
            ("NUL.v1", "%4EUL.v1"),
            ("100%", "100%25"),
            ("end.", "end%2E"),
            ("模型", "模型"),
        ] {
            let found = FolderName::encode(text).expect(text);
            assert_eq!(found.as_str(), name, "{text}");
            assert_eq!(found.decode(), text);
        }
        for bad in [
            "",
            " ",
            ".",
            "..",
            "/",
            "../..",
            "a\0b",
            "a\u{1b}[2J",
            "a\tb",
            &"x".repeat(300),
        ] {
            assert!(FolderName::encode(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_llm_has_a_name_that_can_be_shown() {
        let path = Path::new("prices.toml");
        for good in ["gpt-4o", "google/gemma-2b-it", "模型", "a b", "مدل"] {
            assert!(check_model_name(path, good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " ",
            "a\0",
            "a\u{1b}[2J",
            "a\nb",
            "\u{7f}",
            "\u{9b}1m",
            "\u{202e}tpg",
            "\u{ffff}",
        ] {
            let error = check_model_name(path, bad).expect_err(bad).to_string();
            assert!(error.contains("`prices.toml`"), "{error}");
            assert!(!error.chars().any(is_forbidden_everywhere), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn different_texts_have_different_folders(text in "[-/%a.:]{1,12}") {
            if let Ok(name) = FolderName::encode(&text) {
                prop_assert_eq!(name.decode(), text);
                prop_assert!(name.as_str().parse::<FolderName>().is_ok());
            }
        }
    }
}
