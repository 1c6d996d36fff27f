/// The k nearest rows of every query, for several k at once.
///
/// The neighbors of one query stand in segments: the first `ks[0]` are the nearest `ks[0]`, the first `ks[1]` the nearest `ks[1]`, and
/// so on. Within a segment they stand by row number, so that whatever is summed over them is summed in a fixed order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NeighborLists {
    pub(super) k_max: usize,
    pub(super) rows: Vec<u32>,
}

impl NeighborLists {
    /// The neighbors of one query: `k_max` row numbers.
    pub(crate) fn of(&self, query: usize) -> &[u32] {
        &self.rows[query * self.k_max..(query + 1) * self.k_max]
    }
}
