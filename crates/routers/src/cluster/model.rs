use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::nearest::nearest;
use crate::{Error, Result, UnitRows};

/// Means over clusters of embeddings; made by [`super::CheckedClusterParams::fit`], or from what a fit left.
#[derive(Debug, Clone)]
pub struct Cluster {
    targets: Vec<ClusterTarget>,
    fits: Vec<ClusterFit>,
}

/// The clusters that one target's values are means of.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterTarget {
    /// Shape `(n_clusters, dim)`.
    pub centroids: Array2<f32>,
    /// What is predicted in each cluster, shape `(n_clusters, n_outputs)`; NaN for an output that is known in no row.
    pub values: Array2<f32>,
}

/// How the number of clusters of one target was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClusterFit {
    /// The target's name.
    pub target: String,
    /// The number in force; the fit may have found fewer clusters, where fewer rows differ.
    pub n_clusters: usize,
    /// Cross-validation of every number; empty where there were too few rows for one.
    pub cross_validation: Vec<ClusterCvScore>,
}

/// The cross-validation score of one number of clusters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClusterCvScore {
    /// Number of clusters.
    pub n_clusters: usize,
    /// Mean squared out-of-fold error of differences between LLMs; `None` where nothing is known.
    pub difference_error: Option<f64>,
}

impl Cluster {
    pub(super) fn new(targets: Vec<ClusterTarget>, fits: Vec<ClusterFit>) -> Self {
        Self { targets, fits }
    }

    /// Puts a regression together again from what a fit left, with the name of each target. It predicts the same to the last bit.
    ///
    /// # Errors
    /// [`Error::Empty`] without targets, clusters, dimensions or outputs; [`Error::Shape`] when a target has not one row of values for each
    /// centroid, or another dimension than the first; [`Error::NotFinite`] for a centroid, and [`Error::BadWeight`] for a value that is infinite.
    pub fn from_parts(targets: Vec<(String, ClusterTarget)>) -> Result<Self> {
        let Some(dim) = targets.first().map(|(_, first)| first.centroids.ncols()) else {
            return Err(Error::Empty {
                what: "target",
                shape: (0, 0),
            });
        };
        for (_, target) in &targets {
            let (shape, values) = (target.centroids.dim(), target.values.dim());
            for (what, shape) in [("centroid", shape), ("cluster value", values)] {
                if shape.0 == 0 || shape.1 == 0 {
                    return Err(Error::Empty { what, shape });
                }
            }
            if shape.1 != dim {
                return Err(Error::Shape {
                    what: "centroid",
                    expected: (shape.0, dim),
                    found: shape,
                });
            }
            if values.0 != shape.0 {
                return Err(Error::Shape {
                    what: "cluster value",
                    expected: (shape.0, values.1),
                    found: values,
                });
            }
            let is_finite = |row: ndarray::ArrayView1<'_, f32>| row.iter().all(|it| it.is_finite());
            let not_finite = target
                .centroids
                .outer_iter()
                .position(|row| !is_finite(row));
            if let Some(row) = not_finite {
                return Err(Error::NotFinite { row });
            }
            if target.values.iter().any(|value| value.is_infinite()) {
                return Err(Error::BadWeight {
                    name: "cluster value",
                    problem: "is infinite",
                });
            }
        }
        let (names, targets): (Vec<String>, Vec<ClusterTarget>) = targets.into_iter().unzip();
        let fits = names.into_iter().zip(&targets);
        let fits = fits.map(|(target, parts)| ClusterFit {
            target,
            n_clusters: parts.centroids.nrows(),
            cross_validation: Vec::new(),
        });
        Ok(Self {
            fits: fits.collect(),
            targets,
        })
    }

    /// How each target's number of clusters was chosen, in the order in which the targets were given.
    pub fn fits(&self) -> &[ClusterFit] {
        &self.fits
    }

    /// What is to be stored, for each target.
    pub fn targets(&self) -> &[ClusterTarget] {
        &self.targets
    }

    /// Length of the embeddings it predicts for.
    pub fn dim(&self) -> usize {
        self.targets.first().map_or(0, |it| it.centroids.ncols())
    }

    /// Predicts every target for some embeddings of shape `(n_queries, dim)`; the matrices have shape `(n_queries, n_outputs)`.
    ///
    /// A prediction does not depend on the other queries. `on_progress` counts queries.
    ///
    /// # Errors
    /// [`Error::Shape`] when the dimension is not the fitted one; [`Error::NotFinite`].
    pub fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<Array2<f32>>> {
        let (n_queries, dim) = embeddings.dim();
        if dim != self.dim() {
            return Err(Error::Shape {
                what: "query embedding",
                expected: (n_queries, self.dim()),
                found: (n_queries, dim),
            });
        }
        if n_queries == 0 {
            let empty = |target: &ClusterTarget| Array2::zeros((0, target.values.ncols()));
            return Ok(self.targets.iter().map(empty).collect());
        }
        let queries = UnitRows::new(embeddings.to_owned())?;
        let predict = |target: &ClusterTarget| {
            let clusters = nearest(queries.view(), target.centroids.view());
            let rows: Vec<usize> = clusters.into_iter().map(|it| it as usize).collect();
            target.values.select(ndarray::Axis(0), &rows)
        };
        let predicted = self.targets.iter().map(predict).collect();
        on_progress(n_queries as u64);
        Ok(predicted)
    }
}
