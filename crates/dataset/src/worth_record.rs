use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{DatasetDir, PartHashes, Result, json};

/// The version of [`WorthRecord`]'s form that this crate writes and reads.
pub const WORTH_FORMAT_VERSION: u32 = 1;

/// `worth.json`: whether routing is worth it on a data set, and what was measured to say so.
///
/// Gains are in scores, from -1 to 1: times 100 they are points of accuracy. A worth is what a whole score is worth in dollars, see
/// [`crate::worth`]. What is unknown is NaN here and null on disk; an infinite worth, which stands where costs do not count, is null too.
///
/// ```text
/// gain(v) = mean over prompts of utility_v(router's choice) - utility_v(best single LLM at v)
/// utility_v = score - cost_usd / v
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorthRecord {
    /// [`WORTH_FORMAT_VERSION`].
    pub format_version: u32,
    /// The data set.
    pub dataset: String,
    /// The router, by its name in train-and-infer.
    pub router: String,
    /// The embedder whose embeddings it predicts from.
    pub embedder: Option<String>,
    /// Program and version.
    pub made_by: String,
    /// The train and test part that were measured. A record with other hashes than the parts have now is out of date.
    pub parts: PartHashes,
    /// The answer.
    pub verdict: WorthVerdict,
    /// The answer in one sentence or two.
    pub sentence: String,
    /// The LLM to use where nobody routes, at the middle one of the worths.
    pub best_single: String,
    /// The deciding statistic: gain(v) averaged over the worths of `curve`.
    pub gain: WorthEstimate,
    /// One-sided p-value against "the mean gain is at most 0".
    #[serde(deserialize_with = "or_nan")]
    pub p_gain: f64,
    /// One-sided p-value against "the mean gain is at least 0".
    #[serde(deserialize_with = "or_nan")]
    pub p_loss: f64,
    /// gain(v) by ascending worth.
    pub curve: Vec<WorthPoint>,
    /// Mean gains by task, in the order of their first prompts.
    pub tasks: Vec<TaskGain>,
    /// Routing as cheaply as keeps about the accuracy of the most accurate LLM; `None` where no cost is known. A saving counts only where the
    /// verdict is [`WorthVerdict::WorthIt`], and only beside the change of accuracy: sending prompts to a cheaper LLM by a coin saves, too.
    pub equal_quality: Option<WorthTrade>,
    /// Routing as accurately as keeps about the cost of the most accurate LLM; `None` where no cost is known. Counts as a saving does.
    pub equal_cost: Option<WorthTrade>,
    /// The same procedure on prompts that were permuted against their scores; `None` where it was not asked for.
    pub null: Option<WorthNull>,
    /// How many prompts it takes to tell a gain that was named; `None` where none was.
    pub prompts_needed: Option<PromptsNeeded>,
    /// What the gain rests on where scores are missing; `None` where every LLM's score is known for every prompt, and in records from before this was
    /// written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<WorthEvidence>,
    /// Whether each fit decided to route. Empty for routers that do not decide.
    pub fits: Vec<WorthFit>,
    /// What was counted.
    pub counts: WorthCounts,
    /// What the numbers depend on besides the data.
    pub settings: WorthSettings,
    /// What a reader of the numbers should know, a sentence each.
    pub notes: Vec<String>,
}

/// Whether to route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorthVerdict {
    /// The mean gain is above 0, beyond chance.
    WorthIt,
    /// Use the best single LLM: the mean gain is below 0, or below what was asked for, beyond chance; or the router never departs from that LLM on
    /// prompts enough.
    NotWorthIt,
    /// The interval holds 0; or the router never departs from the best single LLM, and there are too few prompts to say more.
    CannotTell,
}

/// An estimate and its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorthEstimate {
    /// On the judged prompts themselves.
    #[serde(deserialize_with = "or_nan")]
    pub estimate: f64,
    /// Its standard error.
    #[serde(deserialize_with = "or_nan")]
    pub standard_error: f64,
    /// Lower end of the interval at the settings' level.
    #[serde(deserialize_with = "or_nan")]
    pub low: f64,
    /// Upper end.
    #[serde(deserialize_with = "or_nan")]
    pub high: f64,
}

/// The gain at one worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorthPoint {
    /// What a whole score is worth in dollars; on tables of right and wrong answers, dollars per right answer.
    #[serde(deserialize_with = "or_infinite")]
    pub worth_usd: f64,
    /// `low`, `middle` or `high` for the three points that the report names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The best single LLM at this worth, by its means over all prompts.
    pub best_single: String,
    /// The share of prompts that the router sends elsewhere.
    #[serde(deserialize_with = "or_nan")]
    pub moved_share: f64,
    /// gain(v) with its interval at this worth alone, in scores.
    pub gain: WorthEstimate,
    /// Lower end of the band that holds the whole curve at the settings' level.
    #[serde(deserialize_with = "or_nan")]
    pub band_low: f64,
    /// Upper end of the band.
    #[serde(deserialize_with = "or_nan")]
    pub band_high: f64,
    /// `1000 * v * gain(v)`: the gain in dollars per 1,000 prompts; unknown at an infinite worth.
    pub usd_per_1k: WorthEstimate,
}

