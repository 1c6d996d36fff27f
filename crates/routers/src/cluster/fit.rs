use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};

use super::{
    kmeans,
    model::{Cluster, ClusterCvScore, ClusterFit, ClusterTarget},
    nearest::nearest,
    params::{CheckedClusterParams, ClusterParams},
};
use crate::{
    Result, Rows, Target, UnitRows,
    fold_order::FoldOrder,
    prepared::{Chosen, Prepared, fit_best, fit_best_known, known_side_by_side},
};

/// Clusters of some rows, ready to fit any targets of theirs; made by [`CheckedClusterParams::prepare`].
#[derive(Debug)]
pub struct PreparedCluster {
    params: ClusterParams,
    n_rows: usize,
    order: FoldOrder,
    clusterings: Vec<Clustering>,
}

/// One candidate.
#[derive(Debug)]
struct Clustering {
    centroids: Array2<f32>,
    /// The cluster of each row, in the order of the folds.
    cluster_of_row: Vec<u32>,
}

impl CheckedClusterParams {
    /// Chooses the number of clusters for each target by cross-validation, and keeps the mean of each cluster.
    ///
    /// ```text
    /// prediction(x) = (sum of y_i + a mean) / (n + a)    over the n rows i of x's cluster whose y_i is known or filled in
    ///   mean          of all these y_i
    ///   a             prior-rows
    ///   x's cluster   that of the centroid nearest to x, with x and all rows brought to length 1
    /// ```
    ///
    /// Unknown values are filled in as in [`crate::CheckedLinearParams::fit`]. The number of clusters is the first of the candidates with the least
    /// out-of-fold squared error of differences between LLMs. Cost: for each candidate `n_rows * n_clusters * dim` multiply-adds and steps of
    /// k-means; `max-iterations` at most.
    ///
    /// Source: UniRoute's clusters of prompts (Jitkrittum et al. 2025, arXiv 2502.08773, section 5.1).
    ///
    /// # Deviations
    /// UniRoute takes each cluster's plain mean. Drawn to the overall mean by `a` rows, a small cluster does not follow chance. Clusters are made
    /// once, of all rows: what is held out of a fold is its rows' targets, not their embeddings.
    ///
    /// # Errors
    /// As [`CheckedClusterParams::prepare`] and [`PreparedCluster::fit`].
    pub fn fit(
        &self,
        embeddings: ArrayView2<'_, f32>,
        targets: &[Target],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Cluster> {
        known_side_by_side(embeddings.nrows(), targets)?;
        self.prepare(embeddings, on_progress)?.fit(targets)
    }

    /// Clusters the rows for each candidate: all that a fit needs and that does not depend on its targets.
    ///
    /// `on_progress` counts rows. Memory: the rows twice while they are clustered, then 4 bytes for each
    /// row and candidate, and the centroids.
    ///
    /// # Errors
    /// [`crate::Error::Empty`], [`crate::Error::NotFinite`] or [`crate::Error::TooManyRows`] for the embeddings; [`crate::Error::Shape`] when there
    /// is not one group per row; [`crate::Error::Clustering`].
    pub fn prepare<'a>(
        &self,
        rows: impl Into<Rows<'a>>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<PreparedCluster> {
        let (rows, order) = rows.into().folded(self.0.n_folds, self.0.seed)?;
        let prepared = self.prepare_rows(&rows, &order)?;
        on_progress(rows.n_rows() as u64);
        Ok(prepared)
    }

    /// The same with folds that are shared with other learners.
    pub(crate) fn prepare_rows(
        &self,
        rows: &UnitRows,
        order: &FoldOrder,
    ) -> Result<PreparedCluster> {
        let clustering = |centroids: Array2<f32>| {
            let clusters = nearest(rows.view(), centroids.view());
            let clusters = Array2::from_shape_vec((clusters.len(), 1), clusters);
            let clusters = clusters.expect("one cluster per row");
            let sorted = order.sorted(clusters.view());
            Clustering {
                centroids,
                cluster_of_row: sorted.into_raw_vec_and_offset().0,
            }
        };
        let centroids = kmeans::centroids(rows.view(), &self.0)?;
        Ok(PreparedCluster {
            clusterings: centroids.into_iter().map(clustering).collect(),
            n_rows: rows.n_rows(),
            order: order.clone(),
            params: self.0.clone(),
        })
    }
}

impl PreparedCluster {
    /// Fits targets of the rows, each of shape `(n_rows, n_outputs)`, NaN where unknown.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] when a target has other rows than the embeddings; [`crate::Error::Empty`] for a target without columns.
    pub fn fit(&self, targets: &[Target]) -> Result<Cluster> {
        fit_best(self, &self.order, targets, |chosen| self.fit_at(chosen))
    }

