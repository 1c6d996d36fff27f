//! Makes every selection of crates resolve to the same features, so that no dependency is built twice.
//!
//! Holds no code. Cargo unifies the features of a dependency over the packages named on the command line: without this crate,
//! `cargo run -p plots` would build its own `serde`, `hashbrown` and everything above them, beside those of `cargo test --workspace`.
//! Every crate depends on this one, which asks for the union of the features.
