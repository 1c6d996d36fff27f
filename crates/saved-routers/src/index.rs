//! Nearest neighbors whose rows are in an index: all of a router but the rows, and where they are.

use std::{path::Path, sync::Arc};

use dataset::{Quantity, Standardizer};
use ndarray::Array2;
use routers::{Knn, Neighbors, OverTarget};

use crate::{
    Contents, Error, KnnTarget, Record, Result, SavedKnn, SavedLearner, SavedRouter,
    folder::{NewFolder, ROUTER},
    learner::Outputs,
    tensors::{self, Tensor, TensorFile},
};

const MEANS: &str = "index/means";

/// How a router's rows were indexed.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexParts {
    /// What the index is of ([`SavedRouter::rows_sha256`]).
    pub fit: String,
    /// How far the search in a graph looks, `None` where all rows are searched.
    pub ef_search: Option<usize>,
    /// The share of the nearest that it finds.
    pub recall: f64,
}

/// Nearest neighbors that predict once they are connected to their index ([`SavedIndex::over`]).
#[derive(Debug, Clone)]
pub struct SavedIndex {
    /// What the index has to be of.
    pub fit: String,
    /// Length of an embedding.
    pub dim: usize,
    /// Rows of the fit.
    pub n_rows: usize,
    /// How far the search in a graph looks, `None` where all rows are searched.
    pub ef_search: Option<usize>,
    targets: Vec<OverTarget>,
    quantities: Vec<Quantity>,
    scale: Option<Standardizer>,
}

impl SavedIndex {
    /// How many values each row has: those of all targets, side by side.
    pub fn n_values(&self) -> usize {
        self.targets.iter().map(|target| target.means.len()).sum()
    }

    /// How many neighbors are searched for.
    pub fn k(&self) -> usize {
        let ks = self.targets.iter().map(|target| target.n_neighbors);
        ks.max().unwrap_or(0)
    }

    /// The router that searches in these rows.
    ///
    /// # Errors
    /// [`Error::Predict`] for rows that are fewer than neighbors, or have other values.
    pub fn over(&self, rows: Arc<dyn Neighbors>) -> Result<SavedKnn> {
        let knn = Knn::over(rows, &self.targets).map_err(|source| Error::Predict { source })?;
        let scale = self.scale.clone();
        Ok(SavedLearner::new(knn, self.quantities.clone(), scale))
    }

    /// # Errors
    /// Those of a file.
    pub(crate) fn read(
        path: &Path,
        contents: &Contents,
        outputs: Outputs,
        scale: Option<Standardizer>,
    ) -> Result<Self> {
        let Contents::KnnIndex {
            fit,
            n_rows,
            ef_search,
            targets,
            ..
        } = contents
        else {
            unreachable!("other contents are read elsewhere")
        };
        let Outputs { dim, n_models } = outputs;
        let file = TensorFile::open(path)?;
        file.has_only(&[MEANS])?;
        let means: Array2<f64> = file.matrix(MEANS, (Some(targets.len()), Some(n_models)))?;
        let over = |(target, means): (&KnnTarget, ndarray::ArrayView1<'_, f64>)| OverTarget {
            name: format!("{:?}", target.quantity),
            n_neighbors: target.n_neighbors,
            means: means.to_vec(),
        };
        Ok(Self {
            fit: fit.clone(),
            dim,
            n_rows: *n_rows,
            ef_search: *ef_search,
            targets: targets.iter().zip(means.outer_iter()).map(over).collect(),
            quantities: contents.quantities(),
            scale,
        })
    }
}

impl SavedRouter {
    /// What an index of the router's rows is of: SHA-256 of the file that holds its vectors and values.
    ///
    /// # Errors
    /// [`Error::NotIndexable`] for another router than nearest neighbors in memory, and for one whose k counts the neighbors that know an LLM; those of
    /// a file.
    pub fn rows_sha256(&self, folder: &Path) -> Result<String> {
        let refuse = |why| {
            Err(Error::NotIndexable {
                router: self.record.router.clone(),
                why,
            })
        };
        let Contents::Knn { targets, .. } = &self.record.contents else {
            return refuse("is not made of nearest neighbors alone");
        };
        if targets.iter().any(|target| target.prior_values.is_some()) {
            return refuse(
                "was fitted on a log with one answer per prompt, and searches for each LLM among the prompts that it answered",
            );
        }
        let mut files = self.record.files.iter();
        match files.find(|file| file.name == ROUTER) {
            Some(file) => Ok(file.sha256.clone()),
            None => Ok(dataset::sha256_file(&folder.join(ROUTER))?),
        }
    }

    /// Writes the same router without its rows, which are in an index, into another folder.
    ///
    /// # Errors
    /// As [`SavedRouter::rows_sha256`], and those of a file.
    pub fn write_indexed(&self, parts: &IndexParts, output: &Path) -> Result<()> {
        let (crate::Model::Knn(knn), Contents::Knn { targets, .. }) =
            (&self.model, &self.record.contents)
        else {
            return Err(Error::NotIndexable {
                router: self.record.router.clone(),
                why: "is not made of nearest neighbors alone",
            });
        };
        let learner = knn.learner();
        let n_models = self.record.models.len();
        let means: Vec<f64> = (0..targets.len())
            .flat_map(|i| learner.means(i).to_vec())
            .collect();
        let means = Array2::from_shape_vec((targets.len(), n_models), means)
            .expect("each target has a mean for each LLM");
        let folder = NewFolder::create(output)?;
        tensors::write(
            &folder.path().join(ROUTER),
            &[Tensor::matrix(MEANS, means.view())],
        )?;
        if let Some(scale) = knn.scale() {
            folder.write_scale(scale)?;
        }
        folder.commit(&Record {
            contents: Contents::KnnIndex {
                fit: parts.fit.clone(),
                n_rows: knn.n_rows(),
                ef_search: parts.ef_search,
                recall: parts.recall,
                targets: targets.clone(),
            },
            ..self.record.clone()
        })
    }
}
