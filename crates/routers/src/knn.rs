//! k-nearest-neighbors regression on embeddings: CARROT (KNN).

mod drawn;
mod fit;
mod folded;
mod known;
mod means;
mod model;
mod paper;
mod params;
mod sampled;
mod shuffled;
mod target;

pub use self::{
    fit::PreparedKnn,
    model::{Knn, OverTarget},
    params::{CheckedKnnParams, KnnParams, Selection, grown_neighbors},
    target::{CvScore, Target, TargetFit},
};
pub(crate) use self::{
    folded::FoldedNeighbors,
    known::FoldedKnown,
    target::{output_ranges, side_by_side},
};
