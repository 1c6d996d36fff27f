use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use crate::{Error, Result};

/// What an [`crate::Mf`] has learned; see there for the letters.
#[derive(Debug, Clone, PartialEq)]
pub struct MfWeights {
    /// `W`, (dim, text_dim), row by row in memory.
    pub(super) projection: Array2<f32>,
    /// `p`, (dim)
    pub(super) model: Array1<f32>,
    /// `c`, (dim)
    pub(super) classifier: Array1<f32>,
    /// `b`
    pub(super) intercept: Option<f32>,
}

impl MfWeights {
    /// Takes a projection of shape `(dim, text_dim)` and two vectors of length `dim`. There is no intercept.
    ///
    /// # Errors
    /// [`Error::BadWeight`] when a weight is empty, of another length, or not finite.
    pub fn new(
        projection: Array2<f32>,
        model: Array1<f32>,
        classifier: Array1<f32>,
    ) -> Result<Self> {
        let bad = |name, problem| Err(Error::BadWeight { name, problem });
        if projection.is_empty() {
            return bad("projection", "is empty");
        }
        for (name, vector) in [("model", &model), ("classifier", &classifier)] {
            if vector.len() != projection.nrows() {
                return bad(name, "is not as long as the projection has rows");
            }
            if !vector.iter().all(|x| x.is_finite()) {
                return bad(name, "holds a value that is not finite");
            }
        }
        if !projection.iter().all(|x| x.is_finite()) {
            return bad("projection", "holds a value that is not finite");
        }
        Ok(Self {
            projection: projection.as_standard_layout().into_owned(),
            model: model.as_standard_layout().into_owned(),
            classifier: classifier.as_standard_layout().into_owned(),
            intercept: None,
        })
    }

    /// The same with an intercept, or without one.
    ///
    /// # Errors
    /// [`Error::BadWeight`] when it is not finite.
    pub fn with_intercept(self, intercept: Option<f32>) -> Result<Self> {
        if intercept.is_some_and(|b| !b.is_finite()) {
            return Err(Error::BadWeight {
                name: "intercept",
                problem: "is not finite",
            });
        }
        Ok(Self { intercept, ..self })
    }

    /// Dimensions of the embeddings.
    pub fn text_dim(&self) -> usize {
        self.projection.ncols()
    }

    /// Length of the learned vectors.
    pub fn dim(&self) -> usize {
        self.projection.nrows()
    }

    /// `W`, of shape `(dim, text_dim)`.
    pub fn projection(&self) -> ArrayView2<'_, f32> {
        self.projection.view()
    }

    /// `p`, of shape `(dim)`, not normalized.
    pub fn model(&self) -> ArrayView1<'_, f32> {
        self.model.view()
    }

    /// `b`, where logits have one.
    pub fn intercept(&self) -> Option<f32> {
        self.intercept
    }

    /// `c`, of shape `(dim)`.
    pub fn classifier(&self) -> ArrayView1<'_, f32> {
        self.classifier.view()
    }

    pub(super) fn projection_rows(&self) -> impl Iterator<Item = &[f32]> {
        let values = self.projection.as_slice();
        let values = values.expect("`new` makes it lie row by row");
        values.chunks_exact(self.text_dim())
    }
}
