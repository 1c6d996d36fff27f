use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use dataset::{
    DatasetDir, Pair, PairIdx, Predictions, RunManifest, Source, TestPredictions, TestSet,
    train_test_split,
};
use evaluation::{Router, Truth};
use ndarray::{Array2, Axis};
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
    predictions: Predictions,
    /// Of a router of two LLMs.
    pair: Option<PairIdx>,
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
                "the LLMs of `{}` were changed after its fit, and the new ones were never asked the test prompts; calibrate the router that it was made \
                 from, or make a data set with these LLMs and fit a router on it",
                folder.display()
            );
        }
        let fit_again = || {
            format!(
                "fit it again: {}",
                cli_support::fit_command(dataset, router, None)
            )
        };
        let test_set = TestSet::open(&dir)?;
        let TestPredictions {
            path,
            predictions,
            made_from,
        } = test_set.router(router)?.map_err(|unusable| {
            anyhow!(cli_support::with_fit_command(
                unusable, dataset, router, None
            ))
        })?;
        let manifest = RunManifest::read(&dir.manifest(router)).with_context(fit_again)?;
        // Predictions of an older version do not name the train part themselves; their manifest lists it among the inputs.
        let is_of_train = match &made_from.train_sha256 {
            Some(sha256) => *sha256 == record.train_sha256,
            None => made_from.other_sha256.contains(&record.train_sha256),
        };
        let is_same_fit =
            manifest.config == record.config && manifest.results == record.results && is_of_train;
        if !is_same_fit {
            bail!(
                "`{}` was not predicted by the router in `{}`, but by another fit; {}",
                path.display(),
                folder.display(),
                fit_again()
            );
        }
        let split = test_set.split();
        let (pair, positions) = match predictions {
            Predictions::PerModel(_) => (None, None),
            Predictions::SmallWins(_) => {
                let pair = record.pair.context("the router names no pair of LLMs")?;
                let positions = pair.positions(&folder.join("router.json"), &split.models)?;
                (Some(pair), Some(positions))
            }
        };
        Ok(Self {
            dataset: dataset.to_owned(),
            router: router.to_owned(),
            folder,
            models: split.models.clone(),
            pair,
            inputs: vec![Source::of(test_set.path())?, Source::of(&path)?],
            all: Half {
                scores: split.scores.clone(),
                cost_usd: split.cost_usd.clone(),
                predictions,
                pair: positions,
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
        Ok(Router::with_pair(&self.predictions, self.pair)?)
    }

    fn select(&self, rows: &[usize]) -> Self {
        Self {
            scores: self.scores.select(Axis(0), rows),
            cost_usd: self.cost_usd.select(Axis(0), rows),
            predictions: self.predictions.select(rows),
            pair: self.pair,
        }
    }
}
