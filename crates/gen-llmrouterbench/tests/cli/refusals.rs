//! What cannot be used.

use std::fs;

use crate::{SETTING, bench, golden};

#[test]
fn sources_that_are_not_results_are_refused() {
    let bench = bench();
    bench.write("empty/results/bench/notes.txt", "nothing");
    bench.write("flat/a.json", "{}");
    bench.write(
        "broken/aime/hybrid/gpt-5/a-20250917_120000.json",
        "{\"dataset_name\": \"aime\"",
    );
    let whole = fs::read(golden("bench-release.tar.gz")).expect("there");
    bench.write("cut.tar.gz", &whole[..whole.len() / 2]);
    bench.write(
        "text.tar.gz",
        "no archive at all, but a text of more than one block. ".repeat(40),
    );
    for (source, expected) in [
        (
            "empty",
            "has no result of the LLMs and data sets of the setting `performance-cost`",
        ),
        (
            "flat",
            "is not in folders of a data set, a split and an LLM",
        ),
        (
            "broken",
            "cannot read the result `aime/hybrid/gpt-5/a-20250917_120000.json`",
        ),
        ("cut.tar.gz", "cut.tar.gz"),
        ("text.tar.gz", "cannot read the archive `text.tar.gz`"),
        ("missing.tar.gz", "missing.tar.gz"),
    ] {
        let [setting, name] = SETTING;
        bench.refuse(&[setting, name, "--source", source], 1, expected);
    }
}

#[test]
fn another_seed_is_another_data_set() {
    let bench = bench();
    let source = golden("bench-release.tar.gz").display().to_string();
    let [setting, name] = SETTING;
    bench.succeed(&[setting, name, "--source", &source]);
    bench.refuse(
        &[setting, name, "--source", &source, "--split-seed", "999"],
        1,
        "split-seed",
    );
}
