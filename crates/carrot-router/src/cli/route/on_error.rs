use clap::ValueEnum;

/// What happens with a row of a table that cannot be routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OnError {
    /// The run ends, and nothing is written.
    Fail,
    /// The row is written without a decision, and says why in the column `routing_error`.
    Row,
}
