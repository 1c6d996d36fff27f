//! The built program: on small pickles of each pandas, on pickles with the published columns, and against a hub on this machine.

mod golden;
mod hub;
mod published;

use test_support::Bench;

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_gen-routerbench"))
}
