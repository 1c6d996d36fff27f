use super::{params::CheckedBlendParams, report::Setting};
use crate::{
    PreparedCluster, Result, Rows, UnitRows,
    fold_order::FoldOrder,
    kernel::{FoldedKernel, Landmarks},
    knn::{FoldedKnown, FoldedNeighbors},
    linear::FoldedLinear,
    prepared::Prepared,
};

/// Rows with all that a blend's learners need and that does not depend on targets; made by [`CheckedBlendParams::prepare`].
#[derive(Debug)]
pub struct PreparedBlend {
    pub(super) params: CheckedBlendParams,
    pub(super) rows: UnitRows,
    pub(super) order: FoldOrder,
    pub(super) knn: Option<FoldedNeighbors>,
    pub(super) linear: Option<FoldedLinear>,
    pub(super) kernel: Option<FoldedKernel>,
    pub(super) cluster: Option<PreparedCluster>,
}

/// A learner, and its candidates in their order.
pub(super) struct Learner<'a> {
    pub(super) settings: Vec<Setting>,
    /// The candidates with the most smoothing: one, or one for each gamma.
    pub(super) smoothest: Vec<usize>,
    pub(super) prepared: &'a dyn Prepared,
}

impl CheckedBlendParams {
    /// One neighbor search, the features and sums of both ridge regressions, and the clusters, all on the same folds.
    ///
    /// `on_progress` counts rows. Memory: that of the learners together
    /// ([`crate::CheckedKnnParams::prepare`], [`crate::CheckedLinearParams::prepare`], [`crate::CheckedKernelParams::prepare`],
    /// [`crate::CheckedClusterParams::prepare`]), with `n_folds` of the blend.
    ///
    /// # Errors
    /// [`crate::Error::Empty`], [`crate::Error::NotFinite`] or [`crate::Error::TooManyRows`] for the embeddings; [`crate::Error::Shape`] when there
    /// is not one group per row; [`crate::Error::Backend`] and [`crate::Error::Clustering`] for what the libraries refuse.
    pub fn prepare<'a>(
        &self,
        rows: impl Into<Rows<'a>>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<PreparedBlend> {
        let (rows, order) = rows.into().folded(self.params.n_folds, self.params.seed)?;
        let sorted = order.unit_rows(&rows)?;
        let folds = order.folds();
        let knn = self.knn.as_ref().map(|it| {
            let params = it.params();
            let ks = &params.n_neighbors;
            FoldedNeighbors::search(&sorted, folds, ks, params.backend, on_progress)
        });
        let linear =
            (self.linear.as_ref()).map(|it| FoldedLinear::new(&sorted, folds, &it.params().alphas));
        let kernel = self.kernel.as_ref().map(|it| -> Result<FoldedKernel> {
            let params = it.params();
            let landmarks = Landmarks::draw(&sorted, params.n_landmarks, params.seed)?;
            Ok(FoldedKernel::new(
                &sorted,
                folds,
                landmarks,
                params,
                &|_| (),
            ))
        });
        let cluster = self
            .cluster
            .as_ref()
            .map(|it| it.prepare_rows(&rows, &order));
        let prepared = PreparedBlend {
            params: self.clone(),
            knn: knn.transpose()?,
            linear,
            kernel: kernel.transpose()?,
            cluster: cluster.transpose()?,
            rows,
            order,
        };
        if prepared.knn.is_none() {
            on_progress(prepared.rows.n_rows() as u64);
        }
        Ok(prepared)
    }
}

impl PreparedBlend {
    /// The learners that can be judged; none where there are too few rows. `known` takes the place of nearest neighbors where known values are
    /// alone in their rows.
    pub(super) fn learners<'a>(&'a self, known: Option<&'a FoldedKnown<'_>>) -> Vec<Learner<'a>> {
        let mut learners: Vec<Learner<'a>> = Vec::new();
        let mut push = |prepared, settings: Vec<Setting>, smoothest| {
            learners.push(Learner {
                settings,
                smoothest,
                prepared,
            });
        };
        if let Some(knn) = &self.knn {
            let (prepared, ks): (&dyn Prepared, _) = match known {
                Some(known) => (known, known.ks()),
                None => (knn, knn.ks()),
            };
            let settings = ks.iter().map(|&n_neighbors| Setting::Knn { n_neighbors });
            push(
                prepared,
                settings.collect(),
                vec![ks.len().saturating_sub(1)],
            );
        }
        if let (Some(linear), Some(params)) = (&self.linear, &self.params.linear) {
            let alphas = params.params().alphas.iter();
            push(
                linear,
                alphas.map(|&alpha| Setting::Linear { alpha }).collect(),
                vec![0],
            );
        }
        if let (Some(kernel), Some(params)) = (&self.kernel, &self.params.kernel) {
            let params = params.params();
            let settings = params.gammas.iter().flat_map(|&gamma| {
                let alphas = params.alphas.iter();
                alphas.map(move |&alpha| Setting::Kernel { gamma, alpha })
            });
            let n_alphas = params.alphas.len();
            let strongest = (0..params.gammas.len()).map(|gamma| gamma * n_alphas);
            push(kernel, settings.collect(), strongest.collect());
        }
        if let Some(cluster) = &self.cluster {
            let counts = cluster.n_clusters().iter();
            push(
                cluster,
                counts
                    .map(|&n_clusters| Setting::Cluster { n_clusters })
                    .collect(),
                vec![0],
            );
        }
        learners.retain(|learner| learner.prepared.has_folds());
        learners
    }
}
