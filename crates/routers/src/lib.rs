//! Learners that need no libtorch.
//!
//! Holds k-nearest-neighbors regression ([`KnnParams`], [`Knn`]) with its exact neighbor search, ridge regression ([`LinearParams`], [`Linear`]), kernel
//! ridge regression ([`KernelParams`], [`Kernel`]), means over clusters ([`ClusterParams`], [`Cluster`]), and the blend of the four that decides
//! whether to route at all ([`BlendParams`], [`Blend`]); a random forest with exact splits ([`ForestParams`], [`Forest`]), the binary router that uses
//! it ([`Rorf`]), and the matrix factorization ([`MfParams`], [`Mf`]); which LLM a log's policy asked ([`PropensityParams`], [`PropensityModel`]).
//! In come matrices of embeddings and targets, out go predictions of every LLM's score and cost, or of how likely the small LLM of a pair
//! will do. Unknown values are filled in from their rows ([`completed`]). Neighbors are averaged over wherever their rows are ([`Neighbors`]).
//! Must not know a file, a command line, libtorch, or how predictions are reported on; what a learner chooses by ([`RoutingCosts`]) is here.

mod blend;
mod cluster;
mod completion;
mod dot;
mod error;
mod fold_order;
mod folds;
mod forest;
mod half_rows;
mod kernel;
mod knn;
mod linear;
mod mf;
mod nearest;
mod neighbor_rows;
mod neighbors;
mod pair_outcome;
mod prepared;
mod products;
mod propensity;
mod r2;
mod ridge;
mod rorf;
mod routing_gain;
mod row_groups;
mod rows;
mod unit_rows;

pub use crate::{
    blend::{
        Blend, BlendCandidate, BlendLearners, BlendParams, BlendParts, BlendReport, BlendTarget,
        CandidateGain, CheckedBlendParams, LearnerReport, PreparedBlend, ScaleGain, Setting,
        SettingScore,
    },
    cluster::{
        CheckedClusterParams, Cluster, ClusterCvScore, ClusterFit, ClusterParams, ClusterTarget,
        PreparedCluster,
    },
    completion::completed,
    error::{Error, Result},
    forest::{CheckedForestParams, Forest, ForestArrays, ForestParams, LEAF, MaxFeatures},
    half_rows::{HalfRows, SharedHalves},
    kernel::{CheckedKernelParams, Kernel, KernelCvScore, KernelFit, KernelParams, PreparedKernel},
    knn::{
        CheckedKnnParams, CvScore, Knn, KnnParams, OverTarget, PreparedKnn, Selection, Target,
        TargetFit, grown_neighbors,
    },
    linear::{CheckedLinearParams, Linear, LinearCvScore, LinearFit, LinearParams, PreparedLinear},
    mf::{CheckedMfParams, Mf, MfBest, MfEpoch, MfParams, MfReport, MfWeights},
    nearest::{Found, Nearest, Neighbors, similarity},
    neighbor_rows::NeighborRows,
    neighbors::{Backend, InMemory},
    pair_outcome::PairOutcome,
    propensity::{
        CheckedPropensityParams, PropensityCvScore, PropensityFit, PropensityModel,
        PropensityParams,
    },
    ridge::RidgeWeights,
    rorf::{PairScores, Rorf},
    routing_gain::{Gain, RoutingCosts},
    rows::Rows,
    unit_rows::{SharedValues, UnitRows},
};