/// Routing beside one LLM for everything. How much cost weighs was chosen on one half of the prompts and judged on the other, and the other way
/// round, so that what should be equal is so only about: a router that knows nothing can come out cheaper and a little worse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorthTrade {
    /// That LLM: the best single one where a score is worth the most, so the most accurate. It is chosen on the rows that a router was fitted
    /// on; `None` where folds have different ones, and numbers are of each fold's own.
    pub reference: Option<String>,
    /// The share of its cost that routing saves. Look at `score_gain` beside it.
    pub saving: WorthEstimate,
    /// The mean score that routing adds to its.
    pub score_gain: WorthEstimate,
    /// Dollars per 1,000 prompts with routing.
    #[serde(deserialize_with = "or_nan")]
    pub usd_per_1k: f64,
    /// And with that LLM.
    #[serde(deserialize_with = "or_nan")]
    pub reference_usd_per_1k: f64,
    /// Mean score with routing.
    #[serde(deserialize_with = "or_nan")]
    pub score: f64,
    /// And with that LLM.
    #[serde(deserialize_with = "or_nan")]
    pub reference_score: f64,
}

/// The mean gain on one task's prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TaskGain {
    /// The task.
    pub task: String,
    /// Prompts of it that were judged.
    pub n_prompts: usize,
    /// The mean gain over the same worths.
    pub gain: WorthEstimate,
}

/// What the procedure finds where there is nothing to find.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorthNull {
    /// Prompts permuted over the whole table.
    pub over_all: NullGains,
    /// Prompts permuted within their tasks.
    pub within_tasks: NullGains,
}

/// Mean gains under permuted prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NullGains {
    /// One for each permutation, less what the router itself costs, as the gain is. Of the folds of the first repeat.
    pub gains: Vec<f64>,
    /// `(1 + permutations with at least the observed gain) / (1 + permutations)`. The observed gain is that of the first repeat, not the mean
    /// over repeats.
    pub p: f64,
}

/// How many prompts tell a gain from 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PromptsNeeded {
    /// The gain that was named, in scores.
    pub at_least: f64,
    /// Prompts like those that were judged with which such a gain is found worth it with a probability of `power`; `None` where their spread is
    /// unknown.
    pub n_prompts: Option<usize>,
    /// That probability.
    pub power: f64,
}

/// One fit of a router that may decide not to route.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorthFit {
    /// Of how many, from 0.
    pub repeat: usize,
    /// The fold that the fit predicted, from 0.
    pub fold: usize,
    /// The factor on what it learned about single prompts; 0 is "do not route".
    pub g: f64,
    /// Whether it had rows enough to judge by; without, g is 0 whatever the prompts. Records from before this was written had.
    #[serde(default = "yes")]
    pub judged: bool,
}

/// What a gain rests on where scores are missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorthEvidence {
    /// What the gain is an average of.
    pub estimator: WorthEstimator,
    /// Where the probabilities come from with which LLMs were asked.
    pub propensities: WorthPropensities,
    /// The mean gain by known scores alone, each weighted by one over its propensity: self-normalized.
    pub self_normalized: WorthEstimate,
    /// `(sum of w)^2 / sum of w^2` over the router's choices whose score is known: as many prompts of equal weight would say as much.
    #[serde(deserialize_with = "or_nan")]
    pub effective_prompts: f64,
    /// At least this share of the router's choices, or of the best single LLM's if that is larger, has a propensity below .01: the log hardly ever
    /// tried them.
    pub low_propensity_share: f64,
    /// The share of prompts for which the log's policy had one LLM only.
    pub decided_share: f64,
    /// How propensities were estimated, where they were.
    pub estimated: Option<WorthPropensityFit>,
    /// Why there is no verdict; `None` where there is one, or the interval just holds 0.
    pub refusal: Option<WorthRefusal>,
}

/// What a gain is an average of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorthEstimator {
    /// Known scores, each weighted by one over its propensity.
    SelfNormalized,
    /// Out-of-fold predictions, corrected by known scores, each weighted by one over its propensity.
    DoublyRobust,
}

/// Where the probabilities come from with which LLMs were asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorthPropensities {
    /// LLMs are taken to have been asked at random, each at the rate of its known scores.
    AtRandom,
    /// The data set says them.
    Recorded,
    /// They were estimated from the embeddings.
    Estimated,
}

