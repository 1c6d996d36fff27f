use std::path::{Path, PathBuf};

use dataset::{
    DatasetDir, Pair, PairIdx, Predictions, RunManifest, Source, TablePropensities,
    TestPredictions, TestSet, train_test_split,
};
use evaluation::{Gaps, Router, Truth, baseline::single_models};
use ndarray::{Array2, Axis};
use saved_routers::{Record, TokenLines, TokenRange};

use crate::CalibrationError;

/// A saved router's predictions for prompts that it was not fitted on, and the observed scores and costs of these.
#[derive(Debug, Clone)]
pub struct HeldOut {
    dataset: String,
    router: String,
    folder: PathBuf,
    models: Vec<String>,
    pair: Option<Pair>,
    inputs: Vec<Source>,
    input_tokens: Option<TokenRange>,
    least_token_r2: Option<f64>,
    /// The file of propensities that were estimated.
    estimated_in: Option<PathBuf>,
    is_unweighed_log: bool,
    all: Half,
}

/// Some of the prompts.
#[derive(Debug, Clone)]
pub(super) struct Half {
    scores: Array2<f32>,
    cost_usd: Array2<f64>,
    /// With which probability each LLM was asked, where the test part or an estimate says it.
    propensities: Option<TablePropensities>,
    predictions: Predictions,
    /// Of a router that decides between two LLMs.
    pair: Option<PairIdx>,
}

