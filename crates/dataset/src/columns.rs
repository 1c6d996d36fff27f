/// A field of one LLM's columns, `<model>/<field>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// How good the LLM's answer was, in [0, 1].
    Score,
    /// Tokens of the prompt under the LLM's own tokenizer.
    InputTokens,
    /// Tokens of the LLM's answer.
    OutputTokens,
    /// What the call cost, in US dollars.
    CostUsd,
}

impl Field {
    /// All fields in the order in which they stand in a table.
    pub const ALL: [Self; 4] = [
        Self::Score,
        Self::InputTokens,
        Self::OutputTokens,
        Self::CostUsd,
    ];

    /// The field's name on disk.
    pub fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::CostUsd => "cost_usd",
        }
    }
}

/// The column of a model's field: `gpt-4o/score`.
pub fn column_name(model: &str, field: Field) -> String {
    format!("{model}/{}", field.name())
}

/// Splits a column name into model and field. A model's name may hold `/`; the field is what follows the last one.
/// Returns `None` for columns that belong to no model.
///
/// ```
/// use dataset::{Field, parse_column_name};
/// assert_eq!(parse_column_name("google/gemma-2b-it/score"), Some(("google/gemma-2b-it", Field::Score)));
/// assert_eq!(parse_column_name("prompt"), None);
/// ```
pub fn parse_column_name(column: &str) -> Option<(&str, Field)> {
    let (model, name) = column.rsplit_once('/')?;
    let field = Field::ALL.into_iter().find(|field| field.name() == name)?;
    (!model.is_empty()).then_some((model, field))
}
