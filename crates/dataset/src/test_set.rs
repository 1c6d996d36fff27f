use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{
    DatasetDir, DatasetInfo, Error, MadeFrom, PairIdx, Part, PartTable, PerModel, Predictions,
    Result, RunManifest, made_from::SPLIT_SHA256, sha256_file,
};

/// The test part of a data set, and the judge of which predictions belong to it.
///
/// Predictions are for one version of test.parquet. A data set that is generated again may have other rows under the same ids, so ids alone
/// prove nothing: predictions belong only if what they were made from ([`MadeFrom`], or for older files the manifest beside them) lists the
/// hash of test.parquet as it is now. What says nothing of its origin is never taken to be fresh.
#[derive(Debug, Clone)]
pub struct TestSet {
    dir: DatasetDir,
    info: DatasetInfo,
    split: PartTable,
    path: PathBuf,
    sha256: String,
    pair: Option<PairIdx>,
}

/// Predictions that belong to a test set.
#[derive(Debug, Clone, PartialEq)]
pub struct TestPredictions {
    /// Their file.
    pub path: PathBuf,
    /// In the order of the test set's prompts and LLMs.
    pub predictions: Predictions,
    /// What they were made from.
    pub made_from: MadeFrom,
}

/// Predictions that cannot be used, and why. As text it is a reason with what can be done about the file itself; a program adds the command
/// that makes new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Their file.
    pub path: PathBuf,
    /// The test part's table.
    pub test_path: PathBuf,
    /// The data set.
    pub dataset: String,
    /// The router.
    pub router: String,
    /// The number of train prompts that it was fitted on, for a point of a learning curve.
    pub n_train: Option<usize>,
    /// The reason.
    pub reason: Reason,
}

/// Why predictions cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// There is no such file.
    Missing,
    /// They were made from another version of test.parquet.
    Stale,
    /// Neither the file nor a manifest beside it says what they were made from.
    UnknownOrigin {
        /// SHA-256 of test.parquet, with which the file can be marked.
        test_sha256: String,
    },
    /// They are for other prompts or other LLMs.
    DoesNotFit {
        /// What differs.
        what: String,
    },
}

impl TestSet {
    /// Reads a data set's description and its test part, with estimated propensities where there are some.
    ///
    /// # Errors
    /// As for [`DatasetInfo::read`] and [`PartTable::read_weighed`].
    pub fn open(dir: &DatasetDir) -> Result<Self> {
        let info = DatasetInfo::read(&dir.info())?;
        let path = dir.split(Part::Test);
        let split = PartTable::read_weighed(dir, &info, Part::Test)?;
        // A data set without a pair is fine for most; `required_pair` gives the reason to whoever needs one.
        let pair = pair(&info, dir, &split).ok();
        Ok(Self {
            dir: dir.clone(),
            sha256: sha256_file(&path)?,
            info,
            split,
            path,
            pair,
        })
    }

    /// Where the data set is.
    pub fn dir(&self) -> &DatasetDir {
        &self.dir
    }

    /// The data set's description.
    pub fn info(&self) -> &DatasetInfo {
        &self.info
    }

    /// The prompts with every LLM's score and cost.
    pub fn split(&self) -> &PartTable {
        &self.split
    }

    /// The file of the prompts.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of that file.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The positions of the small and the large LLM; `None` unless dataset.json names two of the LLMs.
    pub fn pair(&self) -> Option<PairIdx> {
        self.pair
    }

    /// The same for whoever cannot do without, with the reason why there is none.
    ///
    /// # Errors
    /// [`Error::NoPair`], [`Error::PairModel`] or [`Error::PairTwice`].
    pub fn required_pair(&self) -> Result<PairIdx> {
        pair(&self.info, &self.dir, &self.split)
    }

    /// What a router predicted; the inner error is the reason why it cannot be used.
    ///
    /// # Errors
    /// When a file that exists cannot be read.
    pub fn router(&self, router: &str) -> Result<Result<TestPredictions, Unusable>> {
        let (path, manifest) = (self.dir.predictions(router), self.dir.manifest(router));
        self.read(path, &manifest, router, None)
    }

    /// What a router predicted that was fitted on `n_train` prompts, see [`DatasetDir::learning_curve_sizes`].
    ///
    /// # Errors
    /// As for [`TestSet::router`].
    pub fn learning_curve(
        &self,
        router: &str,
        n_train: usize,
    ) -> Result<Result<TestPredictions, Unusable>> {
        let path = self.dir.learning_curve_predictions(router, n_train);
        let manifest = self.dir.learning_curve_manifest(router, n_train);
        self.read(path, &manifest, router, Some(n_train))
    }

