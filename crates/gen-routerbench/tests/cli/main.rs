//! The built program: on small pickles of each pandas, on the shared fixtures, and against a hub on this machine.

mod bench;
mod fixtures;
mod golden;
mod hub;
