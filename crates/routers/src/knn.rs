//! k-nearest-neighbors regression on embeddings: CARROT (KNN).

mod fit;
mod model;
mod params;

pub use self::{
    fit::{CvScore, Target, TargetFit},
    model::Knn,
    params::{CheckedKnnParams, KnnParams},
};
