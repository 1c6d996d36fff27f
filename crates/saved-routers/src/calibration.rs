//! What a router was calibrated to: `calibrations/<name>.json` in its folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use dataset::{FolderName, Source, atomic, json, sha256_bytes, sha256_file};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, TokenRange, files};

/// The version of the format of a calibration that this crate reads and writes.
pub const CALIBRATION_FORMAT_VERSION: u32 = 1;

pub(crate) const CALIBRATIONS: &str = "calibrations";

/// A setting of a router that was chosen for a target on held-out prompts, and what to expect of it. Holds no date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Calibration {
    /// [`CALIBRATION_FORMAT_VERSION`].
    pub format_version: u32,
    /// Its name, which is the file's.
    pub name: String,
    /// The data set.
    pub dataset: String,
    /// The router.
    pub router: String,
    /// What was asked for.
    pub target: CalibrationTarget,
    /// The rule that the setting is for, as a formula.
    pub rule: String,
    /// The setting.
    pub setting: CalibratedSetting,
    /// How prompts were drawn.
    pub drawn: Drawn,
    /// What to expect of new prompts, with prediction intervals.
    pub expected: Expected,
    /// The results on prompts that had no part in the choice.
    pub realized: Realized,
    /// What new prompts keep to with a probability; none where the target is met in the mean only, and in calibrations of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<Promised>,
    /// Input tokens of the test prompts, as they were billed; none where the test part does not say. Versions before this key did not record
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<TokenRange>,
    /// [`Calibration::model_sha256_of`] the folder that it is for.
    pub model_sha256: String,
    /// The test part and the predictions.
    pub inputs: Vec<Source>,
    /// Program and version.
    pub made_by: String,
}

/// What a router is calibrated to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind")]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum CalibrationTarget {
    /// At most this many US dollars per 1,000 prompts.
    UsdPer1k {
        /// The dollars.
        at_most: f64,
    },
    /// At most a part of what one LLM alone costs.
    RelativeCost {
        /// The LLM.
        model: String,
        /// The part, .3 for 30%.
        at_most: f64,
    },
    /// At least this mean score.
    Accuracy {
        /// The score, in [0, 1].
        at_least: f64,
    },
    /// An LLM's share of the prompts.
    Share {
        /// The LLM.
        model: String,
        /// Its share, in [0, 1].
        share: f64,
    },
}

/// Where a router is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind")]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum CalibratedSetting {
    /// A weight of cost, for a router of all LLMs.
    Weight {
        /// The weight that goes with the multiplier, in [0, 1].
        mu: f64,
        /// The multiplier.
        cost_multiplier: f64,
        /// The weight that decides the same with a multiplier of 1.
        lambda: f64,
    },
    /// The probability from which the small LLM of a pair answers.
    Threshold {
        /// The probability; 0 is always, 2 is never.
        threshold: f64,
        /// The cheap LLM.
        small: String,
        /// The good one.
        large: String,
    },
}

/// How prompts were drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Drawn {
    /// Seed of the division of the prompts and of the resamples.
    pub seed: u32,
    /// The share of the test prompts that was left untouched.
    pub holdout_share: f64,
    /// Number of prompts with an LLM to choose that chose the setting.
    pub n_chosen_on: usize,
    /// Number of resamples behind the intervals.
    pub n_resamples: usize,
    /// The share of the resamples in which the target was out of reach.
    pub out_of_reach: f64,
}

/// A number to expect, and the interval that it falls into with the level's probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Range {
    /// What is expected.
    pub estimate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What to expect of some new prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expected {
    /// How many new prompts the intervals are for.
    pub n_new_prompts: usize,
    /// The intervals' level of confidence.
    pub level: f64,
    /// US dollars per 1,000 prompts.
    pub usd_per_1k: Range,
    /// Mean score.
    pub accuracy: Range,
    /// Each LLM's share, in the router's order.
    pub shares: Vec<ModelShare<Range>>,
    /// The part of the resamples in which new prompts missed the target; none in calibrations of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<f64>,
}

/// A target that new prompts keep with a probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Promised {
    /// The probability.
    pub confidence: f64,
    /// What the mean over [`Expected::n_new_prompts`] or more new prompts keeps to with it, in the target's unit: at most so many dollars per 1,000,
    /// such a part of an LLM's cost or such a share, or at least this score.
    pub limit: f64,
    /// How many of the prompts that chose the setting tested it.
    pub n_testing: usize,
    /// What the promise is paid for with: what the setting would be that meets the target in the mean.
    pub in_the_mean: InTheMean,
}

/// A setting that meets the target in the mean, and about as often misses it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InTheMean {
    /// The setting.
    pub setting: CalibratedSetting,
    /// What to expect of it.
    pub usd_per_1k: Range,
    /// The same of its mean score.
    pub accuracy: Range,
    /// The part of the resamples in which new prompts missed the target.
    pub missed: f64,
}

