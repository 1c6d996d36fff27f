use std::path::{Path, PathBuf};

use crate::{DatasetName, Error, Result};

/// One side of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// What estimators are fitted on.
    Train,
    /// What they are judged on.
    Test,
}

impl Part {
    /// Both parts, train first.
    pub const ALL: [Self; 2] = [Self::Train, Self::Test];

    /// `train` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

/// Where the files of one data set are: `data/<name>/...`.
#[derive(Debug, Clone)]
pub struct DatasetDir {
    name: String,
    data_dir: PathBuf,
    root: PathBuf,
}

impl DatasetDir {
    /// The folder of data set `name` under `data_dir`. Touches no disk.
    pub fn new(data_dir: &Path, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            data_dir: data_dir.to_owned(),
            root: data_dir.join(name),
        }
    }

    /// The same, but refuses a data set that has no `dataset.json`, and a name that would lead out of the folder.
    ///
    /// # Errors
    /// [`Error::BadName`]; [`Error::NoDataset`], which says how to create it.
    pub fn existing(data_dir: &Path, name: &str) -> Result<Self> {
        // Names also come from files, such as a saved router's record, that other people wrote.
        let name: DatasetName = name.parse()?;
        let this = Self::new(data_dir, name.as_str());
        let path = this.info();
        // dataset.json is written last, so a data set without it was never finished.
        if path.is_file() {
            Ok(this)
        } else {
            Err(Error::NoDataset {
                name: this.name,
                data_dir: this.data_dir,
                path,
            })
        }
    }

    /// The data set's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `data/<name>`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `data/<name>/dataset.json`.
    pub fn info(&self) -> PathBuf {
        self.root.join("dataset.json")
    }

    /// `data/<name>/<part>.parquet`.
    pub fn split(&self, part: Part) -> PathBuf {
        self.root.join(format!("{}.parquet", part.name()))
    }

    /// `data/<name>/truth/<part>.parquet`: the true expected scores and costs, which only synthetic data has.
    pub fn truth(&self, part: Part) -> PathBuf {
        self.root
            .join("truth")
            .join(format!("{}.parquet", part.name()))
    }

    /// `data/<name>/embeddings/<embedder>`.
    pub fn embeddings_dir(&self, embedder: &str) -> PathBuf {
        self.root.join("embeddings").join(embedder)
    }

    /// `data/<name>/embeddings/<embedder>/<part>.parquet`.
    pub fn embeddings(&self, embedder: &str, part: Part) -> PathBuf {
        self.embeddings_dir(embedder)
            .join(format!("{}.parquet", part.name()))
    }

    /// `data/<name>/preds`.
    pub fn predictions_dir(&self) -> PathBuf {
        self.root.join("preds")
    }

    /// `data/<name>/preds/<router>.parquet`.
    pub fn predictions(&self, router: &str) -> PathBuf {
        self.predictions_dir().join(format!("{router}.parquet"))
    }

    /// `data/<name>/preds/<router>.json`.
    pub fn manifest(&self, router: &str) -> PathBuf {
        self.predictions_dir().join(format!("{router}.json"))
    }

    /// `data/<name>/propensities.parquet`: with which probability each LLM was asked, estimated of a log that does not say it.
    pub fn propensities(&self) -> PathBuf {
        self.root.join("propensities.parquet")
    }

    /// `data/<name>/worth.json`: whether routing is worth it, where that was measured.
    pub fn worth(&self) -> PathBuf {
        self.root.join("worth.json")
    }

    /// `data/<name>/cross-fit`: predictions for all rows, each by a router that was fitted without it.
    pub fn cross_fits_dir(&self) -> PathBuf {
        self.root.join("cross-fit")
    }

    /// `data/<name>/cross-fit/<router>`.
    pub fn cross_fit_dir(&self, router: &str) -> PathBuf {
        self.cross_fits_dir().join(router)
    }

    /// `data/<name>/cross-fit/<router>/<repeat>.parquet`; repeats count from 0.
    pub fn out_of_fold(&self, router: &str, repeat: u32) -> PathBuf {
        self.cross_fit_dir(router).join(format!("{repeat}.parquet"))
    }

    /// `data/<name>/cross-fit/<router>/<repeat>.json`.
    pub fn out_of_fold_manifest(&self, router: &str, repeat: u32) -> PathBuf {
        self.cross_fit_dir(router).join(format!("{repeat}.json"))
    }

