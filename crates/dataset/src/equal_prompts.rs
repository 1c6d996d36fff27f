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

    /// For each row the number of its value in a column that says which rows belong together. Rows without a value, which are empty texts, belong
    /// to nobody: each has a number of its own. Other than that as [`EqualPrompts::groups`], but for gaps between numbers.
    ///
    /// ```
    /// let users = ["ann", "", "bob", "", "ann"].map(str::to_owned);
    /// assert_eq!(dataset::EqualPrompts::groups_of_values(&users), [0, 6, 2, 8, 0]);
    /// ```
    pub fn groups_of_values(values: &[String]) -> Vec<usize> {
        let mut numbers = Self::groups(values);
        for (row, (number, value)) in numbers.iter_mut().zip(values).enumerate() {
            if value.is_empty() {
                // Above all numbers of values, of which there are at most as many as rows.
                *number = values.len() + row;
            }
        }
        numbers
    }

    /// For each row the first row that it belongs together with: by its value in a column as in [`EqualPrompts::groups_of_values`], by its prompt, or
    /// through other rows. `values` and `prompts` have one text per row.
    ///
    /// ```
    /// let users = ["ann", "", "bob", "", "ann"].map(str::to_owned);
    /// let prompts = ["1", "2", "1", "3", "4"].map(str::to_owned);
    /// assert_eq!(dataset::EqualPrompts::together(&users, &prompts), [0, 1, 0, 3, 0]);
    /// ```
    pub fn together(values: &[String], prompts: &[String]) -> Vec<usize> {
        let mut parents: Vec<usize> = (0..values.len()).collect();
        fn root(parents: &mut [usize], mut row: usize) -> usize {
            while parents[row] != row {
                // Every second step is skipped from now on, which keeps paths short.
                parents[row] = parents[parents[row]];
                row = parents[row];
            }
            row
        }
        for numbers in [Self::groups_of_values(values), Self::groups(prompts)] {
            let mut first_of_number = HashMap::new();
            for (row, number) in numbers.into_iter().enumerate() {
                let first = *first_of_number.entry(number).or_insert(row);
                let (a, b) = (root(&mut parents, row), root(&mut parents, first));
                // The first row of a group stands for it.
                parents[a.max(b)] = a.min(b);
            }
        }
        (0..values.len())
            .map(|row| root(&mut parents, row))
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

    #[test]
    fn rows_hang_together_by_value_and_by_prompt() {
        let texts = |text: &str| -> Vec<String> {
            let texts = text.chars();
            texts.map(|c| String::from(c).trim().to_owned()).collect()
        };
        for (values, prompts, expected) in [
            ("aabb", "1234", vec![0, 0, 2, 2]),
            ("abab", "1234", vec![0, 1, 0, 1]),
            // A prompt joins two groups, also one that came before.
            ("aabb", "1231", vec![0, 0, 0, 0]),
            ("abcb", "1232", vec![0, 1, 2, 1]),
            // Without a value a row is alone, but for its prompt.
            ("    ", "1213", vec![0, 1, 0, 3]),
        ] {
            assert_eq!(
                EqualPrompts::together(&texts(values), &texts(prompts)),
                expected,
                "{values} {prompts}"
            );
        }
    }
}
