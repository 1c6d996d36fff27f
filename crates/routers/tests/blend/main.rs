//! The blend through its public API: it routes where there is something to gain, does not where there is not, and survives what tables hold.

mod candidates;
mod copies;
mod edges;
mod few_scores;
mod routing;
mod world;
