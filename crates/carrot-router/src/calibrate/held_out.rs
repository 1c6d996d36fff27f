use std::path::{Path, PathBuf};

use dataset::{
    DatasetDir, Pair, Part, PerModel, Predictions, RunManifest, SmallWins, Source, Split,
    train_test_split,
};
use evaluation::{Predicted, Router, Truth};
use ndarray::{Array1, Array2, Axis};
use saved_routers::{NewFolder, Record};

use crate::CalibrationError;

/// A saved router's predictions for prompts that it was not fitted on, and the truth about them.
#[derive(Debug, Clone)]
pub struct HeldOut {
    dataset: String,
    router: String,
    folder: PathBuf,
    models: Vec<String>,
    pair: Option<Pair>,
    inputs: Vec<Source>,
    all: Half,
}

/// Some of the prompts.
#[derive(Debug, Clone)]
pub(super) struct Half {
    scores: Array2<f32>,
    cost_usd: Array2<f64>,
    predicted: Estimates,
}

#[derive(Debug, Clone)]
enum Estimates {
    PerModel {
        scores: Array2<f32>,
        cost_usd: Array2<f64>,
    },
    Pair {
        pair: evaluation::Pair,
        probability: Vec<f32>,
    },
}

impl HeldOut {
    /// Reads a router's record, its predictions for the test split, and that. Refuses predictions of another fit than the one that is saved.
    pub fn open(
        data_dir: &Path,
        models_dir: &Path,
        dataset: &str,
        router: &str,
    ) -> Result<Self, CalibrationError> {
        let dir = DatasetDir::existing(data_dir, dataset)?;
        let folder = models_dir.join(dataset).join(router);
        NewFolder::recover(&folder)?;
        let record = Record::read(&folder)?;
        if record.is_edited() {
            return Err(CalibrationError::Edited { folder });
        }
        let [test_path, path] = [dir.split(Part::Test), dir.predictions(router)];
        let manifest = RunManifest::read(&dir.manifest(router))?;
        let predictions = Predictions::read(&path)?;
        let inputs = vec![Source::of(&test_path)?, Source::of(&path)?];
        let is_input = |sha256: &str| manifest.inputs.iter().any(|it| it.sha256 == sha256);
        let is_same_fit = manifest.config == record.config
            && manifest.results == record.results
            && is_input(&record.train_sha256);
        if !is_same_fit || !is_input(&inputs[0].sha256) {
            return Err(CalibrationError::OtherFit {
                predictions: path,
                folder,
            });
        }
        let split = Split::read(&test_path)?;
        predictions.check_fits(&path, &test_path, &split)?;
        let (pair, predicted) = match predictions {
            Predictions::PerModel(PerModel {
                scores, cost_usd, ..
            }) => (None, Estimates::PerModel { scores, cost_usd }),
            Predictions::SmallWins(SmallWins { probability, .. }) => {
                let pair = record.pair.ok_or_else(|| CalibrationError::NoPair {
                    router: router.to_owned(),
                })?;
                let position = |name: &String| {
                    let position = split.models.iter().position(|model| model == name);
                    position.ok_or_else(|| evaluation::Error::NoModelOfThatName {
                        name: name.clone(),
                        models: split.models.clone(),
                    })
                };
                let positions = evaluation::Pair {
                    small: position(&pair.small)?,
                    large: position(&pair.large)?,
                };
                let probability = probability.to_vec();
                let estimates = Estimates::Pair {
                    pair: positions,
                    probability,
                };
                (Some(pair), estimates)
            }
        };
        Ok(Self {
            dataset: dataset.to_owned(),
            router: router.to_owned(),
            folder,
            models: split.models,
            pair,
            inputs,
            all: Half {
                scores: split.scores,
                cost_usd: split.cost_usd,
                predicted,
            },
        })
    }

    /// The data set.
    pub fn dataset(&self) -> &str {
        &self.dataset
    }

    /// The router.
    pub fn router(&self) -> &str {
        &self.router
    }

    /// The router's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The LLMs, in the order of the test split.
    pub fn models(&self) -> &[String] {
        &self.models
    }

    /// The LLMs of a router that decides between two.
    pub fn pair(&self) -> Option<&Pair> {
        self.pair.as_ref()
    }

    /// The files of the test split and the predictions.
    pub fn inputs(&self) -> &[Source] {
        &self.inputs
    }

    /// Divides the prompts, as a seed says, into those that choose a setting and those that stay untouched.
    pub(super) fn part(
        &self,
        untouched_share: f64,
        seed: u32,
    ) -> Result<(Half, Half), CalibrationError> {
        let n_prompts = self.all.scores.nrows();
        let parts = train_test_split(n_prompts, untouched_share, seed)
            .map_err(CalibrationError::TooFewPrompts)?;
        let rows = |rows: Vec<u32>| {
            let mut rows: Vec<usize> = rows.into_iter().map(|row| row as usize).collect();
            rows.sort_unstable();
            self.all.select(&rows)
        };
        Ok((rows(parts.train), rows(parts.test)))
    }
}

impl Half {
    pub(super) fn truth(&self) -> Result<Truth<'_>, CalibrationError> {
        Ok(Truth::new(self.scores.view(), self.cost_usd.view())?)
    }

    pub(super) fn router(&self) -> Result<Router<'_>, CalibrationError> {
        Ok(match &self.predicted {
            Estimates::PerModel { scores, cost_usd } => Router::PerModel {
                predicted: Predicted::new(scores.view(), cost_usd.view())?,
                pair: None,
            },
            Estimates::Pair { pair, probability } => Router::Pair {
                pair: *pair,
                small_win_probability: probability,
            },
        })
    }

    fn select(&self, rows: &[usize]) -> Self {
        Self {
            scores: self.scores.select(Axis(0), rows),
            cost_usd: self.cost_usd.select(Axis(0), rows),
            predicted: match &self.predicted {
                Estimates::PerModel { scores, cost_usd } => Estimates::PerModel {
                    scores: scores.select(Axis(0), rows),
                    cost_usd: cost_usd.select(Axis(0), rows),
                },
                Estimates::Pair { pair, probability } => Estimates::Pair {
                    pair: *pair,
                    probability: Array1::from(probability.clone())
                        .select(Axis(0), rows)
                        .to_vec(),
                },
            },
        }
    }
}
