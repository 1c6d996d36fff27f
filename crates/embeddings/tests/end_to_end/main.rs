//! The client against a server on this machine: what it asks for, what it makes of faults, and that it can be killed at any moment.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod embed;
mod faults;
mod habits;
mod kill;
mod support;
