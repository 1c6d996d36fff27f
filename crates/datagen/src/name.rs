use std::{fmt, str::FromStr};

/// A data set's name, which is also its folder's: ASCII letters, digits, `.`, `_` and `-`, beginning with a letter, a digit or `_`.
///
/// ```
/// use datagen::DatasetName;
/// assert!("open-llm-lb-v2".parse::<DatasetName>().is_ok());
/// assert!("../elsewhere".parse::<DatasetName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetName(String);

/// A name that is not valid for a folder on every system, or would leave the data folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot name a data set: a name has at most {MAX_LEN} ASCII letters, digits, `.`, `_` and `-`, and does not begin with `.` or `-`"
)]
pub struct BadName(String);

/// Leaves room for suffixes below the 255 bytes that common file systems allow.
const MAX_LEN: usize = 128;

impl DatasetName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatasetName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let is_good = (1..=MAX_LEN).contains(&text.len())
            && !text.starts_with(['.', '-'])
            && text
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || "._-".contains(char));
        if is_good {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadName(text.to_owned()))
        }
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_folder_names() {
        for good in ["mmlu-pro", "a", "_x", "v1.2_b", "7"] {
            assert!(good.parse::<DatasetName>().is_ok(), "{good}");
        }
        let long = "a".repeat(MAX_LEN + 1);
        for bad in [
            "", ".", "..", "a/b", "a\\b", "../a", "/a", "-a", ".a", "a b", "é", "a\0", &long,
        ] {
            assert!(bad.parse::<DatasetName>().is_err(), "{bad:?}");
        }
    }
}
