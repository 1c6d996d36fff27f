//! Indexes in real databases: two clusters of Postgres with pgvector, which `scripts/postgres.sh` installs.

mod failures;
mod loading;
mod refusals;
mod searching;
mod tls;
mod world;
