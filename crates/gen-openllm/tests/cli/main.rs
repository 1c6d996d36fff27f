//! The built program: on sample files and a matrix made here, on a hub on this machine, and on the shared files where they are.

mod bench;
mod details;
mod hub;
mod published;
mod shared;
