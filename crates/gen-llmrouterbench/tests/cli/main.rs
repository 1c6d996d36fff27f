//! The built program, on made-up results in the published layout. `golden/make.py` made them, and what LLMRouterBench's own code makes of them.

mod golden;
mod hub;
mod refusals;

use std::path::PathBuf;

use test_support::Bench;

const MODELS: [&str; 3] = ["gemini-2.5-pro", "gpt-5", "kimi-k2-0905"];
const SETTING: [&str; 2] = ["--setting", "performance-cost"];

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_gen-llmrouterbench"))
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn archive() -> String {
    golden("bench-release.tar.gz").display().to_string()
}
