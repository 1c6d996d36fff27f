//! Which data sets there are, and what each holds.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use dataset::{
    DatasetDir, DatasetInfo, Part, PerModel, Predictions, RunManifest, Split, sha256_file,
};
use evaluation::{Pair, Predicted, Truth, mean_costs, pair_curve, point_at};
use ndarray::Array1;
use tracing::warn;

/// A data set's test side with all predictions for it.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) name: String,
    pub(crate) info: DatasetInfo,
    pub(crate) test: Split,
    /// By router name.
    pub(crate) routers: Vec<RouterInput>,
    /// The small and the large LLM, where dataset.json names two that are there.
    pub(crate) pair: Option<Pair>,
    /// Each LLM's mean cost in US dollars in the training split, where there is one and anything is known.
    pub(crate) train_mean_costs: Option<Array1<f64>>,
    /// The true expected scores and costs, which only synthetic data has.
    pub(crate) expectations: Option<PerModel>,
}

/// What one router predicted.
#[derive(Debug)]
pub(crate) struct RouterInput {
    pub(crate) router: String,
    /// The embedder whose vectors it took, where its manifest tells.
    pub(crate) embedder: Option<String>,
    pub(crate) predicted: RouterPredictions,
}

/// Either kind of predictions, with what is needed to route by them.
#[derive(Debug)]
pub(crate) enum RouterPredictions {
    PerModel(PerModel),
    /// The pair's LLMs and the small one's win probabilities.
    Pair {
        pair: Pair,
        small_win_probability: Vec<f32>,
    },
}

