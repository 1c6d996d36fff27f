use std::{path::PathBuf, time::Duration};

/// What an index, or a database, refuses. No message holds a password or a user's name: databases are named by host, port and name.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Text that does not name a database.
    #[error("the address {shown} {problem}")]
    Address {
        /// What may be shown of it.
        shown: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A certificate authority's file that cannot be used, or a system without any.
    #[error("cannot read certificates{}", .path.as_ref().map_or_else(|| " of this system".to_owned(), |path| format!(" from `{}`", path.display())))]
    Certificates {
        /// The file that the address names; `None` for those of the system.
        path: Option<PathBuf>,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No index was named.
    #[error("no address of an index was given")]
    NoAddress,
    /// A database that cannot be reached, or that refuses the user.
    #[error("cannot connect to {database}")]
    Connect {
        /// The database.
        database: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What a database answered, or that it went away.
    #[error("{database} failed to {what}")]
    Database {
        /// The database.
        database: String,
        /// What it was asked for.
        what: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No answer in time.
    #[error("{database} did not {what} within {timeout:?}")]
    TimedOut {
        /// The database.
        database: String,
        /// What it was asked for.
        what: &'static str,
        /// How long was waited.
        timeout: Duration,
    },
    /// A shard that failed a moment ago, and is not asked again yet.
    #[error("{database} failed a moment ago")]
    Resting {
        /// The database.
        database: String,
    },
    /// A database without pgvector, or with one that is too old.
    #[error("{database} has {found}, expected pgvector {expected} or later")]
    Pgvector {
        /// The database.
        database: String,
        /// Its version, in words.
        found: String,
        /// The oldest that serves.
        expected: &'static str,
    },
    /// A database that has no index of the router.
    #[error("{database} holds no index of this router's fit `{fit}`{}", in_words(.others))]
    NoIndex {
        /// The database.
        database: String,
        /// The router's fit.
        fit: String,
        /// Of which other fits it holds one.
        others: Vec<String>,
    },
    /// An index that is not what the router was told to expect.
    #[error("the index in {database} has {key} {found}, expected {expected}")]
    OtherIndex {
        /// The database.
        database: String,
        /// What is compared.
        key: &'static str,
        /// What the index says.
        found: String,
        /// What the router needs.
        expected: String,
    },
    /// An index whose load or build did not end.
    #[error("the index in {database} is not complete: {n_loaded} of {n_rows} rows were looked at{}", if *.n_loaded == *.n_rows { ", and it was not built" } else { "" })]
    Incomplete {
        /// The database.
        database: String,
        /// Rows of the router up to which it is loaded.
        n_loaded: i64,
        /// Rows of the router.
        n_rows: i64,
    },
    /// The table of the rows, or its HNSW index, is gone.
    #[error("{database} has lost {what}; build the index again")]
    Lost {
        /// The database.
        database: String,
        /// What.
        what: String,
    },
    /// Two addresses of one shard, or the same one twice.
    #[error("{first} and {second} are both shard {shard} (from 0) of {n_shards}")]
    SameShard {
        /// The first of them.
        first: String,
        /// The other.
        second: String,
        /// Which shard.
        shard: i32,
        /// Of how many.
        n_shards: i32,
    },
    /// Fewer rows than neighbors are averaged over.
    #[error("the index has {found} rows with a vector, expected at least {expected}")]
    FewRows {
        /// Rows.
        found: u64,
        /// Neighbors.
        expected: usize,
    },
    /// A search that gave fewer rows than there are.
    #[error(
        "{database} gave {found} rows, where it has at least {expected}; its `hnsw.ef_search` or `hnsw.max_scan_tuples` is too low"
    )]
    CutShort {
        /// The database.
        database: String,
        /// Rows that it gave.
        found: usize,
        /// Rows that it has at least, or that were asked for.
        expected: usize,
    },
    /// Fewer shards than have to answer.
    #[error("{found} of {n_shards} shards answered, expected at least {expected}")]
    FewShards {
        /// Shards that answered.
        found: usize,
        /// Shards.
        n_shards: usize,
        /// How many have to.
        expected: usize,
        /// Why the first of the others did not.
        source: Box<Error>,
    },
    /// More shards have to answer than there are, or none.
    #[error("{expected} shards have to answer, but there are {n_shards}")]
    BadMinShards {
        /// Shards.
        n_shards: usize,
        /// How many have to answer.
        expected: usize,
    },
    /// A vector of a row that is not of the index's length.
    #[error("row {row_id} in {database} {problem}")]
    BadRow {
        /// The database.
        database: String,
        /// The row's id.
        row_id: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// Vectors and values that do not belong together.
    #[error("there are {found} rows of values, expected {expected}")]
    RowCount {
        /// Rows of values.
        found: usize,
        /// Rows of vectors.
        expected: usize,
    },
    /// Another program that builds the same index.
    #[error("another run is loading the index in {database}")]
    Locked {
        /// The database.
        database: String,
    },
    /// An index that misses too many neighbors.
    #[error(
        "the index finds {found:.3} of the neighbors at `hnsw.ef_search` {ef_search}, the highest that is tried, expected {expected}"
    )]
    Recall {
        /// The share of neighbors that it finds.
        found: f64,
        /// The share that was asked for.
        expected: f64,
        /// Where.
        ef_search: usize,
    },
    /// What the routers' crate refuses.
    #[error(transparent)]
    Routers(#[from] routers::Error),
}

fn in_words(fits: &[String]) -> String {
    match fits {
        [] => String::new(),
        fits => format!("; it has those of `{}`", fits.join("`, `")),
    }
}

impl Error {
    /// What a database said, without what it was asked.
    pub(crate) fn database(
        database: &str,
        what: &'static str,
    ) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |error| Self::Database {
            database: database.to_owned(),
            what,
            source: plain(error),
        }
    }
}

/// The database's own words where it has some: the library's begin with `db error`, and an address that it could not read comes with its password.
pub(crate) fn plain(error: tokio_postgres::Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error.as_db_error() {
        Some(db) => db.message().to_owned().into(),
        None => match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}").into(),
            None => error.to_string().into(),
        },
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
