//! A data set with what was predicted on it, each file read when it is first asked for.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, bail};
use dataset::{
    DatasetDir, DatasetInfo, Part, PerModel, Predictions, RunManifest, Split, sha256_file,
};
use evaluation::{Pair, Predicted, Router};
use serde::Deserialize;

use crate::measure::Obstacle;

/// What a data set is judged by.
pub(crate) struct Subject {
    pub(crate) dir: DatasetDir,
    pub(crate) info: DatasetInfo,
    /// What its generator found out, where it did.
    pub(crate) summary: Option<Summary>,
    test: Option<Test>,
    routers: BTreeMap<String, Prediction>,
    truth: Option<PerModel>,
}

/// The test split and its hash.
struct Test {
    split: Split,
    sha256: String,
}

/// What a router predicted, and what made it.
#[derive(Debug, Clone)]
pub(crate) struct Prediction {
    predictions: Predictions,
    pair: Option<Pair>,
    /// `None` where no manifest tells, or no embedder was used.
    embedder: Option<String>,
}

/// `findings.summary` of gen-openllm: numbers over all documents of the source, also those without a text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Summary {
    pub(crate) n_documents: usize,
    #[serde(default)]
    pub(crate) n_documents_without_text: usize,
    pub(crate) n_test: usize,
    pub(crate) models: Vec<String>,
    as_published: Option<Order>,
    by_document: Order,
}

/// The test rows in one order of the source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Order {
    pub(crate) best_single_score: f64,
    pub(crate) oracle: f64,
    /// One per LLM.
    #[serde(default)]
    pub(crate) accuracies: Vec<f64>,
}

impl Subject {
    /// Opens a data set; the inner error is why there is none, which may be known already.
    ///
    /// # Errors
    /// When its dataset.json cannot be read.
    pub(crate) fn read(
        data_dir: &Path,
        name: &str,
        reason: Option<&str>,
    ) -> anyhow::Result<Result<Self, String>> {
        let dir = DatasetDir::new(data_dir, name);
        if !dir.info().is_file() {
            let reason = reason.map_or_else(
                || {
                    format!(
                        "there is no data set `{name}` under `{}`",
                        data_dir.display()
                    )
                },
                str::to_owned,
            );
            return Ok(Err(reason));
        }
        let info = DatasetInfo::read(&dir.info())?;
        let summary = info.findings.get("summary").cloned();
        let summary = summary.map(serde_json::from_value).transpose();
        Ok(Ok(Self {
            summary: summary.with_context(|| {
                format!(
                    "`findings.summary` in `{}` is of no known form",
                    dir.info().display()
                )
            })?,
            dir,
            info,
            test: None,
            routers: BTreeMap::new(),
            truth: None,
        }))
    }

    /// What the source says of its test rows as a whole, where the split lacks those without a text.
    pub(crate) fn whole(&self) -> Option<(&Summary, &Order)> {
        let summary = self.summary.as_ref()?;
        if summary.n_documents_without_text == 0 {
            return None;
        }
        let order = match (&summary.as_published, self.info.options.get("as-published")) {
            (Some(order), Some(_)) => order,
            _ => &summary.by_document,
        };
        Some((summary, order))
    }

    /// The test split.
    pub(crate) fn test(&mut self) -> anyhow::Result<&Split> {
        Ok(&self.loaded()?.split)
    }

    fn loaded(&mut self) -> anyhow::Result<&Test> {
        if self.test.is_none() {
            let path = self.dir.split(Part::Test);
            self.test = Some(Test {
                split: Split::read(&path)?,
                sha256: sha256_file(&path)?,
            });
        }
        Ok(self.test.as_ref().expect("just read"))
    }

    /// The true expectations on the test split.
    pub(crate) fn truth(&mut self) -> Result<&PerModel, Obstacle> {
        if self.truth.is_none() {
            let path = self.dir.truth(Part::Test);
            if !path.is_file() {
                return Err(Obstacle::NotRun(
                    "the data set has no true expectations".to_owned(),
                ));
            }
            let split_path = self.dir.split(Part::Test);
            let truth = Predictions::read(&path)?;
            truth.check_fits(&path, &split_path, self.test()?)?;
            self.truth = match truth {
                Predictions::PerModel(per_model) => Some(per_model),
                Predictions::SmallWins(_) => {
                    return Err(Obstacle::failed(format!(
                        "`{}` has no scores and costs of LLMs",
                        path.display()
                    )));
                }
            };
        }
        Ok(self.truth.as_ref().expect("just read"))
    }

