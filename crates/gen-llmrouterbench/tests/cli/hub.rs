//! From a hub on this machine.

use std::{fs, path::Path};

use test_support::{Hub, Tree, assert_contains, check_gated, stdout};

use crate::{SETTING, bench, golden};

const REPO: &str = "NPULH/LLMRouterBench";
const FILE: &str = "bench-release.tar.gz";

fn hub() -> Hub {
    let archive = fs::read(golden(FILE)).expect("there");
    let card = b"---\nlicense: cc-by-4.0\n---\n".to_vec();
    Hub::start().dataset(REPO, Tree::from([(FILE, archive), ("README.md", card)]))
}

#[test]
fn the_archive_is_downloaded_and_its_card_says_the_licence() {
    let hub = hub();
    let bench = bench().hub(&hub.url());
    let output = bench.succeed(&SETTING);
    assert_contains(
        &stdout(&output),
        "cc-by-4.0 (NPULH/LLMRouterBench/README.md)",
    );
    let (info, ..) = bench.read("llmrouterbench-cost");
    assert_eq!(info.sources[1].path, Path::new(REPO).join(FILE));
}

#[test]
fn a_gated_repository_says_where_to_accept_the_license() {
    check_gated(bench(), hub(), REPO, &SETTING);
}
