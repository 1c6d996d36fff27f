use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, future::join_all, stream};
use ndarray::Array2;
use routers::{Nearest, Neighbors, UnitRows};

use crate::{
    Error, IndexAddress, IndexSpec, Result,
    executor::Executor,
    pool::Pool,
    schema::Entry,
    shard::{Neighbor, Query, Shard},
};

/// Rows that are fetched beyond those asked for: the database compares vectors and queries of float16 in float32, and may take one neighbor for the
/// next.
pub(crate) const N_SPARE: usize = 32;
/// The highest `hnsw.ef_search` that pgvector allows.
pub(crate) const MAX_EF_SEARCH: usize = 1000;
/// Up to so many rows are counted, which takes well under a second; of more the system's estimate is good enough.
const MOST_COUNTED: i64 = 100_000;

/// How rows are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchBy {
    /// Every row is compared: exact, and as slow as there are rows.
    AllRows,
    /// By the HNSW index, with so many candidates.
    Hnsw {
        /// pgvector's `hnsw.ef_search`; its own default is 40. At least as many rows as are fetched are taken, as far as pgvector allows.
        ef_search: usize,
    },
}

/// What a search may take.
#[derive(Debug, Clone, Copy)]
pub struct SearchSettings {
    /// How many shards have to answer. A shard that is missing is a part of a random sample of the rows: the rest predicts nearly the same.
    pub min_shards: usize,
    /// Longest wait for an answer, a connection, or a free one.
    pub timeout: Duration,
    /// Connections to each shard.
    pub n_connections: usize,
}

/// The rows of an index, in one or several databases.
#[derive(Debug)]
pub struct PgNeighbors {
    executor: Executor,
    shards: Vec<Arc<Shard>>,
    spec: IndexSpec,
    n_rows: usize,
    settings: SearchSettings,
}

/// What a shard said when it was opened.
struct Opened {
    shard: Arc<Shard>,
    entry: Entry,
    n_rows: i64,
}

