//! From a hub on this machine, which stands where `HF_ENDPOINT` says.

use std::{fs, path::Path};

use dataset::Part;
use loopback::{Hub, Tree};

use crate::{
    bench::{Bench, stderr},
    golden::golden,
};

const REPO: &str = "withmartian/routerbench";
const FILE: &str = "routerbench_0shot.pkl";

fn hub() -> Hub {
    let pickle = fs::read(golden("pandas2.pkl")).expect("there");
    Hub::start().dataset(REPO, Tree::from([(FILE, pickle)]))
}

#[test]
fn the_file_is_downloaded_once_and_found_again_offline() {
    let (bench, hub) = (Bench::new(), hub());
    let url = hub.url();
    let output = bench.run_with(&[], &[("HF_ENDPOINT", url.as_str())]);
    assert!(output.status.success(), "{}", stderr(&output));
    // A file of the hub is held against the published one, whatever its LLMs.
    assert!(
        stderr(&output).contains("expected the 35712 rows"),
        "{}",
        stderr(&output)
    );
    let (info, train, test) = bench.read("routerbench");
    assert_eq!((train.n_prompts(), test.n_prompts()), (8, 2));
    assert_eq!(info.sources[1].path, Path::new(REPO).join(FILE));

    let bytes = || {
        let dir = bench.dir("routerbench");
        let files = [dir.info(), dir.split(Part::Train), dir.split(Part::Test)];
        files.map(|file| fs::read(file).expect("written"))
    };
    let before = bytes();
    // The hub cannot be reached; the cache has the file.
    let offline = [("HF_HUB_OFFLINE", "1")];
    let again = bench.run_with(&["--force"], &offline);
    assert!(again.status.success(), "{}", stderr(&again));
    assert!(bytes() == before);
    let nothing = bench.run_with(&[], &offline);
    assert!(
        stderr(&nothing).contains("is there already"),
        "{}",
        stderr(&nothing)
    );
    // The same file from a path is the same source.
    let path = golden("pandas2.pkl").display().to_string();
    let local = bench.make(&["--source", &path]);
    assert!(
        stderr(&local).contains("is there already"),
        "{}",
        stderr(&local)
    );

    let empty = Bench::new();
    let output = empty.run_with(&[], &offline);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("HF_HUB_OFFLINE"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_gated_repository_says_where_to_accept_the_license() {
    let bench = Bench::new();
    let hub = hub().gate(&format!("datasets/{REPO}"), "hf_good");
    let url = hub.url();
    let output = bench.run_with(&[], &[("HF_ENDPOINT", url.as_str())]);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        message.contains(&format!("{url}/datasets/{REPO}")),
        "{message}"
    );
    assert!(message.contains("HF_TOKEN"), "{message}");
    assert!(!bench.path("data").exists());

    let vars = [("HF_ENDPOINT", url.as_str()), ("HF_TOKEN", "hf_good")];
    let output = bench.run_with(&[], &vars);
    assert!(output.status.success(), "{}", stderr(&output));
}
