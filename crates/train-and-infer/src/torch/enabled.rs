mod roberta;

pub(crate) use self::roberta::{CARROT_ROBERTA, ROBERTA_BINARY, RobertaSettings, predict};
