use super::fault::Stage;

/// A request that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it was for; `None` for what the hub does not know.
    pub stage: Option<Stage>,
    /// The path, without the query.
    pub path: String,
    /// The range asked for, as sent.
    pub range: Option<String>,
    /// Whether a token came with it.
    pub has_token: bool,
    /// Whether the storage host was asked, and not the hub.
    pub is_storage: bool,
}
