//! Prompts with one text. Where a train prompt's text is a test prompt's too, a router may have seen the answer that it is judged on.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

/// How many prompts of the test part have the text of a train prompt. Texts are compared byte by byte.
///
/// ```
/// use dataset::EqualPrompts;
/// let texts = |texts: &[&str]| texts.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
/// let found = EqualPrompts::count(&texts(&["a", "b", "b"]), &texts(&["b", "b", "c", "A"]));
/// assert_eq!((found.n_equal, found.n_test), (2, 4));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EqualPrompts {
    /// Test prompts whose text is a train prompt's too.
    pub n_equal: usize,
    /// All test prompts.
    pub n_test: usize,
}

impl EqualPrompts {
    /// Counts them.
    pub fn count(train: &[String], test: &[String]) -> Self {
        let seen: HashSet<&str> = train.iter().map(String::as_str).collect();
        let is_seen = |prompt: &&String| seen.contains(prompt.as_str());
        Self {
            n_equal: test.iter().filter(is_seen).count(),
            n_test: test.len(),
        }
    }
}

/// The number of each row's text, counted from 0 in the order of first rows: equal texts have equal numbers.
///
/// ```
/// let texts = ["x", "y", "x"].map(str::to_owned);
/// assert_eq!(dataset::group_by_text(&texts), [0, 1, 0]);
/// ```
pub fn group_by_text(texts: &[String]) -> Vec<usize> {
    let mut groups = HashMap::new();
    let mut group = |text| {
        let next = groups.len();
        *groups.entry(text).or_insert(next)
    };
    texts.iter().map(|text| group(text.as_str())).collect()
}
