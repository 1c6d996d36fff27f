use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The LLMs that a binary router chooses between, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pair {
    /// The cheap one.
    pub small: String,
    /// The strong one.
    pub large: String,
}

/// The LLMs that a binary router chooses between, by position among the LLMs of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairIdx {
    /// The cheap one.
    pub small: usize,
    /// The strong one.
    pub large: usize,
}

impl Pair {
    /// The positions of the two among `models`; `path` is the file that names the pair.
    ///
    /// # Errors
    /// [`Error::PairModel`] for one that is not among them; [`Error::PairTwice`] when the two are the same LLM.
    pub fn positions(&self, path: &Path, models: &[String]) -> Result<PairIdx> {
        let position = |name: &String| {
            let position = models.iter().position(|model| model == name);
            position.ok_or_else(|| Error::PairModel {
                path: path.to_owned(),
                model: name.clone(),
                models: models.to_vec(),
            })
        };
        let (small, large) = (position(&self.small)?, position(&self.large)?);
        // A binary router would have nothing to choose, and metrics of the gap between the two would divide by 0.
        if small == large {
            return Err(Error::PairTwice {
                path: path.to_owned(),
                model: self.small.clone(),
            });
        }
        Ok(PairIdx { small, large })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_two_positions() {
        let models = ["a", "b", "c"].map(str::to_owned);
        for (small, large, expected) in [
            ("b", "a", Ok(PairIdx { small: 1, large: 0 })),
            (
                "a",
                "d",
                Err("names `d` in its pair, which is not among the LLMs `a`, `b`, `c`"),
            ),
            ("c", "c", Err("names `c` as both LLMs of its pair")),
        ] {
            let pair = Pair {
                small: small.to_owned(),
                large: large.to_owned(),
            };
            let found = pair.positions(Path::new("dataset.json"), &models);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(error), Err(expected)) => {
                    assert_eq!(error.to_string(), format!("`dataset.json` {expected}"));
                }
                (found, expected) => panic!("{found:?}, expected {expected:?}"),
            }
        }
    }
}