/// Results on the untouched prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Realized {
    /// Number of untouched prompts with an LLM to choose.
    pub n_prompts: usize,
    /// US dollars per 1,000 prompts.
    pub usd_per_1k: f64,
    /// Mean score.
    pub accuracy: f64,
    /// Each LLM's share, in the router's order.
    pub shares: Vec<ModelShare<f64>>,
}

/// One LLM's share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelShare<T> {
    /// The LLM.
    pub model: String,
    /// Its share, in [0, 1].
    pub share: T,
}

impl Range {
    /// Whether a value lies within.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

impl Calibration {
    /// Where the calibration of a name is, in a router's folder.
    ///
    /// # Errors
    /// [`Error::BadCalibrationName`] for a name that cannot be a file's.
    pub fn path(folder: &Path, name: &str) -> Result<PathBuf> {
        let is_plain = |c: char| c.is_alphanumeric() || "._-+%".contains(c);
        if name.parse::<FolderName>().is_err() || !name.chars().all(is_plain) {
            return Err(Error::BadCalibrationName {
                name: name.to_owned(),
            });
        }
        Ok(folder.join(CALIBRATIONS).join(format!("{name}.json")))
    }

    /// Turns any text into a name that a file can have: other characters become hyphens.
    pub fn name_of(text: &str) -> String {
        let plain = |c: char| match c {
            c if c.is_alphanumeric() || "._+%".contains(c) => c,
            _ => '-',
        };
        text.chars().map(plain).collect()
    }

    /// The names of a router's calibrations, in order.
    ///
    /// # Errors
    /// [`Error::Dataset`].
    pub fn names(folder: &Path) -> Result<Vec<String>> {
        let calibrations = folder.join(CALIBRATIONS);
        let entries = match fs::read_dir(&calibrations) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(dataset::Error::io("list", &calibrations))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry
                .map_err(dataset::Error::io("list", &calibrations))?
                .path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if let (Some(name), false) = (name.strip_suffix(".json"), name.starts_with('.')) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Reads a calibration, whether it is up to date or not.
    ///
    /// # Errors
    /// [`Error::NoCalibration`], which names the existing ones; [`Error::Dataset`] for a file that cannot be read, or of another version.
    pub fn read(folder: &Path, name: &str) -> Result<Self> {
        let path = Self::path(&atomic::set_aside(folder), name)?;
        if !path.is_file() {
            return Err(Error::NoCalibration {
                folder: folder.to_owned(),
                name: name.to_owned(),
                names: Self::names(folder)?,
            });
        }
        Ok(json::read_versioned(&path, CALIBRATION_FORMAT_VERSION)?)
    }

    /// Reads a calibration and refuses one that was made for something else than what is there now: the router's files, and the test part
    /// and predictions as far as they are where they were. A router that was copied to another machine needs neither of the two.
    ///
    /// # Errors
    /// [`Error::StaleCalibration`], or any of [`Calibration::read`].
    pub fn open(folder: &Path, name: &str) -> Result<Self> {
        let this = Self::read(folder, name)?;
        let stale = |changed: &Path| Error::StaleCalibration {
            folder: folder.to_owned(),
            name: name.to_owned(),
            changed: changed.to_owned(),
        };
        // By content and not by time: a folder that was copied or fetched is new, and the same.
        if Self::model_sha256_of(folder)? != this.model_sha256 {
            return Err(stale(folder));
        }
        for input in &this.inputs {
            // An input that is gone is no reason: it is needed to calibrate, not to route.
            if input.path.is_file() && sha256_file(&input.path)? != input.sha256 {
                return Err(stale(&input.path));
            }
        }
        Ok(this)
    }

    /// Writes the calibration atomically into a router's folder, under its name. Returns the file.
    ///
    /// # Errors
    /// [`Error::BadCalibrationName`] or [`Error::Dataset`].
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = Self::path(folder, &self.name)?;
        let calibrations = folder.join(CALIBRATIONS);
        fs::create_dir_all(&calibrations)
            .map_err(dataset::Error::io("create the folder", &calibrations))?;
        json::write(&path, self)?;
        Ok(path)
    }

    /// SHA-256 over the names and hashes of all files of a router's folder but its calibrations, in the order of their names.
    ///
    /// # Errors
    /// [`Error::Dataset`].
    pub fn model_sha256_of(folder: &Path) -> Result<String> {
        let folder = &atomic::set_aside(folder);
        let mut names = Vec::new();
        // Without calibrations: or else writing one would make all of them stale, itself included.
        files::list(folder, "", &mut names)?;
        // The system lists a folder in any order.
        names.sort();
        let mut text = String::new();
        for name in names {
            text += &format!("{} {name}\n", sha256_file(&folder.join(&name))?);
        }
        Ok(sha256_bytes(text.as_bytes()))
    }
}
