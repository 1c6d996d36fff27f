//! The built program: on files made here, on the shared fixtures, and against a hub on this machine.

mod bench;
mod files;
mod fixtures;
mod hub;
mod refusals;
mod small;