impl PgNeighbors {
    /// Connects to all shards, in any order, and refuses an index of which the next `k` rows could not be searched for. Rows that are added and deleted
    /// later are seen by the next search.
    ///
    /// With `min_shards` below their number, shards that cannot be reached are searched once they can.
    ///
    /// # Errors
    /// [`Error::NoAddress`], [`Error::BadMinShards`]; [`Error::Certificates`]; [`Error::Connect`], [`Error::TimedOut`] or [`Error::Database`];
    /// [`Error::Pgvector`], [`Error::NoIndex`], [`Error::OtherIndex`], [`Error::Incomplete`], [`Error::Lost`], [`Error::SameShard`];
    /// [`Error::FewRows`].
    pub fn open(
        addresses: &[IndexAddress],
        spec: &IndexSpec,
        search: SearchBy,
        k: usize,
        settings: &SearchSettings,
    ) -> Result<Self> {
        let first = addresses.first().ok_or(Error::NoAddress)?;
        let n_shards = addresses.len();
        if !(1..=n_shards).contains(&settings.min_shards) {
            return Err(Error::BadMinShards {
                n_shards,
                expected: settings.min_shards,
            });
        }
        let executor = Executor::start().map_err(|source| Error::Connect {
            database: first.to_string(),
            source: source.into(),
        })?;
        let mut pools = Vec::new();
        for address in addresses {
            let setup = setup(search, k, settings.timeout);
            pools.push(Pool::new(
                address,
                setup,
                settings.timeout,
                settings.n_connections,
            )?);
        }
        let of = spec.clone();
        let opened = executor.wait(async move {
            let opened = pools
                .into_iter()
                .map(|pool| open_shard(pool, &of, search, n_shards));
            join_all(opened).await
        });
        let (mut found, mut missing, mut first_error) = (Vec::new(), Vec::new(), None);
        for (opened, address) in opened.into_iter().zip(addresses) {
            match opened {
                Ok(opened) => found.push(opened),
                // Only what may be different in a moment is waited for.
                Err(
                    error @ (Error::Connect { .. }
                    | Error::TimedOut { .. }
                    | Error::Database { .. }),
                ) => {
                    missing.push(address);
                    first_error.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = first_error {
            if found.len() < settings.min_shards {
                return Err(few_shards(
                    found.len(),
                    n_shards,
                    settings.min_shards,
                    error,
                ));
            }
            tracing::warn!(
                "{} of {n_shards} shards cannot be reached: {error}",
                missing.len()
            );
        }
        for (i, later) in found.iter().enumerate() {
            if let Some(earlier) = found[..i]
                .iter()
                .find(|it| it.entry.place.shard == later.entry.place.shard)
            {
                return Err(Error::SameShard {
                    first: earlier.shard.pool.database().to_owned(),
                    second: later.shard.pool.database().to_owned(),
                    shard: later.entry.place.shard,
                    n_shards: later.entry.place.n_shards,
                });
            }
        }
        let n_found: i64 = found.iter().map(|it| it.n_rows).sum();
        let n_zero: i64 = found.iter().map(|it| it.entry.n_zero).sum();
        let n_searched = (n_found - n_zero).max(0) as u64;
        if n_searched < k as u64 {
            return Err(Error::FewRows {
                found: n_searched,
                expected: k,
            });
        }
        // Of those that are missing as many are expected.
        let n_rows = n_found as usize * n_shards / found.len().max(1);
        let mut shards: Vec<Arc<Shard>> = found.into_iter().map(|it| it.shard).collect();
        for address in missing {
            let setup = setup(search, k, settings.timeout);
            let pool = Pool::new(address, setup, settings.timeout, settings.n_connections)?;
            let sizes = (spec.dim, spec.n_values);
            shards.push(Arc::new(Shard::new(pool, spec.table(), sizes, 0)));
        }
        Ok(Self {
            executor,
            shards,
            spec: spec.clone(),
            n_rows,
            settings: *settings,
        })
    }

    /// Number of shards.
    pub fn n_shards(&self) -> usize {
        self.shards.len()
    }

    /// The nearest of each query, and how many shards were missing.
    fn search(&self, queries: &UnitRows, k: usize) -> Result<Vec<(Vec<Neighbor>, usize)>> {
        let limit = k + N_SPARE;
        let may_rest = self.settings.min_shards < self.shards.len();
        let shards = self.shards.clone();
        let units = queries.view();
        let queries: Vec<Arc<Query>> = (units.outer_iter())
            .map(|unit| Arc::new(Query::new(unit.to_slice().expect("rows lie row after row"))))
            .collect();
        let n_at_once = self.settings.n_connections.max(1);
        let answers = self.executor.wait(async move {
            let of_query = |query: Arc<Query>| {
                let asked = shards
                    .iter()
                    .map(|shard| Arc::clone(shard).nearest(Arc::clone(&query), limit, may_rest));
                // The slowest shard decides.
                join_all(asked.collect::<Vec<_>>())
            };
            let asked: Vec<_> = queries.into_iter().map(of_query).collect();
            stream::iter(asked)
                .buffered(n_at_once)
                .collect::<Vec<Vec<Result<Vec<Neighbor>>>>>()
                .await
        });
        answers
            .into_iter()
            .map(|of_shards| self.merge(of_shards, k))
            .collect()
    }

    /// The nearest of all shards, by similarity and id.
    fn merge(
        &self,
        of_shards: Vec<Result<Vec<Neighbor>>>,
        k: usize,
    ) -> Result<(Vec<Neighbor>, usize)> {
        let n_shards = of_shards.len();
        let (mut all, mut n_answered, mut first_error) = (Vec::new(), 0, None);
        for found in of_shards {
            match found {
                Ok(found) => {
                    n_answered += 1;
                    all.extend(found);
                }
                Err(error) => _ = first_error.get_or_insert(error),
            }
        }
        if let Some(error) = first_error
            && n_answered < self.settings.min_shards
        {
            return Err(few_shards(
                n_answered,
                n_shards,
                self.settings.min_shards,
                error,
            ));
        }
        all.sort_unstable_by(Neighbor::before);
        if all.len() < k {
            return Err(Error::FewRows {
                found: all.len() as u64,
                expected: k,
            });
        }
        all.truncate(k);
        Ok((all, n_shards - n_answered))
    }
}

impl Neighbors for PgNeighbors {
    fn dim(&self) -> usize {
        self.spec.dim
    }

    fn n_rows(&self) -> usize {
        self.n_rows
    }

    fn n_values(&self) -> usize {
        self.spec.n_values
    }

    fn nearest<'a>(
        &'a self,
        queries: &'a UnitRows,
        ks: &[usize],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> routers::Result<Nearest<'a>> {
        let k = ks.last().copied().unwrap_or(0);
        let answers = self.search(queries, k);
        let answers = answers.map_err(|source| routers::Error::Neighbors {
            source: source.into(),
        })?;
        let n_queries = answers.len();
        let mut found = Vec::with_capacity(n_queries * k);
        let mut values = Vec::with_capacity(n_queries * k * self.spec.n_values);
        let mut n_missing = Vec::with_capacity(n_queries);
        for (neighbors, missing) in answers {
            n_missing.push(missing as u32);
            for neighbor in neighbors {
                found.push(neighbor.found());
                values.extend(neighbor.values);
            }
        }
        let values = Array2::from_shape_vec((found.len(), self.spec.n_values), values)
            .expect("each neighbor has so many values");
        on_progress(n_queries as u64);
        Ok(Nearest::fetched(ks, n_queries, found, values)?.without_parts(n_missing))
    }
}

fn few_shards(found: usize, n_shards: usize, expected: usize, error: Error) -> Error {
    match n_shards {
        // What is wrong with the only one says more than that none of one answered.
        1 => error,
        _ => Error::FewShards {
            found,
            n_shards,
            expected,
            source: error.into(),
        },
    }
}

/// What a connection that searches is told.
fn setup(search: SearchBy, k: usize, timeout: Duration) -> String {
    /// pgvector's default, which is left as the server has it while it is enough.
    const MAX_SCAN_TUPLES: usize = 20_000;
    // So that a server stops when nobody waits any more.
    let timeout = format!("SET statement_timeout = {};", timeout.as_millis().max(1));
    match search {
        // The planner would take an HNSW index where there is one.
        SearchBy::AllRows => {
            format!("{timeout} SET enable_indexscan = off; SET enable_bitmapscan = off")
        }
        SearchBy::Hnsw { ef_search } => {
            let limit = k + N_SPARE;
            let ef_search = ef_search.max(limit).min(MAX_EF_SEARCH);
            // Where that is fewer than are asked for, the search goes on until it has as many, or has seen as many rows as it may.
            let may_see = match limit > MAX_SCAN_TUPLES / 2 {
                true => format!("SET hnsw.max_scan_tuples = {};", 4 * limit),
                false => String::new(),
            };
            format!(
                "{timeout} {may_see} SET hnsw.ef_search = {ef_search}; SET hnsw.iterative_scan = strict_order; SET enable_seqscan = off"
            )
        }
    }
}

async fn open_shard(
    pool: Pool,
    spec: &IndexSpec,
    search: SearchBy,
    n_shards: usize,
) -> Result<Opened> {
    let database = pool.database().to_owned();
    let lent = pool.get().await?;
    let client = &lent.session.client;
    let work = async {
        let entry = spec.entry(client, &database).await?;
        if entry.n_loaded < entry.n_rows || !entry.is_ready {
            return Err(Error::Incomplete {
                database: database.clone(),
                n_loaded: entry.n_loaded,
                n_rows: entry.n_rows,
            });
        }
        if entry.place.n_shards as usize != n_shards {
            return Err(Error::OtherIndex {
                database: database.clone(),
                key: "shards in all",
                found: entry.place.n_shards.to_string(),
                expected: n_shards.to_string(),
            });
        }
        if let SearchBy::Hnsw { .. } = search {
            spec.check_hnsw(client, &database).await?;
        }
        let table = spec.table();
        let counted = client
            .query_one(
                &format!(
                    "SELECT count(*) FROM (SELECT FROM {table} LIMIT {MOST_COUNTED}) AS counted"
                ),
                &[],
            )
            .await
            .map_err(Error::database(&database, "count its rows"))?;
        let counted: i64 = counted.get(0);
        let n_rows = match counted < MOST_COUNTED {
            true => counted,
            false => {
                let estimate = client
                    .query_one(
                        "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass($1)",
                        &[&table],
                    )
                    .await
                    .map_err(Error::database(&database, "estimate its rows"))?;
                counted.max(estimate.get(0))
            }
        };
        Ok((entry, n_rows))
    };
    let (entry, n_rows) = pool.in_time("describe its index", work).await??;
    pool.keep(lent);
    let sizes = (spec.dim, spec.n_values);
    let n_zero = entry.n_zero.max(0) as u64;
    Ok(Opened {
        shard: Arc::new(Shard::new(pool, spec.table(), sizes, n_zero)),
        entry,
        n_rows,
    })
}
