//! `carrot-router serve` as a program, between clients on plain sockets and scripted LLMs on this machine. What users of other gateways complain
//! about is a test each.

#[path = "../cli/bench.rs"]
#[expect(dead_code, reason = "the tests of the command line use the rest")]
mod bench;
mod bytes;
mod client;
mod complaints;
mod decisions;
mod endings;
mod faults;
mod limits;
mod mutations;
mod names;
mod shadowing;
mod world;
