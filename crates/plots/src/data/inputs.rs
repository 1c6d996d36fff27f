//! Which data sets exist, and what each of them holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use dataset::{
    DatasetDir, DatasetInfo, PairIdx, Part, PartTable, PerModel, Predictions, TestPredictions,
    TestSet, Unusable,
};
use evaluation::{
    Router, Truth,
    baseline::mean_costs,
    choice::{COST_MULTIPLIER, point_at},
};
use ndarray::Array1;
use tracing::warn;

use super::folder::names_in;

/// A data set's test side with all predictions for it.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) name: String,
    test_set: TestSet,
    /// By router name.
    pub(crate) routers: Vec<RouterInput>,
    /// Why the predictions of other routers cannot be used, by router name.
    pub(crate) left_out: BTreeMap<String, String>,
    /// Each LLM's mean cost in US dollars in the train part, where there is one and anything is known.
    pub(crate) train_mean_costs: Option<Array1<f64>>,
    /// The true expected scores and costs, which only synthetic data has.
    pub(crate) expectations: Option<PerModel>,
}

/// What one router predicted.
#[derive(Debug)]
pub(crate) struct RouterInput {
    pub(crate) router: String,
    /// The embedder whose embeddings it was fitted on, where that is recorded.
    pub(crate) embedder: Option<String>,
    pub(crate) predictions: Predictions,
}

/// What was found to draw in a data set.
pub(crate) enum Found {
    Inputs(Box<Inputs>),
    /// No usable predictions: why, and how to create some.
    Nothing {
        why: String,
        cure: String,
    },
}

/// All data sets under `data_dir`, by name.
///
/// # Errors
/// When the folder cannot be listed.
pub(crate) fn all(data_dir: &Path) -> anyhow::Result<Vec<DatasetDir>> {
    let names = names_under(data_dir)?;
    let dir = |name: &String| DatasetDir::new(data_dir, name);
    Ok(names.iter().map(dir).collect())
}

/// All data sets under `data_dir` that have predictions, by name.
///
/// # Errors
/// When a folder cannot be listed.
pub(crate) fn with_predictions(data_dir: &Path) -> anyhow::Result<Vec<DatasetDir>> {
    let mut found = Vec::new();
    for dir in all(data_dir)? {
        if !dir.routers()?.is_empty() {
            found.push(dir);
        }
    }
    Ok(found)
}

/// The command that creates predictions for a data set.
pub(crate) fn command(name: &str) -> String {
    cli_support::fit_command(name, "carrot-knn", None)
}

/// Folders that hold a study of rates, by name.
///
/// # Errors
/// When the folder cannot be listed.
pub(crate) fn rate_studies(data_dir: &Path) -> anyhow::Result<BTreeSet<String>> {
    names_with(data_dir, DatasetDir::rate_study)
}

/// Folders that hold a `dataset.json`, by name.
///
/// # Errors
/// When the folder cannot be listed.
pub(crate) fn names_under(data_dir: &Path) -> anyhow::Result<BTreeSet<String>> {
    names_with(data_dir, DatasetDir::info)
}

/// Folders that hold a certain file, by name.
fn names_with(
    data_dir: &Path,
    file: impl Fn(&DatasetDir) -> PathBuf,
) -> anyhow::Result<BTreeSet<String>> {
    let mut names = names_in(data_dir)?;
    // A hidden folder is what a killed generator left.
    names.retain(|name| !name.starts_with('.') && file(&DatasetDir::new(data_dir, name)).is_file());
    Ok(names.into_iter().collect())
}

impl Inputs {
    /// Reads a data set's test part and all its predictions, leaving out those that do not belong to the split or cannot choose an LLM.
    ///
    /// # Errors
    /// When a file cannot be read, or there is no pair of LLMs for the predictions of a binary router.
    pub(crate) fn read(dir: &DatasetDir) -> anyhow::Result<Found> {
        let nothing = |why: String| {
            let cure = format!("create some with `{}`", command(dir.name()));
            Ok(Found::Nothing { why, cure })
        };
        // Checked before anything is read: a data set without predictions is common, and its split may
        // be large.
        if dir.routers()?.is_empty() {
            return nothing("it has no predictions".to_owned());
        }
        let test_set = TestSet::open(dir)?;
        let mut routers = Vec::new();
        let mut left_out = BTreeMap::new();
        for router in dir.routers()? {
            // One unusable file must not cost the figures of all other routers; the page names it and
            // gives the reason.
            let found = match usable(test_set.router(&router)?) {
                Ok(found) => found,
                Err(why) => {
                    left_out.insert(router, why);
                    continue;
                }
            };
            if let Some(why) = cannot_choose(&found, &test_set)? {
                warn!("leaving out `{}`: {why}", found.path.display());
                left_out.insert(router, why.to_string());
                continue;
            }
            routers.push(RouterInput {
                router,
                embedder: found.made_from.embedder,
                predictions: found.predictions,
            });
        }
        if routers.is_empty() {
            return nothing(format!(
                "none of its predictions can be used with `{}` in its current version",
                test_set.path().display()
            ));
        }
        Ok(Found::Inputs(Box::new(Self {
            name: dir.name().to_owned(),
            train_mean_costs: train_mean_costs(dir, &test_set)?,
            expectations: test_set.expectations()?,
            test_set,
            routers,
            left_out,
        })))
    }

