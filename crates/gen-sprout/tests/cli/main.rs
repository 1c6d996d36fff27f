//! The built program: on files made here and against a hub on this machine.

mod files;
mod hub;
mod published;
mod refusals;
mod secrets;
mod small;

use test_support::Bench;

fn empty() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_gen-sprout"))
}
