//! From a hub on this machine, which stands where `HF_ENDPOINT` says.

use std::{fs, path::Path};

use loopback::{Hub, Tree};

use crate::{
    bench::{Bench, stderr},
    files::{PRICES, small},
};

const REPO: &str = "CARROT-LLM-Routing/SPROUT";

/// The small files in the folder `data` of a repository, among others.
fn tree() -> Tree {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, file) in small() {
        file.write(&folder.path().join("data").join(name));
    }
    fs::write(folder.path().join("README.md"), "a card").expect("written");
    Tree::from(folder.path())
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.put("p.toml", PRICES);
    bench
}

#[test]
fn files_are_downloaded_once_and_found_again_offline() {
    let (bench, hub) = (bench(), Hub::start().dataset(REPO, tree()));
    let url = hub.url();
    let output = bench.run_with(&["--prices", "p.toml"], &[("HF_ENDPOINT", url.as_str())]);
    assert!(output.status.success(), "{}", stderr(&output));
    // What the hub has is held against the published files, whatever its LLMs.
    let expected = "expected the 30968 train, 6636 validation and 6637 test rows of the published files, found 5 train";
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    let (info, train, test) = bench.read("sprout");
    assert_eq!(train.ids, ["a", "b", "c", "d", "e", "f", "g"]);
    assert_eq!(test.ids, ["h", "i"]);
    let recorded = Path::new(REPO).join("data/train-00001-of-00002.parquet");
    assert_eq!(info.sources[3].path, recorded);
    assert!(
        hub.seen()
            .iter()
            .all(|seen| !seen.path.ends_with("README.md")),
        "only what is needed is downloaded"
    );

    // The hub cannot be reached; the cache has the files.
    let offline = [("HF_HUB_OFFLINE", "1")];
    let again = bench.run_with(&["--prices", "p.toml", "--force"], &offline);
    assert!(again.status.success(), "{}", stderr(&again));
    assert_eq!(bench.read("sprout"), (info, train, test));
    let nothing = bench.run_with(&["--prices", "p.toml"], &offline);
    assert!(
        stderr(&nothing).contains("is there already"),
        "{}",
        stderr(&nothing)
    );
}

#[test]
fn the_variant_is_another_repository() {
    let (bench, hub) = (bench(), Hub::start().dataset(REPO, tree()));
    let url = hub.url();
    let args = ["--variant", "o3mini", "--prices", "p.toml"];
    let output = bench.run_with(&args, &[("HF_ENDPOINT", url.as_str())]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("CARROT-LLM-Routing/SPROUT-o3mini"),
        "{}",
        stderr(&output)
    );
    hub.commit("datasets/CARROT-LLM-Routing/SPROUT-o3mini", tree());
    let output = bench.run_with(&args, &[("HF_ENDPOINT", url.as_str())]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(bench.read("sprout-o3mini").0.name, "sprout-o3mini");
}

#[test]
fn a_gated_repository_says_where_to_accept_the_license() {
    let hub = Hub::start()
        .dataset(REPO, tree())
        .gate(&format!("datasets/{REPO}"), "hf_good");
    let (bench, url) = (bench(), hub.url());
    let output = bench.run_with(&["--prices", "p.toml"], &[("HF_ENDPOINT", url.as_str())]);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        message.contains(&format!("{url}/datasets/{REPO}")),
        "{message}"
    );
    assert!(message.contains("HF_TOKEN"), "{message}");
    assert!(!bench.path("data").exists());

    let vars = [("HF_ENDPOINT", url.as_str()), ("HF_TOKEN", "hf_good")];
    let output = bench.run_with(&["--prices", "p.toml"], &vars);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_repository_of_another_layout_is_refused() {
    let bench = bench();
    let hub = Hub::start().dataset(REPO, Tree::from([("data/all.parquet", "x")]));
    let url = hub.url();
    let output = bench.run_with(&[], &[("HF_ENDPOINT", url.as_str())]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "`CARROT-LLM-Routing/SPROUT/data` has no file `train-00000-of-00001.parquet`";
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));
}
