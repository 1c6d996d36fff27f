//! k-nearest-neighbors regression on embeddings: CARROT (KNN).

mod fit;
mod means;
mod model;
mod params;
mod target;

pub use self::{
    model::Knn,
    params::{CheckedKnnParams, KnnParams},
    target::{CvScore, Target, TargetFit},
};
