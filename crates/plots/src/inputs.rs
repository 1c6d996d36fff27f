//! Which data sets there are, and what each holds.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use dataset::{
    CostKind, DatasetDir, DatasetInfo, Part, PerModel, Predictions, RunManifest, Split, sha256_file,
};
use evaluation::{Pair, Truth, mean_costs};
use ndarray::Array1;
use tracing::warn;

/// A data set's test side with all predictions for it.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) name: String,
    pub(crate) test: Split,
    pub(crate) cost_kind: CostKind,
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

/// The data sets to draw: those named, or all under `data_dir` that have predictions; what is passed over is logged.
///
/// # Errors
/// When a named data set has no predictions or does not exist, when nothing at all has predictions, or a folder cannot be listed.
pub(crate) fn datasets(
    data_dir: &Path,
    names: Option<&BTreeSet<String>>,
) -> anyhow::Result<Vec<DatasetDir>> {
    let mut chosen = Vec::new();
    if let Some(names) = names {
        for name in names {
            let dir = DatasetDir::existing(data_dir, name)?;
            if dir.routers()?.is_empty() {
                bail!(
                    "data set `{name}` has no predictions; make some with `{}`",
                    command(name)
                );
            }
            chosen.push(dir);
        }
        return Ok(chosen);
    }
    chosen.extend(with_predictions(data_dir)?);
    for name in names_under(data_dir)? {
        if chosen.iter().all(|dir| dir.name() != name) {
            warn!(
                "skipping `{name}`: it has no predictions; make some with `{}`",
                command(&name)
            );
        }
    }
    if chosen.is_empty() {
        bail!(
            "no data set under `{}` has predictions; `{}` makes them, once `cargo run -p gen-synthetic` or another gen-* program made a data set",
            data_dir.display(),
            command("<name>")
        );
    }
    Ok(chosen)
}

/// All data sets under `data_dir` that have predictions, by name.
///
/// # Errors
/// When a folder cannot be listed.
pub(crate) fn with_predictions(data_dir: &Path) -> anyhow::Result<Vec<DatasetDir>> {
    let mut found = Vec::new();
    for name in names_under(data_dir)? {
        let dir = DatasetDir::new(data_dir, &name);
        if !dir.routers()?.is_empty() {
            found.push(dir);
        }
    }
    Ok(found)
}

/// The data sets named, or all under `data_dir`, with predictions or without.
///
/// # Errors
/// When a named data set does not exist, there is none at all, or the folder cannot be listed.
pub(crate) fn named_or_all(
    data_dir: &Path,
    names: Option<&BTreeSet<String>>,
) -> anyhow::Result<Vec<DatasetDir>> {
    let chosen = match names {
        Some(names) => names
            .iter()
            .map(|name| DatasetDir::existing(data_dir, name))
            .collect::<dataset::Result<Vec<_>>>()?,
        None => names_under(data_dir)?
            .iter()
            .map(|name| DatasetDir::new(data_dir, name))
            .collect(),
    };
    if chosen.is_empty() {
        bail!(
            "there is no data set under `{}`; `cargo run -p gen-synthetic` or another gen-* program makes one",
            data_dir.display()
        );
    }
    Ok(chosen)
}

/// Folders that hold a study of rates, by name.
///
/// # Errors
/// When the folder cannot be listed.
pub(crate) fn rate_studies(data_dir: &Path) -> anyhow::Result<BTreeSet<String>> {
    names_with(data_dir, DatasetDir::rate_study)
}

/// What makes predictions for a data set.
pub(crate) fn command(name: &str) -> String {
    format!("cargo run -p train-and-infer -- --dataset {name} --routers carrot-knn")
}

/// Folders that hold a `dataset.json`, by name.
fn names_under(data_dir: &Path) -> anyhow::Result<BTreeSet<String>> {
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
    /// Reads a data set's test split and all its predictions.
    ///
    /// # Errors
    /// When a file cannot be read, or predictions do not belong to the test split.
    pub(crate) fn read(dir: &DatasetDir) -> anyhow::Result<Self> {
        let info = DatasetInfo::read(&dir.info())?;
        let test_path = dir.split(Part::Test);
        let test = Split::read(&test_path)?;
        let test_sha256 = sha256_file(&test_path)?;
        let mut routers = Vec::new();
        for router in dir.routers()? {
            let path = dir.predictions(&router);
            if is_stale(&dir.manifest(&router), &test_sha256)? {
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
            routers.push(RouterInput { router, predicted });
        }
        if routers.is_empty() {
            bail!(
                "no predictions belong to `{}` as it is now",
                test_path.display()
            );
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
        Ok(Self {
            name: dir.name().to_owned(),
            pair: pair(&info, &test).ok(),
            train_mean_costs: train_mean_costs(dir, &test)?,
            test,
            cost_kind: info.cost_kind,
            routers,
            expectations,
        })
    }
}

/// Whether a manifest lists its inputs, and the test split as it is now is none of them. Predictions made elsewhere have no manifest, and
/// only their ids tell.
fn is_stale(manifest: &Path, test_sha256: &str) -> anyhow::Result<bool> {
    if !manifest.is_file() {
        return Ok(false);
    }
    let manifest = RunManifest::read(manifest)?;
    Ok(manifest
        .inputs
        .iter()
        .all(|input| input.sha256 != test_sha256))
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
