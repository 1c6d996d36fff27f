//! What the tests of several crates share: a folder to run a built program in, and servers on this machine that answer as the Hugging
//! Face hub and an embeddings endpoint do, Postgres, and a tiny language model to train from.
//!
//! In comes the path of a program, or what a server should hold and which answers should go wrong; out come the program's output and
//! files, or an address to point a client at and a log of its requests.
//! Must not be a dependency of anything but tests, benches and examples, and must not know any one program.

mod bench;
mod browser;
mod gate;
mod hub;
mod info;
mod lock;
mod models;
mod mutations;
mod openai;
mod output;
mod planted;
mod postgres;
mod roberta;
mod server;
mod tiny_bert;
mod tiny_static;
mod tls;
mod weights;
mod worth;

pub use crate::{
    bench::Bench,
    browser::Browser,
    gate::check_gated,
    hub::{Fault, Hub, Seen, Stage, Tree, Wrong},
    info::{assert_note, dataset_info},
    models::{SPROUT_MODELS, priced_models},
    mutations::{mutated, n_mutations, try_mutations},
    openai::{Asked, EmbeddingFault, OpenAi},
    output::{assert_contains, expect_success, file_names, run_with_input, stderr, stdout},
    planted::{LOG_LEVELS, Planted},
    postgres::Postgres,
    roberta::{tiny_roberta_weights, write_tiny_classifier, write_tiny_roberta},
    server::{Answer, Body, Request, Server},
    tiny_bert::copy_tiny_bert,
    tiny_static::copy_tiny_static,
    tls::{Shown, authority_file, config as tls_server_config},
    weights::{Weight, read_weights, write_weights},
    worth::worth_record,
};
