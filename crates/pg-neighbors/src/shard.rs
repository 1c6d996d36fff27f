//! One shard: a query goes out, ranked neighbors come back.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use half::f16;
use routers::{Found, HalfRows, similarity};
use tokio_postgres::Row;

use crate::{
    Error, Result,
    pool::{Lent, Pool},
    types::{HalfVec, Reals},
};

/// How often a query is sent to a shard whose connections break: idle ones may be dead, and a replica takes over.
const N_ATTEMPTS: usize = 3;
/// How long a shard that failed is left alone, where others do without it.
const REST: Duration = Duration::from_secs(2);

/// A part of the rows.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) pool: Pool,
    pub(crate) table: String,
    pub(crate) dim: usize,
    pub(crate) n_values: usize,
    pub(crate) n_zero: u64,
    rests_until: Mutex<Option<Instant>>,
}

/// What is searched for.
#[derive(Debug)]
pub(crate) struct Query {
    /// Of length 1, or zero.
    pub(crate) unit: Vec<f32>,
    /// The same, to be sent.
    pub(crate) half: HalfVec,
}

/// A row that was found.
#[derive(Debug, Clone)]
pub(crate) struct Neighbor {
    pub(crate) similarity: f64,
    pub(crate) row_id: u64,
    pub(crate) values: Vec<f32>,
}

impl Neighbor {
    /// Higher similarity, then lower id.
    pub(crate) fn before(&self, other: &Self) -> std::cmp::Ordering {
        (other.similarity.total_cmp(&self.similarity)).then(self.row_id.cmp(&other.row_id))
    }

    pub(crate) fn found(&self) -> Found {
        Found {
            row_id: self.row_id,
            distance: 1.0 - self.similarity,
        }
    }
}

impl Query {
    pub(crate) fn new(unit: &[f32]) -> Self {
        Self {
            unit: unit.to_vec(),
            half: HalfVec(unit.iter().map(|&x| f16::from_f32(x)).collect()),
        }
    }

    fn is_zero(&self) -> bool {
        self.unit.iter().all(|&x| x == 0.0)
    }
}

/// Whether a connection has ended, which shows a moment after its last answer.
async fn is_broken(lent: &Lent) -> bool {
    if !lent.session.client.is_closed() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    lent.session.client.is_closed()
}

impl Shard {
    pub(crate) fn new(
        pool: Pool,
        table: String,
        (dim, n_values): (usize, usize),
        n_zero: u64,
    ) -> Self {
        Self {
            pool,
            table,
            dim,
            n_values,
            n_zero,
            rests_until: Mutex::new(None),
        }
    }