/// How propensities were estimated, and how well they hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorthPropensityFit {
    /// The penalty in each fold; `None` where the LLMs' shares alone foretold held-out prompts best.
    pub alphas: Vec<Option<f64>>,
    /// The mean of `-log p` of the LLMs that were asked, out-of-fold.
    pub log_loss: f64,
    /// The same of the LLMs' shares alone.
    pub log_loss_of_shares: f64,
    /// The smallest and the largest over LLMs of: what an LLM's prompts, each counted as one over its propensity, sum to, as a share of all
    /// prompts. 1 in expectation.
    pub weights: [f64; 2],
}

/// Why there is no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorthRefusal {
    /// The prompt decided which LLM was asked: what another would have done is nowhere in the log.
    Deterministic,
    /// Too many choices that the log's policy hardly ever made.
    Unsupported,
    /// Too few prompts, or too uneven weights.
    FewEffective,
    /// The interval holds 0, and is too wide to say anything.
    TooWide,
}

/// Counts of a data set and of what was measured on it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorthCounts {
    /// Prompts of both parts.
    pub n_prompts: usize,
    /// Prompts that the gain was measured on.
    pub n_judged: usize,
    /// LLMs.
    pub n_models: usize,
    /// Share of the scores of all prompts and LLMs that are known.
    pub known_scores: f64,
    /// Prompts whose text an earlier prompt has too.
    pub n_equal_prompts: usize,
}

/// What a measurement depends on besides the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorthSettings {
    /// Folds; with `time`, blocks, of which the first only trains.
    pub n_folds: usize,
    /// How often the table was divided into folds.
    pub n_repeats: usize,
    /// Seed of folds, fits and resamples.
    pub seed: u64,
    /// Confidence of intervals and of the band.
    pub level: f64,
    /// Resamples behind intervals.
    pub n_resamples: usize,
    /// The column whose groups stay together in folds and in resamples.
    pub group: Option<String>,
    /// The column that orders the rows, each judged by a fit on earlier ones.
    pub time: Option<String>,
    /// Dollars per 1,000 prompts that the router itself costs, which were taken off.
    pub embed_usd_per_1k: f64,
}

impl WorthRecord {
    /// Reads `worth.json`, of whatever parts.
    ///
    /// # Errors
    /// [`crate::Error::Io`], [`crate::Error::Json`] or [`crate::Error::FormatVersion`].
    pub fn read(path: &Path) -> Result<Self> {
        json::read_versioned(path, WORTH_FORMAT_VERSION)
    }

    /// Writes `worth.json` atomically.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        json::write(path, self)
    }

    /// Whether it was made from the parts as they are now. Only then may it be shown.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when a part cannot be read.
    pub fn is_of(&self, dir: &DatasetDir) -> Result<bool> {
        Ok(self.parts == PartHashes::of(dir)?)
    }
}

impl WorthEvidence {
    /// What the gain is an average of, and by which probabilities, in a few words.
    pub fn method(&self) -> &'static str {
        use WorthEstimator::{DoublyRobust, SelfNormalized};
        use WorthPropensities::{AtRandom, Estimated, Recorded};
        match (self.estimator, self.propensities) {
            (DoublyRobust, AtRandom) => "doubly robust, if scores are missing at random",
            (DoublyRobust, Recorded) => "doubly robust, by the log's propensities",
            (DoublyRobust, Estimated) => "doubly robust, by estimated propensities",
            (SelfNormalized, AtRandom) => "self-normalized, if scores are missing at random",
            (SelfNormalized, Recorded) => "self-normalized, by the log's propensities",
            (SelfNormalized, Estimated) => "self-normalized, by estimated propensities",
        }
    }

    /// Whether the log says nothing of what other LLMs than those that were asked would have answered, so that no single LLM is known to be the best.
    pub fn is_blind(&self) -> bool {
        let refusal = self.refusal;
        matches!(
            refusal,
            Some(WorthRefusal::Deterministic | WorthRefusal::Unsupported)
        )
    }
}

impl WorthEstimate {
    /// What could not be measured.
    pub const UNKNOWN: Self = Self {
        estimate: f64::NAN,
        standard_error: f64::NAN,
        low: f64::NAN,
        high: f64::NAN,
    };

    /// The same in another unit: everything times a factor above 0. An infinite one gives [`Self::UNKNOWN`].
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        if !factor.is_finite() {
            return Self::UNKNOWN;
        }
        Self {
            estimate: factor * self.estimate,
            standard_error: factor * self.standard_error,
            low: factor * self.low,
            high: factor * self.high,
        }
    }
}

/// Of what a record does not say.
fn yes() -> bool {
    true
}

fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

