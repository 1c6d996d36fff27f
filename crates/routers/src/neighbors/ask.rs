use super::backend::Backend;

/// What is asked of a search.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// How many neighbors: each of these numbers, in ascending order.
    pub(crate) ks: &'a [usize],
    /// What proposes the candidates.
    pub(crate) backend: Backend,
    /// Counts queries.
    pub(crate) on_progress: &'a (dyn Fn(u64) + Sync),
}
