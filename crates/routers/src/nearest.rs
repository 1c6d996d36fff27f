//! Neighbors, wherever their rows are: what a search must give, whoever does it.

use std::{fmt, ops::Range};

use ndarray::{Array2, ArrayView1, ArrayView2, CowArray, Ix2};

use crate::{Error, NeighborRows, Result, UnitRows, dot::dot_f64};

/// The similarity that decides which of two rows is nearer: of vectors of length 1, summed in float64 in a fixed order.
///
/// # Panics
/// When they are of different lengths.
pub fn similarity(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "vectors of one length");
    dot_f64(a, b)
}

/// Rows that can be neighbors, each with a vector and some values: in memory ([`crate::InMemory`]), or in a database.
///
/// [`crate::Knn`] averages the values that a search finds, by the same code whoever searches. An exact search follows the rule
///
/// ```text
/// similarity(a, b) = a . b of the float32 unit vectors, summed in float64 in a fixed order
/// nearer           = higher similarity, then lower row id
/// ```
///
/// An approximate one may miss a neighbor and give the next one in its place.
pub trait Neighbors: fmt::Debug + Send + Sync {
    /// Length of each vector.
    fn dim(&self) -> usize;

    /// How many rows there are; where rows come and go, how many there were when it was opened.
    fn n_rows(&self) -> usize;

    /// How many values each row has.
    fn n_values(&self) -> usize;

    /// The nearest rows of each query, for each of the ascending `ks`, of which the last may not exceed the rows. `on_progress` counts queries.
    ///
    /// # Errors
    /// [`Error::Backend`] or [`Error::Neighbors`] when the search fails.
    fn nearest<'a>(
        &'a self,
        queries: &'a UnitRows,
        ks: &[usize],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Nearest<'a>>;
}

/// The nearest rows of some queries: of each its id, its distance, and its values.
///
/// The neighbors of one query come in segments: the first `ks[0]` are the nearest `ks[0]`, the first `ks[1]` the nearest `ks[1]`, and so on. Within a
/// segment they come by row id, so that whatever is summed over them is summed in a fixed order.
#[derive(Debug)]
pub struct Nearest<'a> {
    /// Neighbors of each query.
    k: usize,
    /// For each query and neighbor its row of `values`.
    places: Vec<u32>,
    values: CowArray<'a, f32, Ix2>,
    source: Source<'a>,
    /// For each query how many parts of the rows were not searched; empty where none was missing.
    n_missing: Vec<u32>,
}

#[derive(Debug)]
enum Source<'a> {
    /// Places are row numbers. Distances, which averages do not need, are computed when they are asked for.
    InMemory {
        queries: &'a UnitRows,
        rows: &'a NeighborRows,
    },
    /// One for each query and neighbor.
    Fetched { found: Vec<Found>, n_queries: usize },
}

/// A neighbor that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// The id of its row.
    pub row_id: u64,
    /// One minus its similarity.
    pub distance: f64,
}

impl<'a> Nearest<'a> {
    /// Of rows in memory; `places` are row numbers.
    pub(crate) fn in_memory(
        k: usize,
        places: Vec<u32>,
        queries: &'a UnitRows,
        rows: &'a NeighborRows,
        values: ArrayView2<'a, f32>,
    ) -> Self {
        Self {
            k,
            places,
            values: values.into(),
            source: Source::InMemory { queries, rows },
            n_missing: Vec::new(),
        }
    }

    /// Puts the neighbors of each query into their segments. `found` and `values`, a row for each, hold for each query its nearest rows in ascending
    /// order of distance and row id, as many as the last of `ks`.
    ///
    /// # Errors
    /// [`Error::Shape`] for fewer or more neighbors or values; [`Error::TooManyRows`] for more than a search can name.
    pub fn fetched(
        ks: &[usize],
        n_queries: usize,
        mut found: Vec<Found>,
        values: Array2<f32>,
    ) -> Result<Self> {
        let k = ks.last().copied().unwrap_or(0);
        let n_values = values.ncols();
        for n_found in [found.len(), values.nrows()] {
            if n_found != n_queries * k {
                return Err(Error::Shape {
                    what: "neighbor",
                    expected: (n_queries * k, n_values),
                    found: (n_found, n_values),
                });
            }
        }
        let n_rows = found.len();
        let last = u32::try_from(n_rows).map_err(|_| Error::TooManyRows { n_rows })?;
        let mut places: Vec<u32> = (0..last).collect();
        for first in (0..n_rows).step_by(k.max(1)) {
            let mut start = 0;
            for &end in ks {
                places[first + start..first + end]
                    .sort_unstable_by_key(|&place| found[place as usize].row_id);
                start = end;
            }
        }
        found = places.iter().map(|&place| found[place as usize]).collect();
        Ok(Self {
            k,
            places,
            values: values.as_standard_layout().into_owned().into(),
            source: Source::Fetched { found, n_queries },
            n_missing: Vec::new(),
        })
    }

    /// The same where parts of the rows could not be searched, how many for each query.
    #[must_use]
    pub fn without_parts(mut self, n_missing: Vec<u32>) -> Self {
        self.n_missing = n_missing;
        self
    }

    /// How many parts of the rows could not be searched for a query.
    pub fn n_missing(&self, query: usize) -> u32 {
        self.n_missing.get(query).copied().unwrap_or(0)
    }

    /// Neighbors of each query.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Number of queries.
    pub fn n_queries(&self) -> usize {
        match &self.source {
            Source::InMemory { queries, .. } => queries.n_rows(),
            Source::Fetched { n_queries, .. } => *n_queries,
        }
    }

    /// The id of a query's neighbor, where `neighbor < k`.
    pub fn row_id(&self, query: usize, neighbor: usize) -> u64 {
        let i = query * self.k + neighbor;
        match &self.source {
            Source::InMemory { .. } => self.places[i].into(),
            Source::Fetched { found, .. } => found[i].row_id,
        }
    }

    /// One minus the similarity of a query and its neighbor, by the rule.
    pub fn distance(&self, query: usize, neighbor: usize) -> f64 {
        let i = query * self.k + neighbor;
        match &self.source {
            Source::InMemory { queries, rows } => {
                1.0 - dot_f64(queries.row(query), &rows.unit(self.places[i] as usize))
            }
            Source::Fetched { found, .. } => found[i].distance,
        }
    }

    /// The values of a query's neighbor, NaN where unknown.
    pub fn values(&self, query: usize, neighbor: usize) -> ArrayView1<'_, f32> {
        let place = self.places[query * self.k + neighbor];
        self.values.row(place as usize)
    }

    /// Where the values of some of a query's neighbors are among [`Nearest::all_values`].
    pub(crate) fn places(&self, query: usize, neighbors: Range<usize>) -> &[u32] {
        &self.places[query * self.k..][neighbors]
    }

    pub(crate) fn all_values(&self) -> ArrayView2<'_, f32> {
        self.values.view()
    }
}
