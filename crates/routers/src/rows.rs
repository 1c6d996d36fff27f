use ndarray::ArrayView2;

use crate::{Result, UnitRows, fold_order::FoldOrder};

/// Rows that a learner is prepared for: what a fit needs and that does not depend on scores and costs.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// Shape `(n_rows, dim)`.
    pub embeddings: ArrayView2<'a, f32>,
    /// One number per row: rows of one number are in one fold of every choice, as rows with equal embeddings always are. `None` where every row is
    /// by itself.
    pub groups: Option<&'a [usize]>,
}

impl<'a> From<ArrayView2<'a, f32>> for Rows<'a> {
    fn from(embeddings: ArrayView2<'a, f32>) -> Self {
        Self {
            embeddings,
            groups: None,
        }
    }
}

impl Rows<'_> {
    /// The rows at length 1, in their own order, and the order of their shuffled folds.
    ///
    /// # Errors
    /// [`crate::Error::Empty`], [`crate::Error::NotFinite`] or [`crate::Error::TooManyRows`] for the embeddings; [`crate::Error::Shape`] when there
    /// is not one group per row.
    pub(crate) fn folded(&self, n_folds: usize, seed: u64) -> Result<(UnitRows, FoldOrder)> {
        let rows = UnitRows::new(self.embeddings.to_owned())?;
        let order = FoldOrder::shuffled(&rows, self.groups, n_folds, seed)?;
        Ok((rows, order))
    }
}
