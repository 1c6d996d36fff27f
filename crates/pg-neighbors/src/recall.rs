//! How many of the nearest an HNSW index finds, and how far it has to look to find enough of them.

use std::{collections::HashSet, time::Duration};

use half::f16;
use rand::{SeedableRng as _, seq::index};
use rand_chacha::ChaCha8Rng;
use routers::{HalfRows, Neighbors as _, UnitRows};

use crate::{
    BuildOptions, Error, IndexAddress, IndexSpec, PgNeighbors, Result, SearchBy, SearchSettings,
    build::is_zero,
    search::{MAX_EF_SEARCH, N_SPARE},
};

/// A scan of all rows takes its time.
const EXACT_PATIENCE: Duration = Duration::from_secs(600);
const PATIENCE: Duration = Duration::from_secs(60);

/// Raises `hnsw.ef_search` until enough of the nearest are found.
pub(crate) fn measure(
    addresses: &[IndexAddress],
    spec: &IndexSpec,
    rows: &HalfRows,
    options: &BuildOptions,
    settings: &dyn Fn(Duration) -> SearchSettings,
) -> Result<(SearchBy, f64)> {
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let n_queries = options.n_recall_queries.min(rows.n_rows());
    let drawn = index::sample(&mut rng, rows.n_rows(), n_queries).into_vec();
    let view = rows.view();
    // The nearest of a zero vector are no neighbors.
    let drawn: Vec<usize> = (drawn.into_iter())
        .filter(|&row| !is_zero(view.row(row)))
        .collect();
    // A row is its own nearest, which tells nothing.
    let k = (options.k + 1).min(rows.n_rows());
    let start = (k + N_SPARE).min(MAX_EF_SEARCH);
    if drawn.is_empty() {
        return Ok((SearchBy::Hnsw { ef_search: start }, 1.0));
    }
    let halves: Vec<f16> = drawn
        .iter()
        .flat_map(|&row| view.row(row).to_vec())
        .collect();
    let queries = HalfRows::new(std::sync::Arc::new(halves), (drawn.len(), rows.dim()))?;
    let queries = queries.to_unit_rows();
    let found = |search, timeout| -> Result<Vec<HashSet<u64>>> {
        let index = PgNeighbors::open(addresses, spec, search, k, &settings(timeout))?;
        nearest(&index, &queries, &drawn, k)
    };
    let exact = found(SearchBy::AllRows, EXACT_PATIENCE)?;
    let mut ef_search = start;
    loop {
        let search = SearchBy::Hnsw { ef_search };
        let approximate = found(search, PATIENCE)?;
        let shares = exact.iter().zip(&approximate).map(|(exact, found)| {
            exact.intersection(found).count() as f64 / exact.len().max(1) as f64
        });
        let recall = shares.sum::<f64>() / drawn.len() as f64;
        tracing::info!("hnsw.ef_search {ef_search}: recall {recall:.3}");
        if recall >= options.recall {
            return Ok((search, recall));
        }
        if ef_search == MAX_EF_SEARCH {
            return Err(Error::Recall {
                found: recall,
                expected: options.recall,
                ef_search,
            });
        }
        ef_search = (ef_search * 3 / 2).min(MAX_EF_SEARCH);
    }
}

/// The ids of the nearest of each query but its own.
fn nearest(
    index: &PgNeighbors,
    queries: &UnitRows,
    own: &[usize],
    k: usize,
) -> Result<Vec<HashSet<u64>>> {
    let found = index.nearest(queries, &[k], &|_| ())?;
    let ids = |query: usize| {
        (0..k)
            .map(|i| found.row_id(query, i))
            .filter(|&id| id != own[query] as u64)
            .collect()
    };
    Ok((0..own.len()).map(ids).collect())
}
