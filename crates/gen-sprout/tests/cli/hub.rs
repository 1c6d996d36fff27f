//! From a hub on this machine.

use std::{fs, path::Path};

use test_support::{Bench, Hub, Shown, Tree, assert_contains, authority_file, check_gated, stderr};

use crate::{
    empty,
    files::{PRICES, small},
};

pub(crate) const REPO: &str = "CARROT-LLM-Routing/SPROUT";

/// The small files in the folder `data` of a repository, among others.
pub(crate) fn tree() -> Tree {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, file) in small() {
        file.write(&folder.path().join("data").join(name));
    }
    fs::write(folder.path().join("README.md"), "a card").expect("written");
    Tree::from(folder.path())
}

pub(crate) fn bench() -> Bench {
    let bench = empty();
    bench.write("p.toml", PRICES);
    bench
}

#[test]
fn files_are_downloaded_once_and_found_again_offline() {
    let hub = Hub::start().dataset(REPO, tree());
    let mut bench = bench().hub(&hub.url());
    let message = stderr(&bench.succeed(&["--prices", "p.toml"]));
    // What the hub has is held against the published files, whatever its LLMs.
    let expected = "expected the 30968 train, 6636 validation and 6637 test rows of the published files, found 5 train";
    assert_contains(&message, expected);
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

    // Without the hub the cache has the files.
    bench.set_var("HF_HUB_OFFLINE", "1");
    hub.forget();
    bench.succeed(&["--prices", "p.toml", "--force"]);
    assert!(hub.seen().is_empty(), "{:?}", hub.seen());
    assert_eq!(bench.read("sprout"), (info, train, test));
    let nothing = stderr(&bench.succeed(&["--prices", "p.toml"]));
    assert_contains(&nothing, "already exists");
}

#[test]
fn the_variant_is_another_repository() {
    let hub = Hub::start().dataset(REPO, tree());
    let bench = bench().hub(&hub.url());
    let args = ["--variant", "o3mini", "--prices", "p.toml"];
    bench.refuse(&args, 1, "CARROT-LLM-Routing/SPROUT-o3mini");
    hub.commit("datasets/CARROT-LLM-Routing/SPROUT-o3mini", tree());
    bench.succeed(&args);
    assert_eq!(bench.read("sprout-o3mini").0.name, "sprout-o3mini");
}

#[test]
fn a_gated_repository_says_where_to_accept_the_license() {
    let hub = Hub::start().dataset(REPO, tree());
    check_gated(bench(), hub, REPO, &["--prices", "p.toml"]);
}

#[test]
fn a_repository_of_another_layout_is_refused() {
    let hub = Hub::start().dataset(REPO, Tree::from([("data/all.parquet", "x")]));
    let bench = bench().hub(&hub.url());
    let expected = "`CARROT-LLM-Routing/SPROUT/data` has no file of the part `train`";
    bench.refuse(&[], 1, expected);
}

#[test]
fn a_companys_certificates_and_the_size_are_known_before_the_download() {
    let hub = Hub::start_with_tls(Shown::Here)
        .below("/company/hf")
        .dataset(REPO, tree());
    let mut bench = bench().hub(&hub.url());
    // The system's certificates, which do not have that of the tests.
    let expected =
        "is not trusted (nobody here knows who issued it): set SSL_CERT_FILE to a PEM file";
    bench.refuse(&["--prices", "p.toml"], 1, expected);
    bench.set_var("SSL_CERT_FILE", authority_file());
    let message = stderr(&bench.succeed(&["--prices", "p.toml"]));
    assert_contains(&message, "downloading 4 files, ");
    assert_contains(&message, &format!("kB of data set `{REPO}`"));
}
