//! The built program on a tiny saved router: three neighbors, three LLMs, and a random BERT of 7,000 weights.

mod bench;
mod refusals;
mod routing;
