//! Embeddings of texts from any endpoint that speaks OpenAI's `/embeddings`: each text is asked for once, each embedding paid for once.
//!
//! In come texts, an address with a model, and a store on disk; out goes a matrix of embeddings in the texts' order. Holds cutting and counting
//! by tokens, packing into requests, pacing by the server's limits, retries, checks of what comes back, and the store.
//! Must not know any data set, any file format of the workspace, or a terminal. Its methods block: no caller needs to know of its runtime.
//!
//! ```
//! use embeddings::{Client, Endpoint, Limits, Model, Store};
//!
//! # let server = test_support::OpenAi::start().model("text-embedding-3-small", 8);
//! # let base_url = server.url();
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("embeddings.redb");
//! let endpoint = Endpoint::at(&base_url); // or Endpoint::from_env()
//! let client = Client::new(endpoint, Model::named("text-embedding-3-small"), Limits::openai())?;
//! let store = Store::open(&path)?;
//! let texts = ["What is love?", "", "What is love?"];
//!
//! let plan = client.plan(&store, &texts)?;
//! assert_eq!((plan.n_distinct, plan.n_tokens, plan.n_requests), (2, 5, 1));
//!
//! let embedded = client.embed(&store, &texts, &|progress| println!("{progress:?}"))?;
//! assert_eq!(embedded.values.dim(), (3, 8));
//! assert_eq!(embedded.values.row(0), embedded.values.row(2));
//! assert_eq!(client.plan(&store, &texts)?.n_requests, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "tests"))]

mod answer;
mod client;
mod endpoint;
mod error;
mod failure;
mod keep;
mod learned;
mod limits;
mod model;
mod pace;
mod prepare;
mod rate;
mod report;
mod rows;
mod run;
mod send;
mod serve;
mod store;
mod tokens;
mod unpack;
mod vector;

pub use crate::{
    client::Client,
    endpoint::{Endpoint, KeyHeader},
    error::{Error, NotEmbedded, RequestName, Result},
    limits::{Delays, Limits, Retry},
    model::Model,
    prepare::Plan,
    report::{Embedded, Progress, Usage},
    store::Store,
    tokens::count_tokens,
};
pub use secrets::Secret;