    /// The true expected scores and costs, which only synthetic data has.
    ///
    /// A file of an older version does not say which table it is for. It belongs all the same: the generator puts truth and test part in
    /// place together, and dataset.json, which vouches for both, comes last.
    ///
    /// # Errors
    /// When the file cannot be read, is for another version of the test part, or has no scores and costs of LLMs.
    pub fn expectations(&self) -> Result<Option<PerModel>> {
        let path = self.dir.truth(Part::Test);
        if !path.is_file() {
            return Ok(None);
        }
        let mismatch = |what: &str| Error::Mismatch {
            path: path.clone(),
            other: self.path.clone(),
            what: what.to_owned(),
        };
        let made_from = Predictions::read_made_from(&path)?;
        // Generators of older versions did not say which table the truth is of; dataset.json vouches for both, as it was written last.
        if made_from.is_some_and(|made_from| made_from.split_sha256 != self.sha256) {
            return Err(mismatch(
                "it was made from a different version; generate the data set again",
            ));
        }
        let expectations = Predictions::read(&path)?;
        expectations.check_fits(&path, &self.path, &self.split)?;
        match expectations {
            Predictions::PerModel(per_model) => Ok(Some(per_model)),
            Predictions::SmallWins(_) => Err(mismatch("it has no scores and costs of LLMs")),
        }
    }

    fn read(
        &self,
        path: PathBuf,
        manifest: &Path,
        router: &str,
        n_train: Option<usize>,
    ) -> Result<Result<TestPredictions, Unusable>> {
        let unusable = |path, reason| Unusable {
            path,
            test_path: self.path.clone(),
            dataset: self.dir.name().to_owned(),
            router: router.to_owned(),
            n_train,
            reason,
        };
        if !path.is_file() {
            return Ok(Err(unusable(path, Reason::Missing)));
        }
        // Origin before content: a stale file usually has the right prompts and LLMs, so fitting proves nothing.
        let made_from = match self.origin(&path, manifest)? {
            Ok(made_from) => made_from,
            Err(reason) => return Ok(Err(unusable(path, reason))),
        };
        let predictions = Predictions::read(&path)?;
        match predictions.check_fits(&path, &self.path, &self.split) {
            Ok(()) => Ok(Ok(TestPredictions {
                path,
                predictions,
                made_from,
            })),
            // Only a misfit is a reason to go on without these predictions; a broken file is an error of the run.
            Err(Error::Mismatch { what, .. }) => {
                Ok(Err(unusable(path, Reason::DoesNotFit { what })))
            }
            Err(error) => Err(error),
        }
    }

    /// What predictions were made from, if that is the test part as it is now.
    fn origin(&self, path: &Path, manifest: &Path) -> Result<Result<MadeFrom, Reason>> {
        // The file's own word comes first: a manifest may be of an earlier or a later run than the predictions beside it.
        let made_from = match Predictions::read_made_from(path)? {
            Some(made_from) => Some(made_from).filter(|it| it.split_sha256 == self.sha256),
            // Files of older versions have no metadata of their own.
            None if manifest.is_file() => {
                MadeFrom::of_manifest(RunManifest::read(manifest)?, &self.sha256)
            }
            // Never taken as fresh: a manifest may be missing because a run was killed, and then the predictions may be of any version.
            None => {
                let test_sha256 = self.sha256.clone();
                return Ok(Err(Reason::UnknownOrigin { test_sha256 }));
            }
        };
        Ok(made_from.ok_or(Reason::Stale))
    }
}

fn pair(info: &DatasetInfo, dir: &DatasetDir, split: &PartTable) -> Result<PairIdx> {
    match &info.pair {
        Some(pair) => pair.positions(&dir.info(), &split.models),
        None => Err(Error::NoPair { path: dir.info() }),
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, test_path) = (self.path.display(), self.test_path.display());
        match &self.reason {
            Reason::Missing => {
                write!(
                    f,
                    "there are no predictions of `{}` at `{path}`",
                    self.router
                )
            }
            Reason::Stale => {
                write!(
                    f,
                    "`{path}` was made from a different version of `{test_path}`"
                )
            }
            Reason::UnknownOrigin { test_sha256 } => write!(
                f,
                "`{path}` does not say which version of `{test_path}` it is for; if you computed it elsewhere, set `{SPLIT_SHA256}` in its \
                 Parquet metadata to `{test_sha256}`, as data/README.md shows"
            ),
            Reason::DoesNotFit { what } => write!(f, "`{path}` does not fit `{test_path}`: {what}"),
        }
    }
}

impl std::error::Error for Unusable {}
