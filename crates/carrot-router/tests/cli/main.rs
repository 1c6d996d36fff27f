//! The built program on tiny routers: three neighbors on a random BERT of 7,000 weights, or two RoBERTas of as many whose outputs are known.

mod arena;
mod batch;
mod bench;
mod blend;
mod blend_pool;
mod calibrate;
mod hints;
mod label_order;
mod library;
mod networks;
mod pair;
mod pair_refusals;
mod pair_transformers;
mod pool;
mod precision;
mod prompts;
mod refusals;
mod replay;
mod routing;
mod saved_networks;
mod server;
mod static_embedder;
mod tokenizers;
mod tokens;
mod worth;
mod worth_world;
