//! Files of the hub, from a server on this machine that answers as the hub does, and fails on demand.

mod bounds;
mod cache;
mod faults;
mod mutations;
mod network;
mod processes;
mod refusals;
mod survey;

use std::{fs, path::Path, time::Duration};

use hub::{Hub, HubRepo, Network};
use tempfile::TempDir;
use test_support::Tree;

const DATASET: &str = "owner/data";
/// Kept in large-file storage, and so behind a redirect to another host.
const LARGE: &str = "data/train-00000-of-00001.parquet";
/// Kept in git itself.
const SMALL: &str = "README.md";

/// Enough for 13 pieces of the server's, with a rest.
fn large_bytes() -> Vec<u8> {
    (0..200_003_u32).map(|i| (i % 251) as u8).collect()
}

fn tree() -> Tree {
    Tree::from([
        (LARGE, large_bytes()),
        (SMALL, b"# data\n".to_vec()),
        ("with space & sign.json", b"{}".to_vec()),
        ("empty.txt", Vec::new()),
    ])
}

fn server() -> test_support::Hub {
    test_support::Hub::start().dataset(DATASET, tree())
}

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A client without waits.
fn client(server: &test_support::Hub, cache: &Path) -> Hub {
    Hub {
        cache_dir: cache.to_owned(),
        endpoint: server.url(),
        token: None,
        is_offline: false,
        progress: None,
        read_timeout: Duration::from_secs(10),
        first_wait: Duration::ZERO,
        network: Network::default(),
    }
}

fn dataset() -> HubRepo {
    HubRepo::dataset(DATASET)
}

/// Where the bytes of the data set's files lie, whole or not.
fn blobs(cache: &Path) -> Vec<(String, u64)> {
    let folder = cache.join("datasets--owner--data/blobs");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut blobs: Vec<_> = entries
        .map(|entry| {
            let size = entry.metadata().map_or(0, |data| data.len());
            (entry.file_name().to_string_lossy().into_owned(), size)
        })
        .collect();
    blobs.sort();
    blobs
}
