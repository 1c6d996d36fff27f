use std::fmt;

use serde::Serialize;

use crate::{PropensitySource, Truth, baseline::single_models};

/// That not all of a table is known, and what its averages then take for granted. As text it is two or three sentences for readers of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gaps {
    /// The share of all scores that are known, see [`Truth::known_share`]; below 1.
    pub known_share: f64,
    /// Where the probabilities come from by which known scores are weighted.
    pub source: PropensitySource,
    /// How many LLMs are known on no prompt at all: what a router sends to them, no weight makes up for.
    pub n_never_known: usize,
}

impl Gaps {
    /// Of a table; `None` where nothing is missing.
    pub fn of(truth: &Truth<'_>) -> Option<Self> {
        let known_share = truth.known_share();
        (known_share < 1.0).then(|| Self {
            known_share,
            source: truth.propensities().source(),
            n_never_known: single_models(truth)
                .iter()
                .filter(|it| it.is_none())
                .count(),
        })
    }

    /// The same in a few words, for a figure's title.
    pub fn words(&self) -> String {
        let by = match self.source {
            PropensitySource::Complete => "",
            PropensitySource::AtRandom => ", taken to be missing at random",
            PropensitySource::Recorded => ", weighted by recorded propensities",
            PropensitySource::Estimated => ", weighted by estimated propensities",
        };
        format!("{}% of scores known{by}", self.known_percent())
    }

    /// Rounded down, so that a single unknown score shows.
    fn known_percent(&self) -> f64 {
        (1000.0 * self.known_share).floor() / 10.0
    }
}

impl fmt::Display for Gaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}% of the scores are known. ", self.known_percent())?;
        let condition = match self.source {
            PropensitySource::Complete => {
                return f.write_str(
                    "On some prompts nothing is known of any LLM; they are left out of everything.",
                );
            }
            PropensitySource::AtRandom => {
                "each LLM by its share of known scores. That is right only if scores are missing at random: whether an LLM was asked must have nothing \
                 to do with the prompt, nor with how well it does"
            }
            PropensitySource::Recorded => {
                "by one over the recorded probabilities with which each LLM was asked. That is right only if these are"
            }
            PropensitySource::Estimated => {
                "by one over the probabilities with which each LLM was asked, estimated from the prompts' embeddings. That is right only if whoever chose went by \
                 nothing that also matters for the score and that the embedding does not tell, and if there was chance in it"
            }
        };
        write!(
            f,
            "Routers choose among all LLMs, and averages are self-normalized: over the prompts whose chosen LLM is known, weighted {condition}. The \
             oracle, which chooses among known scores, is too low."
        )?;
        match self.n_never_known {
            0 => Ok(()),
            n => write!(
                f,
                " {n} of the LLMs are known on no prompt, so nothing can be said of what goes to them."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn a_table_says_how_much_of_it_is_known() {
        let costs = Array2::ones((2, 2));
        let gaps = |scores: Array2<f32>| {
            Gaps::of(&Truth::new(scores.view(), costs.view()).expect("a truth"))
        };
        assert_eq!(gaps(array![[1.0, 0.0], [0.0, 1.0]]), None);
        let found = gaps(array![[1.0, f32::NAN], [0.0, 1.0]]).expect("one is missing");
        assert_eq!(found.known_share, 0.75);
        let words = "75% of scores known, taken to be missing at random";
        assert_eq!(found.words(), words);
        let text = found.to_string();
        assert!(
            text.starts_with("75% of the scores are known. Routers"),
            "{text}"
        );
        assert!(text.contains("missing at random"), "{text}");
        let json = serde_json::to_value(found).expect("JSON");
        let expected =
            serde_json::json!({"known-share": 0.75, "source": "at-random", "n-never-known": 0});
        assert_eq!(json, expected);
        let text = gaps(array![[1.0, 1.0], [f32::NAN, f32::NAN]]).expect("a row is missing");
        assert!(
            text.to_string().contains("left out of everything"),
            "{text}"
        );
        let almost = Gaps {
            known_share: 0.999_99,
            source: PropensitySource::Recorded,
            n_never_known: 2,
        };
        let text = almost.to_string();
        assert!(
            text.starts_with("99.9% of") && text.contains("recorded"),
            "{text}"
        );
        let last =
            "2 of the LLMs are known on no prompt, so nothing can be said of what goes to them.";
        assert!(text.ends_with(last), "{text}");
    }
}
