mod license;
mod model_folder;
mod roberta;
mod sentence_model;
mod settings;

pub(crate) use self::{
    roberta::{CARROT_ROBERTA, ROBERTA_BINARY, predict},
    sentence_model::SentenceModel,
    settings::Settings,
};
