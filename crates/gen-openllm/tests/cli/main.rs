//! The built program: on sample files and a matrix made here, and on a hub on this machine.

mod bench;
mod details;
mod hub;
mod orders;
mod published;