    /// What a router predicted for the test split, by the vectors that are asked for.
    pub(crate) fn router(
        &mut self,
        router: &str,
        embedder: Option<&str>,
    ) -> Result<&Prediction, Obstacle> {
        if !self.routers.contains_key(router) {
            let path = self.dir.predictions(router);
            if !path.is_file() {
                return Err(Obstacle::NotRun(format!(
                    "there are no predictions of `{router}`; `cargo run -p train-and-infer -- --dataset {} --routers {router}` makes them",
                    self.dir.name()
                )));
            }
            let manifest = self.dir.manifest(router);
            let read = self.prediction(&path, &manifest)?;
            self.routers.insert(router.to_owned(), read);
        }
        let found = &self.routers[router];
        match (embedder, &found.embedder) {
            (Some(wanted), Some(other)) if wanted != other => Err(Obstacle::NotRun(format!(
                "the number needs vectors of `{wanted}`, the predictions of `{router}` were made from those of `{other}`"
            ))),
            (Some(wanted), None) => Err(Obstacle::NotRun(format!(
                "the number needs vectors of `{wanted}`, and no manifest tells what the predictions of `{router}` were made from"
            ))),
            _ => Ok(found),
        }
    }

    /// What a router predicted that was fitted on so many train prompts.
    pub(crate) fn on_train_size(
        &mut self,
        router: &str,
        n_train: usize,
    ) -> Result<Prediction, Obstacle> {
        let path = self.dir.learning_curve_predictions(router, n_train);
        let manifest = self.dir.learning_curve_manifest(router, n_train);
        self.prediction(&path, &manifest)
    }

    /// Reads predictions that are there; those for an older test split do not count.
    fn prediction(&mut self, path: &Path, manifest: &Path) -> Result<Prediction, Obstacle> {
        let manifest = (manifest.is_file())
            .then(|| RunManifest::read(manifest))
            .transpose()?;
        let test = self.loaded()?;
        let is_stale = manifest.as_ref().is_some_and(|manifest| {
            (manifest.inputs.iter()).all(|input| input.sha256 != test.sha256)
        });
        if is_stale {
            return Err(Obstacle::NotRun(format!(
                "`{}` was made from another version of the test split",
                path.display()
            )));
        }
        let predictions = Predictions::read(path)?;
        let split_path = self.dir.split(Part::Test);
        let test = self.test()?;
        predictions.check_fits(path, &split_path, test)?;
        let models = test.models.clone();
        Ok(Prediction {
            pair: self.pair(&models)?,
            predictions,
            embedder: manifest.and_then(|manifest| manifest.embedder),
        })
    }

    /// Positions of the small and the large LLM, where the data set names them.
    fn pair(&self, models: &[String]) -> anyhow::Result<Option<Pair>> {
        let Some(pair) = &self.info.pair else {
            return Ok(None);
        };
        let position = |name: &String| {
            let position = models.iter().position(|model| model == name);
            position.with_context(|| {
                format!(
                    "`{}` names `{name}` in its pair, which is no LLM of it",
                    self.dir.info().display()
                )
            })
        };
        Ok(Some(Pair {
            small: position(&pair.small)?,
            large: position(&pair.large)?,
        }))
    }
}

impl Prediction {
    /// The predictions as they are measured.
    pub(crate) fn router(&self) -> anyhow::Result<Router<'_>> {
        match (&self.predictions, self.pair) {
            (Predictions::PerModel(per_model), pair) => Ok(Router::PerModel {
                predicted: Predicted::of(per_model)?,
                pair,
            }),
            (Predictions::SmallWins(wins), Some(pair)) => Ok(Router::Pair {
                pair,
                small_win_probability: wins
                    .probability
                    .as_slice()
                    .expect("a column of its own is contiguous"),
            }),
            (Predictions::SmallWins(_), None) => {
                bail!("the data set names no pair, so a binary router has nothing to choose")
            }
        }
    }

    /// Every LLM's predicted score and cost, where the router has them.
    pub(crate) fn per_model(&self) -> Result<&PerModel, Obstacle> {
        match &self.predictions {
            Predictions::PerModel(per_model) => Ok(per_model),
            Predictions::SmallWins(_) => Err(Obstacle::failed(
                "the router predicts no score of each LLM, as the metric needs".to_owned(),
            )),
        }
    }
}