/// What a data set has to draw.
pub(crate) enum Found {
    Inputs(Box<Inputs>),
    /// No predictions that can be used: why, and what makes some.
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

/// What makes predictions for a data set.
pub(crate) fn command(name: &str) -> String {
    format!("cargo run -p train-and-infer -- --dataset {name} --routers carrot-knn")
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
    let mut names = BTreeSet::new();
    if !data_dir.is_dir() {
        return Ok(names);
    }
    let cannot_list = || format!("cannot list `{}`", data_dir.display());
    for entry in data_dir.read_dir().with_context(cannot_list)? {
        let name = entry
            .with_context(cannot_list)?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if file(&DatasetDir::new(data_dir, &name)).is_file() {
            names.insert(name);
        }
    }
    Ok(names)
}

impl Inputs {
    /// Reads a data set's test split and all its predictions; those that are of another split or leave nothing to choose are left out.
    ///
    /// # Errors
    /// When a file cannot be read, or predictions do not belong to the test split.
    pub(crate) fn read(dir: &DatasetDir) -> anyhow::Result<Found> {
        let nothing = |why: String| {
            let cure = format!("make some with `{}`", command(dir.name()));
            Ok(Found::Nothing { why, cure })
        };
        if dir.routers()?.is_empty() {
            return nothing("it has no predictions".to_owned());
        }
        let info = DatasetInfo::read(&dir.info())?;
        let test_path = dir.split(Part::Test);
        let test = Split::read(&test_path)?;
        let test_sha256 = sha256_file(&test_path)?;
        let mut routers = Vec::new();
        for router in dir.routers()? {
            let path = dir.predictions(&router);
            let manifest = manifest(&dir.manifest(&router))?;
            if manifest
                .as_ref()
                .is_some_and(|manifest| is_stale(manifest, &test_sha256))
            {
                warn!(
                    "leaving out `{}`: it was made from another version of `{}`; make it anew with `cargo run -p train-and-infer -- --dataset {} --routers {router}`",
                    path.display(),
                    test_path.display(),
                    dir.name()
                );
                continue;
            }
            let predictions = Predictions::read(&path)?;
            predictions.check_fits(&path, &test_path, &test)?;
            let predicted = match predictions {
                Predictions::PerModel(per_model) => RouterPredictions::PerModel(per_model),
                Predictions::SmallWins(wins) => {
                    let pair = pair(&info, &test)
                        .with_context(|| format!("cannot route by `{}`", path.display()))?;
                    RouterPredictions::Pair {
                        pair,
                        small_win_probability: wins.probability.to_vec(),
                    }
                }
            };
            let input = RouterInput {
                router,
                embedder: manifest.and_then(|manifest| manifest.embedder),
                predicted,
            };
            if let Some(why) = input.cannot_choose(&test)? {
                warn!("leaving out `{}`: {why}", path.display());
                continue;
            }
            routers.push(input);
        }
        if routers.is_empty() {
            return nothing(format!(
                "no predictions that can be used belong to `{}` as it is now",
                test_path.display()
            ));
        }
        let truth_path = dir.truth(Part::Test);
        let expectations = if truth_path.is_file() {
            let truth = Predictions::read(&truth_path)?;
            truth.check_fits(&truth_path, &test_path, &test)?;
            match truth {
                Predictions::PerModel(per_model) => Some(per_model),
                Predictions::SmallWins(_) => {
                    bail!("`{}` has no scores and costs of LLMs", truth_path.display())
                }
            }
        } else {
            None
        };
        Ok(Found::Inputs(Box::new(Self {
            name: dir.name().to_owned(),
            pair: pair(&info, &test).ok(),
            info,
            train_mean_costs: train_mean_costs(dir, &test)?,
            test,
            routers,
            expectations,
        })))
    }
}

impl Inputs {
    /// What a router predicted that was fitted on parts of the train split, by ascending number of its prompts.
    ///
    /// # Errors
    /// When a file cannot be read, or predictions do not belong to the test split.
    pub(crate) fn learning_curve(
        &self,
        dir: &DatasetDir,
        router: &str,
    ) -> anyhow::Result<Vec<(usize, RouterPredictions)>> {
        let test_path = dir.split(Part::Test);
        let test_sha256 = sha256_file(&test_path)?;
        let mut found = Vec::new();
        for n_train in dir.learning_curve_sizes(router)? {
            let path = dir.learning_curve_predictions(router, n_train);
            let made = manifest(&dir.learning_curve_manifest(router, n_train))?;
            if made.is_some_and(|manifest| is_stale(&manifest, &test_sha256)) {
                warn!(
                    "leaving out `{}`: it was made from another version of `{}`; make it anew with --train-sizes",
                    path.display(),
                    test_path.display()
                );
                continue;
            }
            let predictions = Predictions::read(&path)?;
            predictions.check_fits(&path, &test_path, &self.test)?;
            let predicted = match predictions {
                Predictions::PerModel(per_model) => RouterPredictions::PerModel(per_model),
                Predictions::SmallWins(wins) => RouterPredictions::Pair {
                    pair: self.pair.with_context(|| {
                        format!(
                            "`{}` is of a pair, and the data set names none",
                            path.display()
                        )
                    })?,
                    small_win_probability: wins.probability.to_vec(),
                },
            };
            found.push((n_train, predicted));
        }
        Ok(found)
    }
}

/// How predictions were made. Those made elsewhere have no manifest, and only their ids tell whether they belong to the test split.
fn manifest(path: &Path) -> anyhow::Result<Option<RunManifest>> {
    Ok(if path.is_file() {
        Some(RunManifest::read(path)?)
    } else {
        None
    })
}

/// Whether a manifest lists its inputs, and the test split as it is now is none of them.
fn is_stale(manifest: &RunManifest, test_sha256: &str) -> bool {
    let mut inputs = manifest.inputs.iter();
    inputs.all(|input| input.sha256 != test_sha256)
}

impl RouterInput {
    /// Why there is nothing to route by, as where every prediction is NaN; `None` where there is.
    fn cannot_choose(&self, test: &Split) -> anyhow::Result<Option<evaluation::Error>> {
        let truth = Truth::of(test)?;
        let tried = match &self.predicted {
            RouterPredictions::PerModel(per_model) => {
                point_at(&truth, Predicted::of(per_model)?, 0.0, 1.0).map(drop)
            }
            RouterPredictions::Pair {
                pair,
                small_win_probability,
            } => pair_curve(&truth, pair.small, pair.large, small_win_probability).map(drop),
        };
        match tried {
            Ok(()) => Ok(None),
            Err(error @ evaluation::Error::NothingToChoose { .. }) => Ok(Some(error)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Each LLM's mean cost in the training split; `None` without one, or where nothing in it is known.
fn train_mean_costs(dir: &DatasetDir, test: &Split) -> anyhow::Result<Option<Array1<f64>>> {
    let path = dir.split(Part::Train);
    if !path.is_file() {
        return Ok(None);
    }
    let train = Split::read(&path)?;
    if train.models != test.models {
        bail!(
            "`{}` has other LLMs than `{}`, or in another order; make both anew with one run of a gen-* program",
            path.display(),
            dir.split(Part::Test).display()
        );
    }
    let means = mean_costs(&Truth::of(&train)?);
    Ok(means.iter().any(|mean| mean.is_finite()).then_some(means))
}

/// Positions of the small and the large LLM.
fn pair(info: &DatasetInfo, test: &Split) -> anyhow::Result<Pair> {
    let pair = info.pair.as_ref().with_context(|| {
        format!("data set `{}` names no small and large LLM in its dataset.json (`pair`), so a binary router has nothing to choose", info.name)
    })?;
    let position = |model: &str| {
        (test.models.iter().position(|other| other == model)).with_context(|| {
            format!(
                "data set `{}` has no LLM `{model}`, which its `pair` names",
                info.name
            )
        })
    };
    Ok(Pair {
        small: position(&pair.small)?,
        large: position(&pair.large)?,
    })
}
