//! Indexes in Postgres.

use std::sync::Arc;

use pg_neighbors::{
    BuildOptions, Hnsw, IndexAddress, IndexSpec, PgNeighbors, SearchBy, SearchSettings,
};
use routers::{InMemory, Neighbors};
use saved_routers::{IndexParts, Model, SavedIndex, SavedRouter};

use super::{BuiltIndex, IndexPlace, IndexPlan};
use crate::{Error, Result};

/// Seed of the rows by which recall is measured.
const SEED: u64 = 42;

pub(super) fn open(index: &SavedIndex, place: &IndexPlace) -> Result<Arc<dyn Neighbors>> {
    let spec = IndexSpec {
        fit: index.fit.clone(),
        dim: index.dim,
        n_values: index.n_values(),
    };
    let search = match index.ef_search {
        Some(ef_search) => SearchBy::Hnsw { ef_search },
        None => SearchBy::AllRows,
    };
    let addresses = addresses(place)?;
    let settings = SearchSettings {
        min_shards: place.min_shards.unwrap_or(addresses.len()),
        timeout: place.timeout,
        n_connections: place.n_connections,
    };
    let rows = PgNeighbors::open(&addresses, &spec, search, index.k(), &settings);
    Ok(Arc::new(rows.map_err(refused)?))
}

pub(super) fn build(plan: &IndexPlan, on_progress: &(dyn Fn(u64) + Sync)) -> Result<BuiltIndex> {
    let addresses = addresses(&plan.place)?;
    let router = SavedRouter::open(&plan.model)?;
    let fit = router.rows_sha256(&plan.model)?;
    let Model::Knn(knn) = &router.model else {
        unreachable!("other routers cannot be indexed, which was just checked")
    };
    let knn = knn.learner();
    let held: &InMemory = knn.in_memory().expect("it was opened from its folder");
    let rows = held.rows().to_half_rows();
    let rows = rows.map_err(|source| saved_routers::Error::Predict { source })?;
    let spec = IndexSpec {
        fit: fit.clone(),
        dim: rows.dim(),
        n_values: held.values().ncols(),
    };
    let ks = knn.fits().iter().map(|fit| fit.n_neighbors);
    let options = BuildOptions {
        hnsw: plan
            .graph
            .map(|(m, ef_construction)| Hnsw { m, ef_construction }),
        k: ks.max().unwrap_or(1),
        recall: plan.recall,
        n_recall_queries: plan.n_recall_queries,
        seed: SEED,
    };
    let values = held.values();
    let built = pg_neighbors::build(&addresses, &spec, &rows, values, &options, on_progress)
        .map_err(refused)?;
    let ef_search = match built.search {
        SearchBy::AllRows => None,
        SearchBy::Hnsw { ef_search } => Some(ef_search),
    };
    let parts = IndexParts {
        fit,
        ef_search,
        recall: built.recall,
    };
    router.write_indexed(&parts, &plan.output)?;
    Ok(BuiltIndex {
        n_rows: rows.n_rows(),
        n_sent: built.n_sent,
        n_zero: built.n_zero,
        ef_search,
        recall: built.recall,
    })
}

fn addresses(place: &IndexPlace) -> Result<Vec<IndexAddress>> {
    let parsed = place.addresses.iter().map(|address| address.parse());
    parsed
        .collect::<Result<_, pg_neighbors::Error>>()
        .map_err(refused)
}

fn refused(source: pg_neighbors::Error) -> Error {
    Error::Index {
        source: source.into(),
    }
}
