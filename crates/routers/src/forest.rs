//! A random forest of classification trees with exact splits.

mod arrays;
mod bootstrap;
mod buckets;
mod fit;
mod grow;
mod model;
mod params;
mod ranks;
mod split;

pub use self::{
    arrays::ForestArrays,
    model::{Forest, LEAF},
    params::{CheckedForestParams, ForestParams, MaxFeatures},
};
