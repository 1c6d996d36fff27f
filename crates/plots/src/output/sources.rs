//! What each figure and table is made from: one list, for the run that records it and for the page that compares it with what there is now.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use dataset::{DatasetDir, DatasetInfo, Part, router_names::CARROT_KNN, sha256_file};

use super::made_from::Fingerprint;
use crate::{
    data::{
        inputs,
        row_order::{self, RowOrder},
    },
    settings::product::Product,
};

/// The inputs under one data folder, with the hash of each that was asked for.
///
/// A file is hashed once in a run, before anything is made from it: if it changes meanwhile, the record has the bytes that were there at
/// first, and the next run sees that the figure is out of date.
#[derive(Debug)]
pub(crate) struct Sources {
    data_dir: PathBuf,
    /// By path below the data folder; `None` for a file that does not exist.
    hashes: BTreeMap<String, Option<String>>,
}

impl Sources {
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            hashes: BTreeMap::new(),
        }
    }

    /// The inputs of a figure or table of one data set or study. `version` is the embedder where there is a figure for each.
    ///
    /// # Errors
    /// When a folder cannot be listed, or a file not be read.
    pub(crate) fn of_dataset(
        &mut self,
        product: Product,
        dir: &DatasetDir,
        version: Option<&str>,
    ) -> anyhow::Result<Fingerprint> {
        let files = match (product, version) {
            (Product::EmbeddingDim, Some(embedder)) => {
                Part::ALL.map(|part| dir.embeddings(embedder, part)).into()
            }
            (Product::RateOptimality, _) => vec![dir.rate_study()],
            // Learning curves are drawn here alone: fitting on one more size must not make the other
            // figures stale.
            (Product::Regret, _) => [predictions(dir)?, learning_curves(dir)?].concat(),
            (Product::Worth | Product::MetricsTable, _) => {
                [predictions(dir)?, cross_fits(dir)?].concat()
            }
            // The second frame is drawn from another data set, and a change there makes the figure
            // stale too.
            (Product::Binary, _) => match self.as_published(dir)? {
                Some(twin) => [predictions(dir)?, predictions(&twin)?].concat(),
                None => predictions(dir)?,
            },
            _ => predictions(dir)?,
        };
        self.fingerprint(files)
    }

    /// The inputs of a table over all data sets.
    ///
    /// # Errors
    /// As for [`Sources::of_dataset`].
    pub(crate) fn of_all(&mut self) -> anyhow::Result<Fingerprint> {
        let mut files = Vec::new();
        for dir in inputs::with_predictions(&self.data_dir)? {
            // The only router in the table.
            let predictions = dir.predictions(CARROT_KNN);
            if predictions.is_file() {
                files.extend([dir.info(), dir.split(Part::Test), predictions]);
            }
        }
        self.fingerprint(files)
    }

    /// The data set that is drawn beside this one, with its rows in the other order; see [`row_order`].
    fn as_published(&self, dir: &DatasetDir) -> anyhow::Result<Option<DatasetDir>> {
        let info = DatasetInfo::read(&dir.info())?;
        if RowOrder::of(&info) == Some(RowOrder::ByDocument) {
            row_order::twin(&self.data_dir, &info)
        } else {
            Ok(None)
        }
    }

    /// The hashes of those files that exist. One that comes into being later changes the fingerprint as one that was changed does.
    fn fingerprint(&mut self, files: Vec<PathBuf>) -> anyhow::Result<Fingerprint> {
        let mut found = Fingerprint::new();
        for file in files {
            let path = self.key(&file)?;
            if !self.hashes.contains_key(&path) {
                let hash = file.is_file().then(|| sha256_file(&file)).transpose()?;
                self.hashes.insert(path.clone(), hash);
            }
            if let Some(hash) = &self.hashes[&path] {
                found.insert(path, hash.clone());
            }
        }
        Ok(found)
    }

    /// A path below the data folder, written alike on all systems.
    fn key(&self, file: &Path) -> anyhow::Result<String> {
        let path = file.strip_prefix(&self.data_dir).with_context(|| {
            format!(
                "`{}` is not in `{}`",
                file.display(),
                self.data_dir.display()
            )
        })?;
        let parts = path.iter().map(|part| part.to_string_lossy().into_owned());
        Ok(parts.collect::<Vec<_>>().join("/"))
    }
}

/// A data set's parts and all predictions for it. Each figure reads them all, if only to leave out what does not belong to the test part.
fn predictions(dir: &DatasetDir) -> anyhow::Result<Vec<PathBuf>> {
    let routers = dir.routers()?;
    let mut files: Vec<PathBuf> = (routers.iter().map(|router| dir.predictions(router))).collect();
    files.extend(Part::ALL.map(|part| dir.split(part)));
    // By which known scores are weighted, where they were estimated.
    files.extend([dir.info(), dir.truth(Part::Test), dir.propensities()]);
    Ok(files)
}

/// The out-of-fold predictions of all routers, with the manifests, which hold what was found on permuted prompts.
fn cross_fits(dir: &DatasetDir) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for router in dir.cross_fit_routers()? {
        for repeat in dir.repeats(&router)? {
            files.push(dir.out_of_fold(&router, repeat));
            files.push(dir.out_of_fold_manifest(&router, repeat));
        }
    }
    Ok(files)
}

/// The predictions of routers that were fitted on subsets of the train part.
fn learning_curves(dir: &DatasetDir) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for router in dir.routers()? {
        let sizes = dir.learning_curve_sizes(&router)?;
        files.extend(
            sizes
                .iter()
                .map(|&n_train| dir.learning_curve_predictions(&router, n_train)),
        );
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_hashed_once_in_a_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = DatasetDir::new(folder.path(), "a");
        let write = |path: &Path, text: &str| {
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        let test = dir.split(Part::Test);
        write(&test, "old");
        write(&dir.predictions("mf"), "predictions");
        write(&dir.learning_curve_predictions("mf", 64), "of fewer");
        let mut sources = Sources::new(folder.path());
        let mut of = |product| sources.of_dataset(product, &dir, None).expect("hashed");
        let paths = |found: Fingerprint| found.into_keys().collect::<Vec<_>>();
        let before = of(Product::Table);
        assert_eq!(
            paths(before.clone()),
            ["a/preds/mf.parquet", "a/test.parquet"],
            "those that exist"
        );
        write(&test, "new");
        write(&dir.info(), "{}");
        assert_eq!(of(Product::Table), before);
        assert_eq!(
            paths(of(Product::Regret)),
            [
                "a/learning-curve/mf/64.parquet",
                "a/preds/mf.parquet",
                "a/test.parquet"
            ]
        );
        let after = Sources::new(folder.path()).of_dataset(Product::Table, &dir, None);
        let after = after.expect("hashed");
        assert_ne!(after["a/test.parquet"], before["a/test.parquet"]);
        assert!(after.contains_key("a/dataset.json"));
    }
}
