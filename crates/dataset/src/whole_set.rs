use std::path::{Path, PathBuf};

use crate::{
    DatasetDir, DatasetInfo, EqualPrompts, Error, OutOfFold, Part, PartTable, Predictions, Reason,
    Result, Unusable, made_from::MadeFrom, sha256_file,
};

/// Both parts of a data set as one table, train rows first, and the judge of which out-of-fold predictions belong to it.
///
/// As with [`crate::TestSet`], ids prove nothing: predictions belong only if they were made from both parts as they are now.
#[derive(Debug, Clone)]
pub struct WholeSet {
    dir: DatasetDir,
    info: DatasetInfo,
    table: PartTable,
    n_train: usize,
    train_sha256: String,
    test_sha256: String,
    equal_prompts: EqualPrompts,
}

/// Out-of-fold predictions that belong to a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossFitPredictions {
    /// Their file.
    pub path: PathBuf,
    /// Which of the router's cross-fits they are, from 0.
    pub repeat: u32,
    /// In the order of the whole table's prompts and LLMs.
    pub out_of_fold: OutOfFold,
    /// What they were made from.
    pub made_from: MadeFrom,
}

impl WholeSet {
    /// Reads a data set's description and both of its parts, with estimated propensities where there are some.
    ///
    /// # Errors
    /// As for [`DatasetInfo::read`] and [`PartTable::read_weighed`].
    pub fn open(dir: &DatasetDir) -> Result<Self> {
        let info = DatasetInfo::read(&dir.info())?;
        let train = PartTable::read_weighed(dir, &info, Part::Train)?;
        let test = PartTable::read_weighed(dir, &info, Part::Test)?;
        Ok(Self {
            dir: dir.clone(),
            table: train.concat(&test)?,
            n_train: train.n_prompts(),
            train_sha256: sha256_file(&dir.split(Part::Train))?,
            test_sha256: sha256_file(&dir.split(Part::Test))?,
            equal_prompts: EqualPrompts::count(&train.prompts, &test.prompts),
            info,
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

    /// All prompts with every LLM's score and cost, those of the train part first.
    pub fn table(&self) -> &PartTable {
        &self.table
    }

    /// How many of its first rows are the train part's.
    pub fn n_train(&self) -> usize {
        self.n_train
    }

    /// Test prompts whose text is a train prompt's too.
    pub fn equal_prompts(&self) -> EqualPrompts {
        self.equal_prompts
    }

    /// What out-of-fold predictions for this table are made from, besides their router, its embedder and embeddings.
    pub fn made_from(&self) -> MadeFrom {
        MadeFrom {
            train_sha256: Some(self.train_sha256.clone()),
            ..MadeFrom::split(&self.test_sha256)
        }
    }

    /// All repeats of a router's cross-fit, in order; the inner error is the reason why one cannot be used. Empty where there are none.
    ///
    /// # Errors
    /// When a file that exists cannot be read.
    pub fn cross_fits(
        &self,
        router: &str,
    ) -> Result<Vec<std::result::Result<CrossFitPredictions, Unusable>>> {
        let repeats = self.dir.repeats(router)?;
        let read = |repeat| self.cross_fit(router, repeat);
        repeats.into_iter().map(read).collect()
    }

    /// One repeat of a router's cross-fit; the inner error is the reason why it cannot be used.
    ///
    /// # Errors
    /// When a file that exists cannot be read.
    pub fn cross_fit(
        &self,
        router: &str,
        repeat: u32,
    ) -> Result<std::result::Result<CrossFitPredictions, Unusable>> {
        let path = self.dir.out_of_fold(router, repeat);
        let unusable = |path: &Path, reason| Unusable {
            path: path.to_owned(),
            test_path: self.dir.split(Part::Test),
            dataset: self.dir.name().to_owned(),
            router: router.to_owned(),
            n_train: None,
            reason,
        };
        if !path.is_file() {
            return Ok(Err(unusable(&path, Reason::Missing)));
        }
        let Some(made_from) = Predictions::read_made_from(&path)? else {
            let test_sha256 = self.test_sha256.clone();
            return Ok(Err(unusable(&path, Reason::UnknownOrigin { test_sha256 })));
        };
        // Both parts: a router of each fold was fitted on rows of either.
        let is_fresh = made_from.split_sha256 == self.test_sha256
            && made_from.train_sha256.as_ref() == Some(&self.train_sha256);
        if !is_fresh {
            return Ok(Err(unusable(&path, Reason::Stale)));
        }
        let out_of_fold = OutOfFold::read(&path)?;
        let fit =
            (out_of_fold.predictions).check_fits(&path, &self.dir.split(Part::Test), &self.table);
        match fit {
            Ok(()) => Ok(Ok(CrossFitPredictions {
                path,
                repeat,
                out_of_fold,
                made_from,
            })),
            Err(Error::Mismatch { what, .. }) => {
                Ok(Err(unusable(&path, Reason::DoesNotFit { what })))
            }
            Err(error) => Err(error),
        }
    }
}
