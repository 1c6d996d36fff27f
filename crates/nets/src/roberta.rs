//! RoBERTa (Liu et al. 2019, arXiv 1907.11692) as a classifier of whole prompts on libtorch: to be trained, and to predict on a GPU.

mod device_classifier;
mod head;
mod model;
mod predict;

pub use self::model::RobertaModel;
pub(crate) use self::{device_classifier::DeviceClassifier, model::TrainingPass};