    /// The nearest `limit` rows of a query, in their order. A shard that rests is not asked where it `may_rest`.
    pub(crate) async fn nearest(
        self: Arc<Self>,
        query: Arc<Query>,
        limit: usize,
        may_rest: bool,
    ) -> Result<Vec<Neighbor>> {
        let resting = || {
            *self
                .rests_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if may_rest && resting().is_some_and(|until| Instant::now() < until) {
            return Err(Error::Resting {
                database: self.pool.database().to_owned(),
            });
        }
        let found = self.ask(&query, limit).await;
        let until = found.is_err().then(|| Instant::now() + REST);
        *self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = until;
        found
    }

    async fn ask(&self, query: &Query, limit: usize) -> Result<Vec<Neighbor>> {
        let mut attempt = 1;
        loop {
            let mut lent = self.pool.get().await?;
            let answer = self.fetch(&mut lent, query, limit).await;
            match answer {
                Ok(rows) => {
                    let ranked = self.rank(query, &rows)?;
                    if ranked.len() < limit {
                        self.check_count(&lent, ranked.len(), limit).await?;
                    }
                    self.pool.keep(lent);
                    return Ok(ranked);
                }
                // A connection that broke says nothing of the database: another one may work, or lead to a replica.
                Err(error) if attempt < N_ATTEMPTS && is_broken(&lent).await => {
                    tracing::debug!("asking {} once more: {error}", self.pool.database());
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn fetch(&self, lent: &mut Lent, query: &Query, limit: usize) -> Result<Vec<Row>> {
        let table = &self.table;
        // By cosine a zero vector is as far from all as from none: all are equally near, and the lowest ids come first.
        let (order, is_by_distance) = match query.is_zero() {
            true => ("id", false),
            false => ("v <=> $1", true),
        };
        let sql = format!("SELECT id, v, y FROM {table} ORDER BY {order} LIMIT {limit}");
        let failed = |error| Error::database(self.pool.database(), "search")(error);
        let session = &mut lent.session;
        let statement = match session.statements.get(&sql) {
            Some(statement) => statement.clone(),
            None => {
                let prepared = session.client.prepare(&sql);
                let prepared = self.pool.in_time("prepare a search", prepared).await?;
                let statement = prepared.map_err(failed)?;
                session.statements.insert(sql, statement.clone());
                statement
            }
        };
        let rows = async {
            match is_by_distance {
                true => session.client.query(&statement, &[&query.half]).await,
                false => session.client.query(&statement, &[]).await,
            }
        };
        self.pool
            .in_time("answer a search", rows)
            .await?
            .map_err(failed)
    }

    /// Ranks rows by the rule.
    fn rank(&self, query: &Query, rows: &[Row]) -> Result<Vec<Neighbor>> {
        let unreadable =
            |error| Error::database(self.pool.database(), "send rows that can be read")(error);
        let mut halves = Vec::with_capacity(rows.len() * self.dim);
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let row_id = row.try_get::<_, i64>(0).map_err(unreadable)? as u64;
            let vector: HalfVec = row.try_get(1).map_err(unreadable)?;
            let Reals(values) = row.try_get(2).map_err(unreadable)?;
            let bad = |problem: String| Error::BadRow {
                database: self.pool.database().to_owned(),
                row_id,
                problem,
            };
            if vector.0.len() != self.dim {
                let n = vector.0.len();
                return Err(bad(format!(
                    "has a vector of length {n}, expected {}",
                    self.dim
                )));
            }
            if values.len() != self.n_values {
                let n = values.len();
                return Err(bad(format!("has {n} values, expected {}", self.n_values)));
            }
            if let Some(value) = values.iter().find(|it| it.is_infinite()) {
                return Err(bad(format!(
                    "has the value {value}, expected finite ones or null"
                )));
            }
            halves.extend(vector.0);
            found.push((row_id, values));
        }
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let rows = HalfRows::new(Arc::new(halves), (found.len(), self.dim))?.to_unit_rows();
        let mut ranked: Vec<Neighbor> = (found.into_iter().zip(rows.view().outer_iter()))
            .map(|((row_id, values), row)| Neighbor {
                similarity: similarity(
                    &query.unit,
                    row.to_slice().expect("rows lie row after row"),
                ),
                row_id,
                values,
            })
            .collect();
        ranked.sort_unstable_by(Neighbor::before);
        Ok(ranked)
    }

    /// Fewer rows than asked for are all that there are, or the search was cut short.
    async fn check_count(&self, lent: &Lent, found: usize, limit: usize) -> Result<()> {
        // One more than the zero vectors that a graph does not hold.
        let most = found as u64 + self.n_zero + 1;
        let table = &self.table;
        let sql = format!("SELECT count(*) FROM (SELECT FROM {table} LIMIT {most}) AS counted");
        let count = lent.session.client.query_one(&sql, &[]);
        let count: i64 = (self.pool.in_time("count its rows", count).await?)
            .map_err(Error::database(self.pool.database(), "count its rows"))?
            .get(0);
        if (count as u64) < most {
            return Ok(());
        }
        Err(Error::CutShort {
            database: self.pool.database().to_owned(),
            found,
            expected: limit.min(count as usize),
        })
    }
}
