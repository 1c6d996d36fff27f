//! Makes every selection of crates resolve to the same features, so that no dependency is built twice.
//!
//! Holds no code. Cargo unites the features of a dependency over the packages named on the command line: without this crate,
//! `cargo run -p plots` would build its own `serde`, `hashbrown` and all that stands on them, beside the ones of `cargo test --workspace`.
//! Every crate depends on this one, which asks for the union. `scripts/workspace_hack.py` writes its Cargo.toml and, with `--check`, proves it.
