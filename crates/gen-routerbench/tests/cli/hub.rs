//! From a hub on this machine.

use std::{fs, path::Path};

use dataset::Part;
use test_support::{Hub, Tree, assert_contains, check_gated, stderr};

use crate::{bench, golden::golden};

const REPO: &str = "withmartian/routerbench";
const FILE: &str = "routerbench_0shot.pkl";

fn hub() -> Hub {
    let pickle = fs::read(golden("pandas2.pkl")).expect("there");
    Hub::start().dataset(REPO, Tree::from([(FILE, pickle)]))
}

#[test]
fn the_file_is_downloaded_once_and_found_again_offline() {
    let hub = hub();
    let mut bench = bench().hub(&hub.url());
    let output = bench.succeed(&[]);
    // A file of the hub is held against the published one, whatever its LLMs.
    assert_contains(&stderr(&output), "expected the 35712 rows");
    let (info, train, test) = bench.read("routerbench");
    assert_eq!((train.n_prompts(), test.n_prompts()), (8, 2));
    assert_eq!(info.sources[1].path, Path::new(REPO).join(FILE));

    let files = bench.dataset("routerbench");
    let files = [
        files.info(),
        files.split(Part::Train),
        files.split(Part::Test),
    ];
    let bytes = || {
        files
            .each_ref()
            .map(|file| fs::read(file).expect("written"))
    };
    let before = bytes();
    // Without the hub the cache has the file.
    bench.set_var("HF_HUB_OFFLINE", "1");
    hub.forget();
    bench.succeed(&["--force"]);
    assert!(hub.seen().is_empty(), "{:?}", hub.seen());
    assert!(bytes() == before);
    let nothing = stderr(&bench.succeed(&[]));
    assert_contains(&nothing, "already exists");
    // The same file from a path is the same source.
    let path = golden("pandas2.pkl").display().to_string();
    let local = stderr(&bench.succeed(&["--source", &path]));
    assert_contains(&local, "already exists");

    crate::bench().refuse(&[], 1, "HF_HUB_OFFLINE");
}

#[test]
fn a_gated_repository_says_where_to_accept_the_license() {
    check_gated(bench(), hub(), REPO, &[]);
}