    /// Where the data set is.
    pub(crate) fn dir(&self) -> &DatasetDir {
        self.test_set.dir()
    }

    /// What the data set is.
    pub(crate) fn info(&self) -> &DatasetInfo {
        self.test_set.info()
    }

    /// The test part.
    pub(crate) fn test(&self) -> &PartTable {
        self.test_set.split()
    }

    /// The small and the large LLM, where dataset.json names two that are among the LLMs.
    pub(crate) fn pair(&self) -> Option<PairIdx> {
        self.test_set.pair()
    }

    /// Predictions as they are measured.
    ///
    /// # Errors
    /// When they have no prompt or no LLM, or are of a pair that the data set does not name.
    pub(crate) fn router<'a>(
        &self,
        predictions: &'a Predictions,
    ) -> evaluation::Result<Router<'a>> {
        Router::of(predictions, &self.test_set)
    }

    /// The predictions of a router fitted on subsets of the train part, by ascending size.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn learning_curve(&self, router: &str) -> anyhow::Result<Vec<(usize, Predictions)>> {
        let mut found = Vec::new();
        for n_train in self.test_set.dir().learning_curve_sizes(router)? {
            // A size that cannot be used leaves a gap, and the learning curve is still worth drawing
            // from the others.
            if let Ok(point) = usable(self.test_set.learning_curve(router, n_train)?) {
                found.push((n_train, point.predictions));
            }
        }
        Ok(found)
    }
}

/// Predictions, or, with a warning, the reason why they cannot be used.
fn usable(read: Result<TestPredictions, Unusable>) -> Result<TestPredictions, String> {
    read.map_err(|unusable| {
        let Unusable {
            dataset,
            router,
            n_train,
            ..
        } = &unusable;
        // The log gets the command as well, for whoever runs the program. The page quotes the reason
        // alone, since it may be read elsewhere and later.
        let why = cli_support::with_fit_command(&unusable, dataset, router, *n_train);
        warn!("leaving out predictions: {why}");
        unusable.to_string()
    })
}

/// Why the predictions cannot choose an LLM, for example because all of them are NaN; `None` where they can.
fn cannot_choose(
    found: &TestPredictions,
    test_set: &TestSet,
) -> anyhow::Result<Option<evaluation::Error>> {
    let truth = Truth::of(test_set.split())?;
    let router = Router::of(&found.predictions, test_set)
        .with_context(|| format!("cannot route by `{}`", found.path.display()))?;
    let tried = match router {
        // One point is enough, and cheaper than a curve.
        Router::PerModel { predicted, .. } => {
            point_at(&truth, predicted, 0.0, COST_MULTIPLIER).map(drop)
        }
        other => other.curve(&truth).map(drop),
    };
    match tried {
        Ok(()) => Ok(None),
        Err(error @ evaluation::Error::NothingToChoose { .. }) => Ok(Some(error)),
        Err(error) => Err(error.into()),
    }
}

/// Each LLM's mean cost in the train part; `None` without one, or where nothing in it is known.
fn train_mean_costs(dir: &DatasetDir, test_set: &TestSet) -> anyhow::Result<Option<Array1<f64>>> {
    let path = dir.split(Part::Train);
    if !path.is_file() {
        return Ok(None);
    }
    let train = PartTable::read_weighed(dir, test_set.info(), Part::Train)?;
    let means = mean_costs(&Truth::of(&train)?);
    // With all means unknown the RouterBench rule could never choose an LLM. Without means there is no
    // such contender, and the figures say what is missing.
    Ok(means.iter().any(|mean| mean.is_finite()).then_some(means))
}
