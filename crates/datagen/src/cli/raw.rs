use serde_json::Value;

use crate::{PriceList, RawTable};

/// What a generator read from its source.
#[derive(Debug)]
pub struct Raw {
    /// The rows. `--limit` is applied to them afterwards; a reader may leave out such rows itself where that saves work.
    pub table: RawTable,
    /// Prices, where costs have to be worked out from tokens.
    pub prices: Option<PriceList>,
    /// What a reader of the numbers should know.
    pub notes: Vec<String>,
    /// Other findings about the source.
    pub extras: Vec<Extra>,
}

/// A finding about a source that is reported with the data set.
#[derive(Debug)]
pub struct Extra {
    /// Its key in the report, and in `dataset.json` where it is kept.
    pub name: &'static str,
    /// For programs.
    pub value: Value,
    /// For people; some lines.
    pub text: String,
}
