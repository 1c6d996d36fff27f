//! RoBERTa (Liu et al. 2019, arXiv 1907.11692) as a classifier of whole prompts: one output per label.

mod config;
mod head;
mod model;
mod predict;
mod task;
mod task_network;
mod tokenizer;

pub(crate) use self::model::TrainingPass;
pub use self::{
    config::ProblemType,
    model::RobertaModel,
    predict::{Padding, PredictParams, Predicted, sigmoid},
    task::NetworkTask,
    task_network::TaskNetwork,
};
