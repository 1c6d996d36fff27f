//! The program on routers whose rows are in Postgres: two clusters, which `scripts/postgres.sh` installs.

#[path = "../cli/bench.rs"]
#[expect(dead_code, reason = "the tests of the program use more of it")]
mod bench;
#[path = "../serve/client.rs"]
#[expect(dead_code, reason = "the tests of the server use more of it")]
mod client;
#[path = "../serve/world.rs"]
#[expect(dead_code, reason = "the tests of the server use more of it")]
mod world;

mod calibrated;
mod failing;
mod routing;
mod serving;

use std::process::Output;

use test_support::{Postgres, run_with_input};

use crate::bench::Tiny;

const MODEL: [&str; 2] = ["--model", "models/tiny/carrot-knn"];
const INDEXED: [&str; 2] = ["--model", "models/tiny/carrot-knn-index"];

/// Runs the program with addresses in its environment, and checks that nothing it says holds a password.
fn run(bench: &Tiny, args: &[&str], urls: &[String], stdin: &str) -> Output {
    let mut command = bench.command(args);
    command.env("CARROT_INDEX", urls.join(" "));
    checked(run_with_input(&mut command, stdin))
}

fn checked(output: Output) -> Output {
    for said in [&output.stdout, &output.stderr] {
        let said = String::from_utf8_lossy(said);
        assert!(!said.contains(Postgres::PASSWORD), "{said}");
    }
    output
}

/// Indexes the router of a bench.
fn index(bench: &Tiny, urls: &[String], more: &[&str]) -> Output {
    run(bench, &[&["index"], &MODEL[..], more].concat(), urls, "")
}