fn or_infinite<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Error, Part};

    fn estimate(estimate: f64) -> WorthEstimate {
        WorthEstimate {
            estimate,
            standard_error: 0.125,
            low: estimate - 0.25,
            high: estimate + 0.25,
        }
    }

    fn record(parts: PartHashes) -> WorthRecord {
        WorthRecord {
            format_version: WORTH_FORMAT_VERSION,
            dataset: "tiny".to_owned(),
            router: "carrot-blend".to_owned(),
            embedder: None,
            made_by: "a test".to_owned(),
            parts,
            verdict: WorthVerdict::CannotTell,
            sentence: "Cannot tell.".to_owned(),
            best_single: "m".to_owned(),
            gain: estimate(0.375),
            p_gain: 0.25,
            p_loss: 0.75,
            curve: vec![WorthPoint {
                worth_usd: f64::INFINITY,
                name: None,
                best_single: "m".to_owned(),
                moved_share: 0.5,
                gain: estimate(0.5),
                band_low: f64::NAN,
                band_high: f64::NAN,
                usd_per_1k: WorthEstimate::UNKNOWN,
            }],
            tasks: vec![TaskGain {
                task: "t".to_owned(),
                n_prompts: 3,
                gain: estimate(-0.5),
            }],
            equal_quality: None,
            equal_cost: Some(WorthTrade {
                reference: None,
                saving: WorthEstimate::UNKNOWN,
                score_gain: estimate(0.0),
                usd_per_1k: f64::NAN,
                reference_usd_per_1k: 0.5,
                score: 0.75,
                reference_score: 0.75,
            }),
            null: None,
            prompts_needed: Some(PromptsNeeded {
                at_least: 0.01,
                n_prompts: Some(12),
                power: 0.75,
            }),
            evidence: Some(WorthEvidence {
                estimator: WorthEstimator::DoublyRobust,
                propensities: WorthPropensities::Estimated,
                self_normalized: estimate(0.25),
                effective_prompts: f64::NAN,
                low_propensity_share: 0.125,
                decided_share: 0.0,
                estimated: Some(WorthPropensityFit {
                    alphas: vec![Some(3.0), None],
                    log_loss: 0.5,
                    log_loss_of_shares: 0.75,
                    weights: [0.875, 1.25],
                }),
                refusal: Some(WorthRefusal::TooWide),
            }),
            fits: vec![WorthFit {
                repeat: 0,
                fold: 4,
                g: 0.0,
                judged: false,
            }],
            counts: WorthCounts {
                n_prompts: 3,
                n_judged: 3,
                n_models: 2,
                known_scores: 1.0,
                n_equal_prompts: 0,
            },
            settings: WorthSettings {
                n_folds: 5,
                n_repeats: 1,
                seed: 42,
                level: 0.95,
                n_resamples: 10_000,
                group: None,
                time: Some("day".to_owned()),
                embed_usd_per_1k: 0.0,
            },
            notes: vec!["A note.".to_owned()],
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_knows_its_parts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = DatasetDir::new(folder.path(), "tiny");
        fs::create_dir_all(dir.root()).expect("made");
        for part in Part::ALL {
            fs::write(dir.split(part), part.name()).expect("written");
        }
        let path = dir.worth();
        assert!(path.ends_with("tiny/worth.json"));
        let written = record(PartHashes::of(&dir).expect("hashed"));
        written.write(&path).expect("written");
        let text = fs::read_to_string(&path).expect("read");
        for part in [
            "\"worth-usd\": null",
            "\"band-low\": null",
            "\"cannot-tell\"",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        let read = WorthRecord::read(&path).expect("read");
        let point = &read.curve[0];
        assert_eq!(point.worth_usd, f64::INFINITY);
        assert!(point.band_low.is_nan() && point.usd_per_1k.low.is_nan());
        // NaN is not equal to itself, so texts are compared.
        assert_eq!(format!("{read:?}"), format!("{written:?}"));
        assert!(read.is_of(&dir).expect("hashed"));
        // A record from before there was evidence.
        let mut older: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        older.as_object_mut().expect("an object").remove("evidence");
        fs::write(&path, older.to_string()).expect("written");
        assert_eq!(WorthRecord::read(&path).expect("read").evidence, None);

        fs::write(dir.split(Part::Test), "other rows").expect("written");
        assert!(!read.is_of(&dir).expect("hashed"));
        let newer = text.replace("\"format-version\": 1", "\"format-version\": 2");
        fs::write(&path, newer).expect("written");
        let error = WorthRecord::read(&path).expect_err("another version");
        assert!(matches!(error, Error::FormatVersion { .. }), "{error}");
    }

    #[test]
    fn scaling_by_infinity_is_unknown() {
        let scaled = estimate(0.5).scaled(2.0);
        assert_eq!((scaled.estimate, scaled.standard_error), (1.0, 0.25));
        assert_eq!((scaled.low, scaled.high), (0.5, 1.5));
        assert!(estimate(0.5).scaled(f64::INFINITY).estimate.is_nan());
    }
}
