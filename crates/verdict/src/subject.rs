//! A data set with what was predicted on it, each file read when it is first asked for.

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeMap,
    path::Path,
    rc::Rc,
};

use dataset::{
    DatasetDir, DatasetInfo, PartTable, PerModel, Predictions, Reason, TestPredictions, TestSet,
    Unusable,
};
use evaluation::Router;
use serde::Deserialize;

use crate::{Error, Result, obstacle::Obstacle};

/// What a data set is judged by.
pub(crate) struct Subject {
    pub(crate) dir: DatasetDir,
    pub(crate) info: DatasetInfo,
    /// What its generator found out, where it did.
    pub(crate) summary: Option<Summary>,
    test_set: OnceCell<TestSet>,
    routers: RefCell<BTreeMap<String, Rc<TestPredictions>>>,
    expectations: OnceCell<Option<PerModel>>,
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
    ) -> Result<Result<Self, String>> {
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
        // Tables are read when a claim first needs them: most claims on a large data set need two numbers of this file.
        let info = DatasetInfo::read(&dir.info())?;
        let summary = info.findings.get("summary").cloned();
        let summary = summary.map(serde_json::from_value).transpose();
        Ok(Ok(Self {
            summary: summary.map_err(|source| Error::BadSummary {
                path: dir.info(),
                source,
            })?,
            dir,
            info,
            test_set: OnceCell::new(),
            routers: RefCell::default(),
            expectations: OnceCell::new(),
        }))
    }

    /// What the source says of its test rows as a whole, where the split lacks those without a text.
    pub(crate) fn whole(&self) -> Option<(&Summary, &Order)> {
        let summary = self.summary.as_ref()?;
        // With all texts there, the data set itself gives every number, and the summary would only repeat it.
        if summary.n_documents_without_text == 0 {
            return None;
        }
        let order = match (&summary.as_published, self.info.options.get("as-published")) {
            (Some(order), Some(_)) => order,
            _ => &summary.by_document,
        };
        Some((summary, order))
    }

    /// The test part.
    pub(crate) fn test(&self) -> Result<&PartTable> {
        Ok(self.test_set()?.split())
    }

    fn test_set(&self) -> dataset::Result<&TestSet> {
        first_time(&self.test_set, || TestSet::open(&self.dir))
    }

    /// The true expectations on the test part.
    pub(crate) fn expectations(&self) -> Result<&PerModel, Obstacle> {
        let read = first_time(&self.expectations, || self.test_set()?.expectations())?;
        read.as_ref()
            .ok_or_else(|| Obstacle::NotRun("the data set has no true expectations".to_owned()))
    }

    /// What a router predicted for the test part, from the embeddings that are asked for.
    pub(crate) fn router(
        &self,
        router: &str,
        embedder: Option<&str>,
    ) -> Result<Rc<TestPredictions>, Obstacle> {
        let known = self.routers.borrow().get(router).cloned();
        let found = match known {
            Some(found) => found,
            None => {
                let read = Rc::new(usable(self.test_set()?.router(router)?)?);
                let mut routers = self.routers.borrow_mut();
                Rc::clone(routers.entry(router.to_owned()).or_insert(read))
            }
        };
        match (embedder, &found.made_from.embedder) {
            (Some(wanted), Some(other)) if wanted != other => Err(Obstacle::NotRun(format!(
                "the number needs embeddings of `{wanted}`, the predictions of `{router}` were made from those of `{other}`"
            ))),
            // Not known is not the same: a match by chance would pass a claim that nobody checked.
            (Some(wanted), None) => Err(Obstacle::NotRun(format!(
                "the number needs embeddings of `{wanted}`, and the predictions of `{router}` do not say what they were made from"
            ))),
            _ => Ok(found),
        }
    }

    /// What a router predicted that was fitted on so many train prompts.
    pub(crate) fn on_train_size(
        &self,
        router: &str,
        n_train: usize,
    ) -> Result<TestPredictions, Obstacle> {
        usable(self.test_set()?.learning_curve(router, n_train)?)
    }

    /// Predictions as they are measured.
    pub(crate) fn measured<'a>(&self, found: &'a TestPredictions) -> Result<Router<'a>> {
        Ok(Router::of(&found.predictions, self.test_set()?)?)
    }
}

/// What a cell holds, read when it is first asked for.
fn first_time<T>(
    cell: &OnceCell<T>,
    read: impl FnOnce() -> dataset::Result<T>,
) -> dataset::Result<&T> {
    match cell.get() {
        Some(value) => Ok(value),
        None => {
            // `OnceCell::get_or_try_init` is not stable; a failed read leaves the cell empty, and is tried again.
            let value = read()?;
            Ok(cell.get_or_init(|| value))
        }
    }
}

/// A claim about predictions that are missing or of another version was not run; predictions that claim to belong and do not are a failure.
fn usable(read: Result<TestPredictions, Unusable>) -> Result<TestPredictions, Obstacle> {
    read.map_err(|unusable| {
        let (dataset, router) = (&unusable.dataset, &unusable.router);
        let why = cli_support::with_fit_command(&unusable, dataset, router, unusable.n_train);
        match unusable.reason {
            // Nothing was claimed of these files, so nothing has failed; a new fit answers the claim.
            Reason::Missing | Reason::Stale | Reason::UnknownOrigin { .. } => Obstacle::NotRun(why),
            Reason::DoesNotFit { .. } => Obstacle::Failed(Error::Unusable { why }),
        }
    })
}

/// Every LLM's predicted score and cost, where the router has them.
pub(crate) fn per_model(found: &TestPredictions) -> Result<&PerModel, Obstacle> {
    match &found.predictions {
        Predictions::PerModel(per_model) => Ok(per_model),
        Predictions::SmallWins(_) => Err(Obstacle::Failed(Error::NotPerModel)),
    }
}
