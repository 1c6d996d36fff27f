//! Files of the Hugging Face hub, through the cache that Python's `huggingface_hub` uses too.
//!
//! In comes the name of a repository and the files that are wanted, out go their paths in the cache. What the cache lacks is downloaded,
//! resumed and checked. Must not know a data set or a learner, nor draw a progress bar: it takes callbacks and emits `tracing` events.
//!
//! # Why not hf-hub alone
//!
//! hf-hub 0.5 supplies what it does well, the layout of the cache and the addresses ([`RepoKind`] to folders and URLs), so that this crate and
//! Python agree on them. Its downloader (`api/sync.rs`) is not used. Tried against a server that fails on purpose, it
//!
//! - sends the token on to the storage host that the hub redirects to;
//! - checks neither size nor hash, so that truncated and altered files pass for whole ones;
//! - doubles bytes: it resumes at 0 after a second failure, and appends the whole file of a server that ignores the range;
//! - never recovers from a partial file that is too long, and cannot download an empty file;
//! - does not retry before the first byte, and has no offline rule (`HF_HUB_OFFLINE`).
//!
//! hf-hub 1.0 would bring 305 crates, an async runtime among them. `tests/hub/` plays each of the faults above.

mod address;
mod cache;
mod check;
mod client;
mod download;
mod environment;
mod error;
mod files;
mod hub;
mod listing;
mod needed;
mod network;
mod pace;
mod patience;
mod place;
mod repo;
mod trust;

pub use crate::{
    error::HubError,
    hub::{Hub, OnBytes, StartProgress, WantedFile},
    listing::{HubFile, HubListing},
    needed::Needed,
    network::Network,
    place::{ModelPlace, PlaceError},
    repo::{HubRepo, RepoKind, is_hub_id},
};
