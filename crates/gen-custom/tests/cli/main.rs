//! The built program: on tables made here, and with embedding servers on this machine.

mod bench;
mod decision_log;
mod embedding;
mod keep;
mod long;
mod network;
mod propensities;
mod sample;
mod secrets;
mod tables;
