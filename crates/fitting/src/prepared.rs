use std::path::Path;

use dataset::{DatasetInfo, MeanCost, PartTable};
use ndarray::{Array2, ArrayView2};
use routers::{
    PairOutcome, PairScores, PreparedBlend, PreparedCluster, PreparedKernel, PreparedKnn,
    PreparedLinear, Rorf, RoutingCosts, Rows,
};

use crate::{
    Error, FittedRouter, Learner, LearnerParams, PairLabels, Result,
    fitted::{Form, PairCounts},
    pair_scores,
    targets::Targets,
};

/// Where a pair is named, for messages.
const INFO: &str = "dataset.json";

/// Embeddings that are prepared for fits: what does not depend on scores and costs is done, once for any number of tables of the same rows.
pub struct Prepared<'a> {
    params: LearnerParams,
    embeddings: ArrayView2<'a, f32>,
    form: PreparedForm,
}

enum PreparedForm {
    Knn(PreparedKnn),
    Linear(PreparedLinear),
    Kernel(PreparedKernel),
    Cluster(PreparedCluster),
    // Boxed, because it holds all of the above.
    Blend(Box<PreparedBlend>),
    // Nothing can be done beforehand.
    Mf,
    Rorf,
}

impl<'a> Prepared<'a> {
    pub(crate) fn new(
        params: LearnerParams,
        learner: Learner,
        rows: Rows<'a>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Self> {
        Ok(Self {
            form: match learner {
                Learner::Knn => PreparedForm::Knn(params.knn.prepare(rows, on_progress)?),
                Learner::Linear => PreparedForm::Linear(params.linear.prepare(rows, on_progress)?),
                Learner::Kernel => PreparedForm::Kernel(params.kernel.prepare(rows, on_progress)?),
                Learner::Cluster => {
                    PreparedForm::Cluster(params.cluster.prepare(rows, on_progress)?)
                }
                Learner::Blend => {
                    PreparedForm::Blend(Box::new(params.blend.prepare(rows, on_progress)?))
                }
                Learner::Mf => PreparedForm::Mf,
                Learner::Rorf => PreparedForm::Rorf,
            },
            params,
            embeddings: rows.embeddings,
        })
    }

    /// Fits a router to a table of the prepared rows, in their order. `on_progress` counts what [`LearnerParams::progress`] says and was
    /// not counted when the rows were prepared.
    ///
    /// # Errors
    /// [`Error::RowCount`] for a table of other rows; what the learner refuses.
    pub fn fit(
        &self,
        table: &PartTable,
        info: &DatasetInfo,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<FittedRouter> {
        if self.embeddings.nrows() != table.n_prompts() {
            return Err(Error::RowCount {
                what: "matrix of embeddings",
                found: self.embeddings.nrows(),
                expected: table.n_prompts(),
            });
        }
        match &self.form {
            PreparedForm::Knn(_)
            | PreparedForm::Linear(_)
            | PreparedForm::Kernel(_)
            | PreparedForm::Cluster(_)
            | PreparedForm::Blend(_) => self.fit_per_model(table, info),
            PreparedForm::Mf => self.fit_mf(table, info, on_progress),
            PreparedForm::Rorf => self.fit_rorf(table, info, on_progress),
        }
    }

    /// Fits all targets at once: neighbors, Gram matrices and clusters are the same for every target.
    fn fit_per_model(&self, table: &PartTable, info: &DatasetInfo) -> Result<FittedRouter> {
        let targets = Targets::of(table, info);
        let predicted_usd = |outputs: Option<&Array2<f32>>| targets.usd(outputs, table, info);
        let weights = table.inverse_propensities();
        let costs = RoutingCosts {
            cost_usd: table.cost_usd.view(),
            predicted_usd: &predicted_usd,
            inverse_propensities: weights.as_ref().map(Array2::view),
        };
        let params = &self.params;
        let form = match &self.form {
            PreparedForm::Knn(prepared) => Form::Knn {
                knn: prepared.fit_to_route(&targets.targets, &costs)?,
                format: params.saved_embeddings,
                selection: params.knn.params().selection,
            },
            PreparedForm::Linear(prepared) => Form::Linear(prepared.fit(&targets.targets)?),
            PreparedForm::Kernel(prepared) => Form::Kernel(prepared.fit(&targets.targets)?),
            PreparedForm::Cluster(prepared) => Form::Cluster(prepared.fit(&targets.targets)?),
            PreparedForm::Blend(prepared) => Form::Blend {
                blend: Box::new(prepared.fit(&targets.targets, &costs)?),
                mean_cost: MeanCost::of(info.cost_kind, table),
                format: params.saved_embeddings,
            },
            PreparedForm::Mf | PreparedForm::Rorf => {
                unreachable!("a router of a pair is fitted to labels")
            }
        };
        Ok(FittedRouter {
            form,
            targets: targets.targets,
            quantities: targets.quantities,
            scale: targets.scale,
        })
    }

    fn fit_mf(
        &self,
        table: &PartTable,
        info: &DatasetInfo,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<FittedRouter> {
        let labels = PairLabels::of(info, Path::new(INFO), table)?;
        // NaN included: the fit leaves those prompts out and counts them in its report.
        let small_wins = labels.small_wins.to_vec();
        let (mf, report) = (self.params.mf).fit(self.embeddings, &small_wins, on_progress)?;
        let form = Form::Mf {
            mf,
            report,
            n_small: labels.n_small,
            n_large: labels.n_large,
        };
        Ok(FittedRouter::of_pair(form))
    }

    fn fit_rorf(
        &self,
        table: &PartTable,
        info: &DatasetInfo,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<FittedRouter> {
        let [small, large] = pair_scores(info, Path::new(INFO), table)?;
        let scores = PairScores { small, large };
        let rorf = Rorf::fit(&self.params.forest, self.embeddings, scores, on_progress)
            .map_err(Error::PairScores)?;
        // A pair of which one LLM is nearly always right explains a router that hardly ever switches.
        let n_of = |outcome| {
            let outcomes = small.iter().zip(large);
            outcomes
                .filter(|&(&small, &large)| PairOutcome::of(small, large) == Some(outcome))
                .count()
        };
        let [large_only, neither, both, small_only] = PairOutcome::ALL.map(n_of);
        let outcomes = PairCounts {
            large_only,
            neither,
            both,
            small_only,
        };
        Ok(FittedRouter::of_pair(Form::Rorf { rorf, outcomes }))
    }
}
