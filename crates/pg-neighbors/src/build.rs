//! Loading rows into shards, and building their indexes.

use std::{sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use half::f16;
use ndarray::{ArrayView1, ArrayView2};
use routers::HalfRows;
use tokio_postgres::Client;

use crate::{
    Error, IndexAddress, IndexSpec, Result, SearchBy, SearchSettings,
    copy::{CopiedRow, copy},
    executor::Executor,
    pool::Pool,
    recall,
    schema::{Entry, Place},
};

/// Rows that are looked at, and of which a shard's are sent, in one transaction: what an interrupted load loses at most.
const ROWS_PER_STEP: usize = 20_000;
/// A graph is built in memory as far as there is some, and many times slower beyond: kilobytes that a build has unless the server is set to more.
const BUILD_MEMORY: u32 = 1 << 20;
/// Longest wait for the answer to a small question.
const PATIENCE: Duration = Duration::from_secs(30);

/// How an index is built.
#[derive(Debug, Clone, Copy)]
pub struct BuildOptions {
    /// The graph; `None`: each search reads all rows, and is exact.
    pub hnsw: Option<Hnsw>,
    /// How many neighbors will be asked for.
    pub k: usize,
    /// The share of them that have to be found. Below 1; no graph finds all.
    pub recall: f64,
    /// Rows whose neighbors are searched for to measure it.
    pub n_recall_queries: usize,
    /// Seed of which rows these are.
    pub seed: u64,
}

/// Parameters of an HNSW graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hnsw {
    /// Edges of each node on each layer.
    pub m: usize,
    /// Candidates that are kept while a node finds its place.
    pub ef_construction: usize,
}

/// What was built.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Built {
    /// How to search.
    pub search: SearchBy,
    /// The share of the k nearest that are found, 1 for a search of all rows.
    pub recall: f64,
    /// Rows that this run sent.
    pub n_sent: u64,
    /// Zero vectors: they are nobody's neighbors.
    pub n_zero: u64,
}

