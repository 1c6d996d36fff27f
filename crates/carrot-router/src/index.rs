//! Routers whose rows are in an index: connecting to it, and building it.

#[cfg(not(feature = "index"))]
mod disabled;
#[cfg(feature = "index")]
mod enabled;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

#[cfg(not(feature = "index"))]
use self::disabled as backend;
#[cfg(feature = "index")]
use self::enabled as backend;
use crate::{Error, Result};
use ndarray::ArrayView2;
use saved_routers::{Model, ModelOutputs, PerModelOutputs, SavedIndex, SavedRouter};

/// Where an index is, and what a search in it may take.
#[derive(Clone)]
pub struct IndexPlace {
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, one for each shard; replicas of a shard as further hosts of its address.
    pub addresses: Vec<String>,
    /// How many shards have to answer; all where it is `None`. The rest of the rows is a random sample, and predicts nearly the same.
    pub min_shards: Option<usize>,
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// Connections to each shard.
    pub n_connections: usize,
}

/// An index to be built of a saved router's rows.
#[derive(Debug, Clone)]
pub struct IndexPlan {
    /// The router's folder.
    pub model: PathBuf,
    /// Where the router without its rows goes.
    pub output: PathBuf,
    /// Where the rows go.
    pub place: IndexPlace,
    /// Edges of a node and candidates for them of an HNSW graph; `None`: every search reads all rows.
    pub graph: Option<(usize, usize)>,
    /// The share of the nearest that has to be found.
    pub recall: f64,
    /// Rows by whose neighbors that is measured.
    pub n_recall_queries: usize,
}

/// What was built.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltIndex {
    /// Rows of the router.
    pub n_rows: usize,
    /// Rows that were sent; the others were there.
    pub n_sent: u64,
    /// Rows without a vector, which are nobody's neighbors.
    pub n_zero: u64,
    /// How far a search in the graph looks; `None` without one.
    pub ef_search: Option<usize>,
    /// The share of the nearest that is found.
    pub recall: f64,
}

impl fmt::Debug for IndexPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses hold passwords.
        f.debug_struct("IndexPlace")
            .field("n_addresses", &self.addresses.len())
            .field("min_shards", &self.min_shards)
            .field("timeout", &self.timeout)
            .field("n_connections", &self.n_connections)
            .finish()
    }
}

/// Puts a router's rows into an index, and writes the router without them. A run that was interrupted is taken up by the next one. `on_progress` counts
/// rows of each shard.
///
/// # Errors
/// [`Error::Index`] for what the databases refuse; [`Error::NoIndexSupport`]; [`Error::SavedRouter`] for a router that cannot be read or indexed.
pub fn build_index(plan: &IndexPlan, on_progress: &(dyn Fn(u64) + Sync)) -> Result<BuiltIndex> {
    backend::build(plan, on_progress)
}

/// What a router whose rows are in an index predicts for embeddings of shape `(n_prompts, dim)`.
///
/// # Errors
/// As [`build_index`], and for embeddings of another length, or that are not finite.
pub fn predict_with_index(
    folder: &Path,
    place: &IndexPlace,
    embeddings: ArrayView2<'_, f32>,
) -> Result<PerModelOutputs> {
    let model = connected(SavedRouter::open(folder)?.model, folder, Some(place))?;
    match model.predict(embeddings, &|_| ())? {
        ModelOutputs::PerModel(outputs) => Ok(outputs),
        ModelOutputs::SmallWins(_) => unreachable!("a router of a pair has no index"),
    }
}

/// A model that can predict: one whose rows are in an index is connected to it.
pub(crate) fn connected(model: Model, folder: &Path, place: Option<&IndexPlace>) -> Result<Model> {
    let folder = || folder.to_owned();
    match (model, place) {
        (Model::KnnIndex(index), Some(place)) => connect(&index, place),
        (Model::KnnIndex(_), None) => Err(Error::NoIndexPlace { folder: folder() }),
        // Refused rather than ignored: whoever names an index expects it to be asked.
        (_, Some(_)) => Err(Error::UselessIndex { folder: folder() }),
        (model, None) => Ok(model),
    }
}

fn connect(index: &SavedIndex, place: &IndexPlace) -> Result<Model> {
    let rows = backend::open(index, place)?;
    Ok(Model::Knn(index.over(rows)?))
}
