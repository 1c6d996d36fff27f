use std::collections::BTreeMap;

use crate::{Error, Result, parse_column_name};

/// The key of a part's footer that lists its kept columns.
pub(crate) const KEPT_COLUMNS: &str = "carrot.kept-columns";

/// Columns of other meanings than scores and costs, kept as text beside a part's prompts: a time, a conversation, a customer. A null of
/// the source is an empty text.
///
/// ```
/// use dataset::KeptColumns;
/// let mut kept = KeptColumns::default();
/// kept.insert("time", vec!["2024-05-01".to_owned(), String::new()])?;
/// assert_eq!(kept.get("time").map(<[String]>::len), Some(2));
/// assert!(kept.insert("prompt", Vec::new()).is_err());
/// assert!(kept.insert("gpt-4o/score", Vec::new()).is_err());
/// # Ok::<(), dataset::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptColumns(BTreeMap<String, Vec<String>>);

impl KeptColumns {
    /// Adds a column with one text per prompt.
    ///
    /// # Errors
    /// [`Error::KeptColumn`] for a name that means something else already.
    pub fn insert(&mut self, name: &str, values: Vec<String>) -> Result<()> {
        Self::check_name(name)?;
        if self.0.contains_key(name) {
            return Err(refused(name, "it is kept already"));
        }
        self.0.insert(name.to_owned(), values);
        Ok(())
    }

    /// Refuses a name that a kept column may not have.
    ///
    /// # Errors
    /// [`Error::KeptColumn`] for the columns that every part has, for those of LLMs, for `split`, and for a name that cannot be shown.
    pub fn check_name(name: &str) -> Result<()> {
        let why = match name {
            "id" | "task" | "prompt" => "every part has a column of that name",
            "split" => "it says to which part a row goes",
            _ if parse_column_name(name).is_some() => "it is a column of an LLM",
            _ if name.trim().is_empty() => "it is empty",
            _ if name.chars().any(char::is_control) => "it holds control characters",
            _ => return Ok(()),
        };
        Err(refused(name, why))
    }

    /// A column's values, one per prompt.
    pub fn get(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// The columns in the order of their names, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0
            .iter()
            .map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same columns with other values: `change` is called with each column's values.
    #[must_use]
    pub fn map(&self, mut change: impl FnMut(&[String]) -> Vec<String>) -> Self {
        let columns = self.iter();
        Self(
            columns
                .map(|(name, values)| (name.to_owned(), change(values)))
                .collect(),
        )
    }

    /// The names as the footer lists them; none where nothing is kept, so that such a file has the bytes that it always had.
    pub(crate) fn footer(&self) -> Option<(&'static str, String)> {
        let names: Vec<&str> = self.names().collect();
        (!names.is_empty()).then(|| (KEPT_COLUMNS, serde_json::Value::from(names).to_string()))
    }

    /// Columns without rows of the names that a footer lists.
    ///
    /// # Errors
    /// What is wrong with the list, in words, or [`KeptColumns::check_name`]'s error in words.
    pub(crate) fn of_footer(text: &str) -> std::result::Result<Self, String> {
        let names: Vec<String> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut kept = Self::default();
        for name in names {
            let insert = kept.insert(&name, Vec::new());
            insert.map_err(|error| error.to_string())?;
        }
        Ok(kept)
    }

    /// The columns as places to read into.
    pub(crate) fn places(&mut self) -> impl Iterator<Item = (&str, &mut Vec<String>)> {
        let columns = self.0.iter_mut();
        columns.map(|(name, values)| (name.as_str(), values))
    }
}

fn refused(name: &str, why: &'static str) -> Error {
    Error::KeptColumn {
        name: crate::name::shown(name),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_another_meaning_are_refused() {
        for (name, expected) in [
            ("id", "every part has"),
            ("prompt", "every part has"),
            ("task", "every part has"),
            ("split", "to which part"),
            ("a/b/cost_usd", "column of an LLM"),
            (" ", "is empty"),
            ("a\nb", "control characters"),
        ] {
            let error = KeptColumns::check_name(name).expect_err(name).to_string();
            assert!(error.contains(expected), "{error}");
        }
        for name in ["time", "user/name", "score", "prompt.id", "Zeit "] {
            assert!(KeptColumns::check_name(name).is_ok(), "{name}");
        }
        let mut kept = KeptColumns::default();
        kept.insert("time", Vec::new()).expect("new");
        let error = kept.insert("time", Vec::new()).expect_err("twice");
        assert!(error.to_string().contains("kept already"), "{error}");
    }
}
