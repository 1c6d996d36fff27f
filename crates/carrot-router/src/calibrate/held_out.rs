use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use dataset::{
    DatasetDir, Pair, Part, PerModel, Predictions, RunManifest, SmallWins, Source, Split,
    train_test_split,
};
use evaluation::{Predicted, Router, Truth};
use ndarray::{Array1, Array2, Axis};
use saved_routers::{NewFolder, Record};

/// A saved router's predictions for prompts that it was not fitted on, and the truth about them.
pub(crate) struct HeldOut {
    pub(crate) dataset: String,
    pub(crate) router: String,
    /// The router's folder.
    pub(crate) folder: PathBuf,
    pub(crate) models: Vec<String>,
    /// Of a router of two LLMs.
    pub(crate) pair: Option<Pair>,
    /// The test split and the predictions.
    pub(crate) inputs: Vec<Source>,
    all: Half,
}

/// Some of the prompts.
pub(crate) struct Half {
    scores: Array2<f32>,
    cost_usd: Array2<f64>,
    predicted: Estimates,
}

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
    pub(crate) fn open(
        data_dir: &Path,
        models_dir: &Path,
        dataset: &str,
        router: &str,
    ) -> anyhow::Result<Self> {
        let dir = DatasetDir::existing(data_dir, dataset)?;
        let folder = models_dir.join(dataset).join(router);
        NewFolder::recover(&folder)?;
        let record = Record::read(&folder)?;
        if record.is_edited() {
            bail!(
                "the LLMs of `{}` were changed after its fit, and nobody asked the new ones for the test split; calibrate the router that it was made \
                 from, or make a data set with these LLMs and fit a router on it",
                folder.display()
            );
        }
        let fit_again = || {
            format!(
                "fit it again: cargo run -p train-and-infer -- --dataset {dataset} --routers {router}"
            )
        };
        let [test_path, path] = [dir.split(Part::Test), dir.predictions(router)];
        let manifest = RunManifest::read(&dir.manifest(router)).with_context(fit_again)?;
        let predictions = Predictions::read(&path).with_context(fit_again)?;
        let inputs = vec![Source::of(&test_path)?, Source::of(&path)?];
        let is_input = |sha256: &str| manifest.inputs.iter().any(|it| it.sha256 == sha256);
        let is_same_fit = manifest.config == record.config
            && manifest.results == record.results
            && is_input(&record.train_sha256);
        if !is_same_fit {
            bail!(
                "`{}` was not predicted by the router in `{}`, but by another fit; {}",
                path.display(),
                folder.display(),
                fit_again()
            );
        }
        if !is_input(&inputs[0].sha256) {
            bail!(
                "`{}` has changed since `{}` was predicted; {}",
                test_path.display(),
                path.display(),
                fit_again()
            );
        }
        let split = Split::read(&test_path)?;
        predictions.check_fits(&path, &test_path, &split)?;
        let (pair, predicted) = match predictions {
            Predictions::PerModel(PerModel {
                scores, cost_usd, ..
            }) => (None, Estimates::PerModel { scores, cost_usd }),
            Predictions::SmallWins(SmallWins { probability, .. }) => {
                let pair = record.pair.context("the router names no pair of LLMs")?;
                let position = |name: &String| {
                    split
                        .models
                        .iter()
                        .position(|model| model == name)
                        .with_context(|| format!("`{}` has no LLM `{name}`", test_path.display()))
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

    /// Parts the prompts in those that choose and those that stay untouched, as a seed says.
    pub(crate) fn part(&self, untouched_share: f64, seed: u32) -> anyhow::Result<(Half, Half)> {
        let n_prompts = self.all.scores.nrows();
        let parts = train_test_split(n_prompts, untouched_share, seed)
            .context("too few test prompts to leave some untouched")?;
        let rows = |rows: Vec<u32>| {
            let mut rows: Vec<usize> = rows.into_iter().map(|row| row as usize).collect();
            rows.sort_unstable();
            self.all.select(&rows)
        };
        Ok((rows(parts.train), rows(parts.test)))
    }
}

impl Half {
    pub(crate) fn truth(&self) -> anyhow::Result<Truth<'_>> {
        Ok(Truth::new(self.scores.view(), self.cost_usd.view())?)
    }

    pub(crate) fn router(&self) -> anyhow::Result<Router<'_>> {
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