    /// The routers that have out-of-fold predictions, by name.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder exists but cannot be listed.
    pub fn cross_fit_routers(&self) -> Result<Vec<String>> {
        let folder = self.cross_fits_dir();
        let mut names = Vec::new();
        if folder.is_dir() {
            for entry in folder.read_dir().map_err(Error::io("list", &folder))? {
                let path = entry.map_err(Error::io("list", &folder))?.path();
                let name = path.file_name().map(|name| name.to_string_lossy());
                let name = name.filter(|name| path.is_dir() && !name.starts_with('.'));
                if let Some(name) = name
                    && !self.repeats(&name)?.is_empty()
                {
                    names.push(name.into_owned());
                }
            }
        }
        names.sort();
        Ok(names)
    }

    /// The repeats of a router's cross-fit, in order; none for a router that was not cross-fitted.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder exists but cannot be listed.
    pub fn repeats(&self, router: &str) -> Result<Vec<u32>> {
        let stems = tables(&self.cross_fit_dir(router))?;
        let mut repeats: Vec<u32> = stems.iter().filter_map(|stem| stem.parse().ok()).collect();
        repeats.sort_unstable();
        Ok(repeats)
    }

    /// `data/<name>/rate-study.json`, which only a study of rates has.
    pub fn rate_study(&self) -> PathBuf {
        self.root.join("rate-study.json")
    }

    /// The routers that have predictions here, by name.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder exists but cannot be listed.
    pub fn routers(&self) -> Result<Vec<String>> {
        tables(&self.predictions_dir())
    }

    /// `data/<name>/learning-curve/<router>`: predictions of a router that was fitted on subsets of the train part.
    pub fn learning_curve_dir(&self, router: &str) -> PathBuf {
        self.root.join("learning-curve").join(router)
    }

    /// `data/<name>/learning-curve/<router>/<n_train>.parquet`.
    pub fn learning_curve_predictions(&self, router: &str, n_train: usize) -> PathBuf {
        self.learning_curve_dir(router)
            .join(format!("{n_train}.parquet"))
    }

    /// `data/<name>/learning-curve/<router>/<n_train>.json`.
    pub fn learning_curve_manifest(&self, router: &str, n_train: usize) -> PathBuf {
        self.learning_curve_dir(router)
            .join(format!("{n_train}.json"))
    }

    /// The numbers of train prompts on which a router was fitted for its learning curve, in order; none for most routers.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder exists but cannot be listed.
    pub fn learning_curve_sizes(&self, router: &str) -> Result<Vec<usize>> {
        let stems = tables(&self.learning_curve_dir(router))?;
        // As numbers: by name, 1,000 would come before 200.
        let mut sizes: Vec<usize> = stems.iter().filter_map(|stem| stem.parse().ok()).collect();
        sizes.sort_unstable();
        Ok(sizes)
    }
}

/// The names of the tables in a folder, without their ending, in order; none of a folder that does not exist.
fn tables(folder: &Path) -> Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in folder.read_dir().map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        // Files that are not finished have hidden names until they are whole.
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if let (Some(stem), false) = (path.file_stem(), hidden)
            && path
                .extension()
                .is_some_and(|extension| extension == "parquet")
        {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_learning_curve_lists_its_sizes_by_number() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = DatasetDir::new(folder.path(), "tiny");
        assert_eq!(
            dir.learning_curve_sizes("mf").expect("listed"),
            [0_usize; 0]
        );
        fs::create_dir_all(dir.learning_curve_dir("mf")).expect("made");
        for n_train in [1000, 500, 64] {
            fs::write(dir.learning_curve_predictions("mf", n_train), "").expect("written");
            fs::write(dir.learning_curve_manifest("mf", n_train), "").expect("written");
        }
        for other in [".7.parquet", "notes.parquet", "8.csv"] {
            fs::write(dir.learning_curve_dir("mf").join(other), "").expect("written");
        }
        assert_eq!(
            dir.learning_curve_sizes("mf").expect("listed"),
            [64, 500, 1000]
        );
        assert_eq!(dir.routers().expect("listed"), [""; 0]);
    }

    #[test]
    fn cross_fits_are_listed_by_router_and_repeat() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = DatasetDir::new(folder.path(), "tiny");
        assert_eq!(dir.cross_fit_routers().expect("listed"), [""; 0]);
        for (router, repeats) in [("b", &[10, 2, 0][..]), ("a", &[0]), ("empty", &[])] {
            fs::create_dir_all(dir.cross_fit_dir(router)).expect("made");
            for &repeat in repeats {
                fs::write(dir.out_of_fold(router, repeat), "").expect("written");
                fs::write(dir.out_of_fold_manifest(router, repeat), "").expect("written");
            }
        }
        assert_eq!(dir.cross_fit_routers().expect("listed"), ["a", "b"]);
        assert_eq!(dir.repeats("b").expect("listed"), [0, 2, 10]);
    }
}
