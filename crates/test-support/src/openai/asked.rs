/// A request for embeddings that came in, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// How many requests came before it, over all connections.
    pub number: usize,
    /// The texts, in their order.
    pub texts: Vec<String>,
    /// The status that it was answered with; a fault of the body does not change it.
    pub status: u16,
    /// The organization's header.
    pub organization: Option<String>,
    /// `encoding_format`, if it was given.
    pub encoding_format: Option<String>,
    /// The key in Azure's header.
    pub api_key: Option<String>,
}