/// Loads rows into one or several databases, each an equal share of them by a hash of their ids, and builds an index in each. A run that was
/// interrupted goes on with what its predecessor has loaded; on a complete index it only measures the recall.
///
/// The id of a row is its number. `values` has shape `(n_rows, n_values)`, NaN where unknown. `on_progress` counts rows looked at, those of
/// each database.
///
/// # Errors
/// [`Error::RowCount`]; [`Error::Connect`], [`Error::Database`], [`Error::Locked`]; [`Error::Pgvector`]; [`Error::OtherIndex`] for an index of the same
/// fit that is another shard; [`Error::Recall`].
pub fn build(
    addresses: &[IndexAddress],
    spec: &IndexSpec,
    rows: &HalfRows,
    values: ArrayView2<'_, f32>,
    options: &BuildOptions,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<Built> {
    if addresses.is_empty() {
        return Err(Error::NoAddress);
    }
    if values.nrows() != rows.n_rows() {
        return Err(Error::RowCount {
            found: values.nrows(),
            expected: rows.n_rows(),
        });
    }
    let executor = Executor::start().map_err(|source| Error::Connect {
        database: addresses[0].to_string(),
        source: source.into(),
    })?;
    let (mut n_sent, mut n_zero) = (0, 0);
    let mut loads = Vec::new();
    for (shard, address) in addresses.iter().enumerate() {
        let place = Place {
            shard: shard as i32,
            n_shards: addresses.len() as i32,
        };
        let pool = Pool::new(address, String::new(), PATIENCE, 1)?;
        let load = Load::begin(&executor, pool, spec, place, rows.n_rows())?;
        on_progress(load.entry.n_loaded as u64);
        loads.push(load);
    }
    // Step by step, all shards at a time: only a step's rows are held.
    loop {
        let mut steps = Vec::new();
        for (i, load) in loads.iter().enumerate() {
            if let Some(step) = load.next_step(rows, values) {
                n_sent += step.rows.len() as u64;
                steps.push((i, step));
            }
        }
        if steps.is_empty() {
            break;
        }
        let clients: Vec<_> = steps
            .iter()
            .map(|(i, _)| (Arc::clone(&loads[*i].shared), *i))
            .collect();
        let spec = spec.clone();
        let done = executor.wait(async move {
            let sent = clients
                .into_iter()
                .zip(steps)
                .map(|((shared, i), (_, step))| {
                    let spec = spec.clone();
                    async move {
                        let mut client = shared.client.lock().await;
                        send(&mut client, shared.pool.database(), &spec, &step).await?;
                        Ok::<_, Error>((i, step.end, step.n_zero))
                    }
                });
            try_join_all(sent).await
        })?;
        for (i, end, n_zero) in done {
            let load = &mut loads[i];
            on_progress((end as i64 - load.entry.n_loaded) as u64);
            load.entry.n_loaded = end as i64;
            load.entry.n_zero += n_zero;
        }
    }
    let finished: Vec<_> = loads.iter().map(|load| Arc::clone(&load.shared)).collect();
    for load in &loads {
        n_zero += load.entry.n_zero as u64;
    }
    let (hnsw, of) = (options.hnsw, spec.clone());
    executor.wait(async move {
        let built = finished.into_iter().map(|shared| {
            let of = of.clone();
            async move {
                let client = shared.client.lock().await;
                finish(&client, shared.pool.database(), &of, hnsw).await
            }
        });
        try_join_all(built).await
    })?;
    drop(loads);

    let settings = |timeout| SearchSettings {
        min_shards: addresses.len(),
        timeout,
        n_connections: 2,
    };
    let Some(_) = options.hnsw else {
        return Ok(Built {
            search: SearchBy::AllRows,
            recall: 1.0,
            n_sent,
            n_zero,
        });
    };
    let (search, recall) = recall::measure(addresses, spec, rows, options, &settings)?;
    Ok(Built {
        search,
        recall,
        n_sent,
        n_zero,
    })
}

/// One shard while it is loaded.
struct Load {
    shared: Arc<Shared>,
    entry: Entry,
}

struct Shared {
    pool: Pool,
    client: tokio::sync::Mutex<Client>,
}

/// Some rows of a shard.
struct Step {
    rows: Vec<CopiedRow>,
    n_zero: i64,
    /// The first row that was not looked at.
    end: usize,
}

impl Load {
    fn begin(
        executor: &Executor,
        pool: Pool,
        spec: &IndexSpec,
        place: Place,
        n_rows: usize,
    ) -> Result<Self> {
        let spec = spec.clone();
        let n_rows = n_rows as i64;
        executor.wait(async move {
            let database = pool.database().to_owned();
            let client = pool.connect().await?;
            // Until the connection ends, however it does.
            let is_free: bool = client
                .query_one(
                    "SELECT pg_try_advisory_lock(hashtext($1))",
                    &[&spec.table()],
                )
                .await
                .map_err(Error::database(&database, "lock the index"))?
                .get(0);
            if !is_free {
                return Err(Error::Locked { database });
            }
            spec.create(&client, &database, place, n_rows).await?;
            let entry = spec.entry(&client, &database).await?;
            let other = |key, found: String, expected: String| Error::OtherIndex {
                database: database.clone(),
                key,
                found,
                expected,
            };
            if entry.place != place {
                let shown = |it: Place| format!("{} of {}", it.shard, it.n_shards);
                return Err(other("shard", shown(entry.place), shown(place)));
            }
            if entry.n_rows != n_rows {
                let (found, expected) = (entry.n_rows.to_string(), n_rows.to_string());
                return Err(other("rows", found, expected));
            }
            Ok(Self {
                shared: Arc::new(Shared {
                    pool,
                    client: tokio::sync::Mutex::new(client),
                }),
                entry,
            })
        })
    }

    /// The next rows to send; `None` when all have been looked at.
    fn next_step(&self, rows: &HalfRows, values: ArrayView2<'_, f32>) -> Option<Step> {
        let start = self.entry.n_loaded as usize;
        if start >= rows.n_rows() {
            return None;
        }
        let end = rows.n_rows().min(start + ROWS_PER_STEP);
        let Place { shard, n_shards } = self.entry.place;
        let is_mine = |row: &usize| shard_of(*row as u64, n_shards as u64) == shard as u64;
        let view = rows.view();
        let copied = (start..end).filter(is_mine).map(|row| CopiedRow {
            id: row as i64,
            vector: view.row(row).to_vec(),
            values: values.row(row).to_vec(),
        });
        let copied: Vec<CopiedRow> = copied.collect();
        let zeros = copied
            .iter()
            .filter(|row| is_zero(ArrayView1::from(&row.vector)));
        Some(Step {
            n_zero: zeros.count() as i64,
            rows: copied,
            end,
        })
    }
}

/// The shard of a row: its id well mixed (the finalizer of splitmix64), so that each shard is as good as a random sample.
pub(crate) fn shard_of(id: u64, n_shards: u64) -> u64 {
    let mut mixed = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % n_shards
}

/// Sends rows and notes how far the load has come, both or neither.
async fn send(client: &mut Client, database: &str, spec: &IndexSpec, step: &Step) -> Result<()> {
    let transaction = client
        .transaction()
        .await
        .map_err(Error::database(database, "begin a transaction"))?;
    if !step.rows.is_empty() {
        copy(&transaction, database, &spec.table(), &step.rows).await?;
    }
    transaction
        .execute(
            "UPDATE carrot_indexes SET n_loaded = $2, n_zero = n_zero + $3 WHERE fit = $1",
            &[&spec.fit, &(step.end as i64), &step.n_zero],
        )
        .await
        .map_err(Error::database(database, "note the rows that were sent"))?;
    transaction
        .commit()
        .await
        .map_err(Error::database(database, "commit rows"))
}

/// Builds the graph, where there is to be one and there is none, and says that the index is complete.
async fn finish(
    client: &Client,
    database: &str,
    spec: &IndexSpec,
    hnsw: Option<Hnsw>,
) -> Result<()> {
    let failed = |error| Error::database(database, "build the index")(error);
    let table = spec.table();
    if let Some(Hnsw { m, ef_construction }) = hnsw
        && !spec.has_hnsw(client, database).await?
    {
        let name = spec.hnsw();
        client
            .batch_execute(&format!(
                "SELECT set_config('maintenance_work_mem', greatest(setting::int, {BUILD_MEMORY}) || 'kB', false) \
                 FROM pg_settings WHERE name = 'maintenance_work_mem'; DROP INDEX IF EXISTS {name}; \
                 CREATE INDEX {name} ON {table} USING hnsw (v halfvec_cosine_ops) WITH (m = {m}, ef_construction = {ef_construction})"
            ))
            .await
            .map_err(failed)?;
    }
    client
        .batch_execute(&format!("ANALYZE {table}"))
        .await
        .map_err(failed)?;
    client
        .execute(
            "UPDATE carrot_indexes SET is_ready = true WHERE fit = $1",
            &[&spec.fit],
        )
        .await
        .map_err(failed)?;
    Ok(())
}

/// Whether a vector is zero.
pub(crate) fn is_zero(vector: ArrayView1<'_, f16>) -> bool {
    vector.iter().all(|&it| it == f16::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_equal_shares() {
        for n_shards in [1, 2, 3, 7] {
            let mut counts = vec![0_u32; n_shards as usize];
            for id in 0..70_000 {
                counts[shard_of(id, n_shards) as usize] += 1;
            }
            let expected = 70_000.0 / n_shards as f64;
            for n in counts {
                // Four deviations of a binomial.
                assert!(
                    (f64::from(n) - expected).abs() < 4.0 * expected.sqrt(),
                    "{n}"
                );
            }
        }
        // A row stays where it is: another version finds it there.
        let found: Vec<u64> = (0..12).map(|id| shard_of(id, 3)).collect();
        assert_eq!(found, PINNED);
    }

    const PINNED: [u64; 12] = [1, 2, 1, 0, 1, 2, 2, 0, 1, 1, 1, 0];
}
