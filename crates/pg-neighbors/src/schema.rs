//! Tables: how they are named, made, and compared with what a router needs.

use tokio_postgres::Client;

use crate::{Error, Result};

/// The version of the tables that this crate makes and reads.
const FORMAT: i32 = 1;
/// The first with `hnsw.iterative_scan`, without which a search may give fewer rows than asked for.
const PGVECTOR: (&str, [u32; 2]) = ("0.8.0", [0, 8]);
/// Digits of the fit in names of tables.
const N_DIGITS: usize = 16;

/// What an index is of. All of it is compared when the index is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSpec {
    /// What the rows were fitted to: a hash in hexadecimal, of which the first 16 digits name the tables.
    pub fit: String,
    /// Length of each vector.
    pub dim: usize,
    /// Values of each row.
    pub n_values: usize,
}

/// Which of the shards a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) shard: i32,
    pub(crate) n_shards: i32,
}

/// The row of an index in `carrot_indexes`.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) n_loaded: i64,
    pub(crate) n_rows: i64,
    pub(crate) n_zero: i64,
    pub(crate) is_ready: bool,
}

impl IndexSpec {
    /// The table of the rows.
    pub(crate) fn table(&self) -> String {
        // A fit comes from a file; a name must not hold anything else.
        let digits = self.fit.chars().filter(char::is_ascii_alphanumeric);
        let digits: String = digits.take(N_DIGITS).collect();
        format!("carrot_{}", digits.to_ascii_lowercase())
    }

    /// Its HNSW index.
    pub(crate) fn hnsw(&self) -> String {
        format!("{}_hnsw", self.table())
    }

    /// Makes what is not there: the extension, the list of indexes, and this one's table and entry.
    pub(crate) async fn create(
        &self,
        client: &Client,
        database: &str,
        place: Place,
        n_rows: i64,
    ) -> Result<()> {
        let Self { fit, dim, n_values } = self;
        let failed = |error| Error::database(database, "make the tables of the index")(error);
        client
            .batch_execute("CREATE EXTENSION IF NOT EXISTS vector")
            .await
            .map_err(failed)?;
        check_pgvector(client, database).await?;
        client
            .batch_execute(
                "CREATE TABLE IF NOT EXISTS carrot_indexes (fit text PRIMARY KEY, format int NOT NULL, dim int NOT NULL, n_values int NOT NULL, \
                 shard int NOT NULL, n_shards int NOT NULL, n_rows bigint NOT NULL, n_loaded bigint NOT NULL DEFAULT 0, \
                 n_zero bigint NOT NULL DEFAULT 0, is_ready boolean NOT NULL DEFAULT false)",
            )
            .await
            .map_err(failed)?;
        let table = self.table();
        client
            .batch_execute(&format!(
                "CREATE TABLE IF NOT EXISTS {table} (id bigint PRIMARY KEY, v halfvec({dim}) NOT NULL, y real[] NOT NULL \
                 CHECK (cardinality(y) = {n_values}))"
            ))
            .await
            .map_err(failed)?;
        client
            .execute(
                "INSERT INTO carrot_indexes (fit, format, dim, n_values, shard, n_shards, n_rows) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (fit) DO NOTHING",
                &[
                    fit,
                    &FORMAT,
                    &(*dim as i32),
                    &(*n_values as i32),
                    &place.shard,
                    &place.n_shards,
                    &n_rows,
                ],
            )
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Reads the entry of this index, and refuses one of other rows.
    pub(crate) async fn entry(&self, client: &Client, database: &str) -> Result<Entry> {
        check_pgvector(client, database).await?;
        let failed = |error| Error::database(database, "read its list of indexes")(error);
        let has_list: bool = client
            .query_one("SELECT to_regclass('carrot_indexes') IS NOT NULL", &[])
            .await
            .map_err(failed)?
            .get(0);
        if !has_list {
            return Err(self.no_index(database, Vec::new()));
        }
        let rows = client
            .query(
                "SELECT fit, format, dim, n_values, shard, n_shards, n_loaded, n_rows, n_zero, is_ready FROM carrot_indexes ORDER BY fit",
                &[],
            )
            .await
            .map_err(failed)?;
        let fit = |row: &tokio_postgres::Row| row.get::<_, String>(0);
        let Some(row) = rows.iter().find(|row| fit(row) == self.fit) else {
            return Err(self.no_index(database, rows.iter().map(fit).collect()));
        };
        for (i, key, expected) in [
            (1, "format", FORMAT),
            (2, "dimension", self.dim as i32),
            (3, "values a row", self.n_values as i32),
        ] {
            let found: i32 = row.get(i);
            if found != expected {
                return Err(Error::OtherIndex {
                    database: database.to_owned(),
                    key,
                    found: found.to_string(),
                    expected: expected.to_string(),
                });
            }
        }
        let entry = Entry {
            place: Place {
                shard: row.get(4),
                n_shards: row.get(5),
            },
            n_loaded: row.get(6),
            n_rows: row.get(7),
            n_zero: row.get(8),
            is_ready: row.get(9),
        };
        self.check_table(client, database).await?;
        Ok(entry)
    }

    fn no_index(&self, database: &str, others: Vec<String>) -> Error {
        Error::NoIndex {
            database: database.to_owned(),
            fit: self.fit.clone(),
            others,
        }
    }

    /// The table as it is, whatever the list says.
    async fn check_table(&self, client: &Client, database: &str) -> Result<()> {
        let found = client
            .query_opt(
                "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = 'v' AND NOT attisdropped",
                &[&self.table()],
            )
            .await
            .map_err(Error::database(database, "describe the table of the index"))?;
        let Some(found) = found else {
            let what = format!("the table `{}`", self.table());
            return Err(lost(database, what));
        };
        let (found, expected): (String, String) = (found.get(0), format!("halfvec({})", self.dim));
        if found != expected {
            return Err(Error::OtherIndex {
                database: database.to_owned(),
                key: "vectors of type",
                found,
                expected,
            });
        }
        Ok(())
    }

    /// Whether there is an HNSW index that can be searched.
    pub(crate) async fn has_hnsw(&self, client: &Client, database: &str) -> Result<bool> {
        let found = client
            .query_opt(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)",
                &[&self.hnsw()],
            )
            .await
            .map_err(Error::database(database, "describe its HNSW index"))?;
        Ok(found.is_some_and(|row| row.get(0)))
    }

    pub(crate) async fn check_hnsw(&self, client: &Client, database: &str) -> Result<()> {
        match self.has_hnsw(client, database).await? {
            true => Ok(()),
            false => Err(lost(database, format!("the HNSW index `{}`", self.hnsw()))),
        }
    }
}

fn lost(database: &str, what: String) -> Error {
    Error::Lost {
        database: database.to_owned(),
        what,
    }
}

async fn check_pgvector(client: &Client, database: &str) -> Result<()> {
    let found = client
        .query_opt(
            "SELECT extversion FROM pg_extension WHERE extname = 'vector'",
            &[],
        )
        .await
        .map_err(Error::database(database, "list its extensions"))?;
    let version: Option<String> = found.map(|row| row.get(0));
    let (expected, least) = PGVECTOR;
    let is_new = |version: &String| {
        let mut numbers = version
            .split('.')
            .map(|part| part.parse::<u32>().unwrap_or(0));
        let found = [numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)];
        found >= least
    };
    match version {
        Some(version) if is_new(&version) => Ok(()),
        found => Err(Error::Pgvector {
            database: database.to_owned(),
            found: found.map_or_else(
                || "no pgvector".to_owned(),
                |version| format!("pgvector {version}"),
            ),
            expected,
        }),
    }
}
