use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// Prompts with one text in several rows. A router that was fitted on a prompt has seen its answers, so where the same text is tested, the
/// test is easier than new prompts will be.
///
/// ```
/// use dataset::EqualPrompts;
/// let (train, test) = (["a", "b", "a"].map(str::to_owned), ["a", "c", "a", "d"].map(str::to_owned));
/// let counts = EqualPrompts::count(&train, &test);
/// assert_eq!((counts.n_test_in_train, counts.n_repeated), (2, 3));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EqualPrompts {
    /// Test rows whose prompt is also in a train row.
    pub n_test_in_train: usize,
    /// Rows of either part whose prompt is in an earlier row, train rows before test rows.
    pub n_repeated: usize,
}

impl EqualPrompts {
    /// The key of the counts among the findings of `dataset.json`.
    pub const FINDING: &str = "equal-prompts";

    /// Counts rows of equal prompts in the two parts of a data set.
    pub fn count<'a>(
        train: impl IntoIterator<Item = &'a String>,
        test: impl IntoIterator<Item = &'a String>,
    ) -> Self {
        let mut n_train = 0;
        let train = train.into_iter().inspect(|_| n_train += 1);
        let groups = Self::groups(train.chain(test));
        let n_groups = groups.iter().max().map_or(0, |&last| last + 1);
        let (of_train, of_test) = groups.split_at(n_train);
        // Groups are numbered as they first appear, so those of the train part come first.
        let n_in_train = of_train.iter().max().map_or(0, |&last| last + 1);
        Self {
            n_test_in_train: of_test.iter().filter(|&&group| group < n_in_train).count(),
            n_repeated: groups.len() - n_groups,
        }
    }

    /// For each prompt the number of its text, from 0 in order of first appearance. Prompts are equal when their texts are, byte for byte.
    pub fn groups<'a>(prompts: impl IntoIterator<Item = &'a String>) -> Vec<usize> {
        let mut numbers = HashMap::new();
        let prompts = prompts.into_iter();
        prompts
            .map(|prompt| {
                let next = numbers.len();
                *numbers.entry(prompt.as_str()).or_insert(next)
            })
            .collect()
    }

    /// What a reader of test results should know; nothing where no test prompt was trained on.
    pub fn note(&self, n_test: usize) -> Option<String> {
        let n = self.n_test_in_train;
        (n > 0)
            .then(|| format!("{n} of {n_test} test prompts are also train prompts, word for word"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_text_are_counted() {
        let texts = |text: &str| -> Vec<String> { text.chars().map(String::from).collect() };
        for (train, test, n_test_in_train, n_repeated) in [
            ("", "", 0, 0),
            ("abc", "de", 0, 0),
            ("abc", "", 0, 0),
            ("", "aa", 0, 1),
            ("aab", "ccd", 0, 2),
            ("aab", "bab", 3, 4),
        ] {
            let found = EqualPrompts::count(&texts(train), &texts(test));
            let expected = EqualPrompts {
                n_test_in_train,
                n_repeated,
            };
            assert_eq!(found, expected, "{train} {test}");
            assert_eq!(found.note(test.len()).is_some(), n_test_in_train > 0);
        }
        assert_eq!(EqualPrompts::groups(&texts("bab b")), [0, 1, 0, 2, 0]);
    }
}