    /// The same from what is known alone: each output by the rows that know it, as if the others told nothing of it.
    ///
    /// # Errors
    /// As [`PreparedCluster::fit`].
    pub fn fit_known(&self, targets: &[Target]) -> Result<Cluster> {
        fit_best_known(self, &self.order, targets, |chosen| self.fit_at(chosen))
    }

    /// The candidates: numbers of clusters.
    pub(crate) fn n_clusters(&self) -> &[usize] {
        &self.params.n_clusters
    }

    /// Fits each target at the candidate chosen for it.
    pub(crate) fn fit_at(&self, chosen: Chosen<'_>) -> Cluster {
        let targets = chosen.targets.iter().zip(chosen.outputs);
        let (parts, fits) = targets
            .zip(chosen.choices)
            .map(|((target, outputs), choice)| {
                let clustering = &self.clusterings[choice.candidate];
                let sums = Sums::of(clustering, chosen.values, outputs.clone(), 0..self.n_rows);
                let values = sums.values(self.params.prior_rows);
                let scores = self.params.n_clusters.iter().zip(&choice.errors);
                let fit = ClusterFit {
                    target: target.name.clone(),
                    n_clusters: self.params.n_clusters[choice.candidate],
                    cross_validation: scores
                        .map(|(&n_clusters, error)| ClusterCvScore {
                            n_clusters,
                            difference_error: (!error.is_nan()).then_some(*error),
                        })
                        .collect(),
                };
                let part = ClusterTarget {
                    centroids: clustering.centroids.clone(),
                    values: values.mapv(|value| value as f32),
                };
                (part, fit)
            })
            .unzip();
        Cluster::new(parts, fits)
    }
}

impl Prepared for PreparedCluster {
    fn n_candidates(&self) -> usize {
        self.clusterings.len()
    }

    fn has_folds(&self) -> bool {
        !self.order.folds().is_empty()
    }

    fn out_of_fold(
        &self,
        values: ArrayView2<'_, f32>,
        candidates: &[usize],
        visit: &mut dyn FnMut(usize, Array2<f64>),
    ) {
        let folds = self.order.folds();
        for &candidate in candidates {
            let clustering = &self.clusterings[candidate];
            let outputs = 0..values.ncols();
            let of_folds: Vec<Sums> = (folds.iter())
                .map(|fold| Sums::of(clustering, values, outputs.clone(), fold.clone()))
                .collect();
            let mut predicted = Array2::zeros(values.dim());
            for (fold, rows) in folds.iter().enumerate() {
                // The sum of the others, not the total less this fold's: nothing is cancelled.
                let others = (of_folds.iter().enumerate()).filter(|(other, _)| *other != fold);
                let others = Sums::total(others.map(|(_, sums)| sums), of_folds[fold].dim());
                let of_clusters = others.values(self.params.prior_rows);
                for row in rows.clone() {
                    let cluster = clustering.cluster_of_row[row] as usize;
                    predicted.row_mut(row).assign(&of_clusters.row(cluster));
                }
            }
            visit(candidate, predicted);
        }
    }
}

/// Sums over the known values of some rows, by cluster and output.
struct Sums {
    sums: Array2<f64>,
    counts: Array2<f64>,
}

impl Sums {
    fn of(
        clustering: &Clustering,
        values: ArrayView2<'_, f32>,
        outputs: Range<usize>,
        rows: Range<usize>,
    ) -> Self {
        let mut sums = Self::zeros((clustering.centroids.nrows(), outputs.len()));
        for row in rows {
            let cluster = clustering.cluster_of_row[row] as usize;
            let values = values.slice(s![row, outputs.clone()]);
            for (output, value) in values.iter().enumerate().filter(|(_, it)| !it.is_nan()) {
                sums.sums[[cluster, output]] += f64::from(*value);
                sums.counts[[cluster, output]] += 1.0;
            }
        }
        sums
    }

    fn zeros(dim: (usize, usize)) -> Self {
        Self {
            sums: Array2::zeros(dim),
            counts: Array2::zeros(dim),
        }
    }

    fn total<'a>(of: impl Iterator<Item = &'a Self>, dim: (usize, usize)) -> Self {
        of.fold(Self::zeros(dim), |mut total, sums| {
            total.sums += &sums.sums;
            total.counts += &sums.counts;
            total
        })
    }

    fn dim(&self) -> (usize, usize) {
        self.sums.dim()
    }

    /// What each cluster predicts; NaN for an output that is known in no row.
    fn values(&self, prior_rows: f64) -> Array2<f64> {
        let total = self.sums.sum_axis(ndarray::Axis(0));
        let means = total / self.counts.sum_axis(ndarray::Axis(0));
        Array2::from_shape_fn(self.dim(), |at| {
            let (sum, n, mean) = (self.sums[at], self.counts[at], means[at.1]);
            // Without a prior an empty cluster still has something to say.
            if n == 0.0 {
                mean
            } else {
                (sum + prior_rows * mean) / (n + prior_rows)
            }
        })
    }
}
