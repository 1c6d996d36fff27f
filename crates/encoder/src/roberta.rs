//! RoBERTa (Liu et al. 2019, arXiv 1907.11692) as a classifier of whole prompts: one output per label.

mod classifier;
mod config;
mod parts;
mod predict;
mod task;
mod task_network;
mod tokenizer;

pub use self::{
    classifier::RobertaClassifier,
    config::{ProblemType, RobertaConfig},
    parts::RobertaParts,
    predict::{Classifier, Padding, PredictParams, Predicted, sigmoid},
    task::NetworkTask,
    task_network::TaskNetwork,
    tokenizer::RobertaTokenizer,
};
