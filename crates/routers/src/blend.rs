//! Several learners on the same embeddings, weighted by what they predict out of fold, with a rule that decides whether to route at all.

mod candidates;
mod check;
mod combine;
mod fit;
mod model;
mod nnls;
mod params;
mod prepare;
mod report;
mod rule;
mod weights;

pub use self::{
    model::{Blend, BlendParts},
    params::{BlendLearners, BlendParams, CheckedBlendParams},
    prepare::PreparedBlend,
    report::{
        BlendCandidate, BlendReport, BlendTarget, CandidateGain, FewScores, LearnerReport,
        ScaleGain, Setting, SettingScore,
    },
};
