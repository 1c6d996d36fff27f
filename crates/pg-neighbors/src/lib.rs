//! Nearest neighbors in Postgres with pgvector: rows that outgrow one process, that several share, or that are added to and deleted from.
//!
//! Holds the addresses of an index ([`IndexAddress`]), how it is loaded and built ([`build`]), and the search in it ([`PgNeighbors`], which
//! [`routers::Knn`] averages over). In come vectors of length 1 and the values of each, out come a table of them in each of one or several databases
//! (shards), and their nearest neighbors. Async and SQL end at this crate's API. Must not know what values mean, where routers are stored, or who
//! asks.
//!
//! ```text
//! carrot_indexes          one row for each index of the database: of which fit it is, which shard, what is loaded of it
//! carrot_<fit>            id bigint, v halfvec(dim), y real[]: a row's vector and its values, null where unknown; and its HNSW index
//! ```
//!
//! Which rows are the nearest is decided here, by the rule of [`routers`]: the database proposes some more than are asked for by its own arithmetic
//! on vectors of float16, and of these the nearest are taken by their similarities in float64, ties by id. A scan of all rows thus gives the very
//! neighbors that a search in memory finds among the same float16 vectors. An HNSW index misses some of them, how many is measured when it is built,
//! and which depends on the build: here ends the promise that no result depends on the number of threads.

mod address;
mod build;
mod copy;
mod error;
mod executor;
mod pool;
mod recall;
mod schema;
mod search;
mod shard;
mod tls;
mod types;

pub use crate::{
    address::IndexAddress,
    build::{BuildOptions, Built, Hnsw, build},
    error::{Error, Result},
    schema::IndexSpec,
    search::{PgNeighbors, SearchBy, SearchSettings},
};