impl HeldOut {
    /// Reads the record of the router in `models_dir/dataset/router`, the test part of the data set, and the router's predictions for it.
    ///
    /// # Errors
    /// [`CalibrationError::Edited`]; [`CalibrationError::Unusable`] for predictions that are missing or not for this test part;
    /// [`CalibrationError::OtherFit`] for those of another fit than the saved one; or an error about a file.
    pub fn open(
        data_dir: &Path,
        models_dir: &Path,
        dataset: &str,
        router: &str,
    ) -> Result<Self, CalibrationError> {
        let dir = DatasetDir::existing(data_dir, dataset)?;
        let folder = models_dir.join(dataset).join(router);
        let record = Record::read(&folder)?;
        if record.is_edited() {
            return Err(CalibrationError::Edited { folder });
        }
        let test_set = TestSet::open(&dir)?;
        let TestPredictions {
            path,
            predictions,
            made_from,
        } = test_set
            .router(router)?
            .map_err(|unusable| CalibrationError::Unusable(unusable.into()))?;
        let manifest = RunManifest::read(&dir.manifest(router))?;
        // Predictions of an older version do not name the train part themselves; their manifest lists it among the inputs.
        let is_of_train = match &made_from.train_sha256 {
            Some(sha256) => *sha256 == record.train_sha256,
            None => made_from.other_sha256.contains(&record.train_sha256),
        };
        // Settings, results and train part identify a fit: any other one differs in at least one of them.
        if manifest.config != record.config || manifest.results != record.results || !is_of_train {
            return Err(CalibrationError::OtherFit {
                predictions: path,
                folder,
                dataset: dataset.to_owned(),
                router: router.to_owned(),
            });
        }
        let split = test_set.split();
        let (pair, positions) = match predictions {
            Predictions::PerModel(_) => (None, None),
            Predictions::SmallWins(_) => {
                let pair = record.pair.ok_or_else(|| CalibrationError::NoPair {
                    router: router.to_owned(),
                })?;
                // By the router's record and not by dataset.json, which may name another pair by now.
                let positions = pair.positions(&folder.join("router.json"), &split.models)?;
                (Some(pair), Some(positions))
            }
        };
        let mut inputs = vec![Source::of(test_set.path())?, Source::of(&path)?];
        let estimated = (split.propensities.as_ref()).filter(|it| it.are_estimated);
        let estimated_in = estimated.map(|_| dir.propensities());
        // What is calibrated by estimates is out of date when these are.
        if let Some(path) = &estimated_in {
            inputs.push(Source::of(path)?);
        }
        Ok(Self {
            dataset: dataset.to_owned(),
            router: router.to_owned(),
            folder,
            models: split.models.clone(),
            pair,
            inputs,
            input_tokens: split.input_tokens.as_ref().and_then(TokenRange::billed),
            least_token_r2: (record.token_lines.as_ref()).and_then(TokenLines::least_r2),
            estimated_in,
            is_unweighed_log: split.propensities.is_none() && split.asked().is_some(),
            all: Half {
                scores: split.scores.clone(),
                cost_usd: split.cost_usd.clone(),
                propensities: split.propensities.clone(),
                predictions,
                pair: positions,
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

    /// The LLMs, in the order of the test part.
    pub fn models(&self) -> &[String] {
        &self.models
    }

    /// Number of test prompts.
    pub(super) fn n_prompts(&self) -> usize {
        self.all.scores.nrows()
    }

    /// The LLMs of a router that decides between two.
    pub fn pair(&self) -> Option<&Pair> {
        self.pair.as_ref()
    }

    /// The files of the test part and the predictions.
    pub fn inputs(&self) -> &[Source] {
        &self.inputs
    }

    /// What is missing of the test part, if anything.
    ///
    /// # Errors
    /// [`CalibrationError::Evaluation`] for a test part without a prompt or an LLM, or with propensities that cannot be.
    pub fn gaps(&self) -> Result<Option<Gaps>, CalibrationError> {
        Ok(Gaps::of(&self.all.truth()?))
    }

    /// The input tokens of the test prompts as they were billed, where the test part says it.
    pub fn input_tokens(&self) -> Option<TokenRange> {
        self.input_tokens
    }

    /// The smallest R2 of the router's lines from counted to billed tokens, where it has any.
    pub fn least_token_r2(&self) -> Option<f64> {
        self.least_token_r2
    }

    /// The file of the propensities that were estimated, where the test part is of a log that does not say them and train-and-infer did.
    pub fn estimated_in(&self) -> Option<&Path> {
        self.estimated_in.as_deref()
    }

    /// Whether one LLM was asked for each prompt, and neither the test part nor an estimate says with which probability.
    pub fn is_unweighed_log(&self) -> bool {
        self.is_unweighed_log
    }

    /// The cost of an LLM on the prompts, in US dollars for 1,000, where it is known of some; and of how many prompts it is known.
    pub(super) fn cost_of(
        &self,
        model_idx: usize,
    ) -> Result<(Option<f64>, usize), CalibrationError> {
        let point = single_models(&self.all.truth()?)[model_idx];
        let column = self.all.cost_usd.column(model_idx);
        let n_known = column.iter().filter(|cost| cost.is_finite()).count();
        Ok((point.map(|point| 1e3 * point.cost_usd), n_known))
    }

    /// Divides the prompts, by a seed, into those that choose a setting and those that stay untouched.
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
            // In the order of the test part, so that sums do not depend on the order in which rows were drawn.
            rows.sort_unstable();
            self.all.select(&rows)
        };
        Ok((rows(parts.train), rows(parts.test)))
    }
}

impl Half {
    pub(super) fn truth(&self) -> Result<Truth<'_>, CalibrationError> {
        let (scores, cost_usd) = (self.scores.view(), self.cost_usd.view());
        Ok(Truth::with_table(
            scores,
            cost_usd,
            self.propensities.as_ref(),
        )?)
    }

    pub(super) fn router(&self) -> Result<Router<'_>, CalibrationError> {
        Ok(Router::with_pair(&self.predictions, self.pair)?)
    }

    fn select(&self, rows: &[usize]) -> Self {
        Self {
            scores: self.scores.select(Axis(0), rows),
            cost_usd: self.cost_usd.select(Axis(0), rows),
            propensities: (self.propensities.as_ref()).map(|it| it.select(rows)),
            predictions: self.predictions.select(rows),
            pair: self.pair,
        }
    }
}
