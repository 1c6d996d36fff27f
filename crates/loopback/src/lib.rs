//! Servers on this machine that answer as the Hugging Face hub and an embeddings endpoint do, for tests and benches.
//!
//! In comes what a server should have and which answers should go wrong; out goes an address to point a client at, and a log of what was asked.
//! Must not be a dependency of anything but tests, benches and examples.

mod hub;
mod openai;
mod server;

pub use crate::hub::{Fault, Hub, Seen, Stage, Tree, Wrong};
pub use crate::openai::{Asked, EmbeddingFault, OpenAi};
pub use crate::server::{Answer, Body, Request, Server};
