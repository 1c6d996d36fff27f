use std::path::Path;

use dataset::{DatasetInfo, PartTable};
use ndarray::ArrayView2;
use routers::{PairOutcome, PairScores, Rorf};

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
    params: &'a LearnerParams,
    embeddings: ArrayView2<'a, f32>,
    form: PreparedForm,
}

enum PreparedForm {
    // A learner for which nothing can be done beforehand.
    Knn,
    Mf,
    Rorf,
}

impl<'a> Prepared<'a> {
    pub(crate) fn new(
        params: &'a LearnerParams,
        learner: Learner,
        embeddings: ArrayView2<'a, f32>,
        _on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Self> {
        Ok(Self {
            params,
            embeddings,
            form: match learner {
                Learner::Knn => PreparedForm::Knn,
                Learner::Mf => PreparedForm::Mf,
                Learner::Rorf => PreparedForm::Rorf,
            },
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
            PreparedForm::Knn => self.fit_knn(Targets::of(table, info), on_progress),
            PreparedForm::Mf => self.fit_mf(table, info, on_progress),
            PreparedForm::Rorf => self.fit_rorf(table, info, on_progress),
        }
    }

    /// All targets at once, because finding neighbors is what takes the time, and they are the same for every target.
    fn fit_knn(
        &self,
        targets: Targets,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<FittedRouter> {
        let knn = (self.params.knn).fit(self.embeddings, &targets.targets, on_progress)?;
        Ok(FittedRouter {
            form: Form::Knn {
                knn,
                targets: targets.targets,
                format: self.params.saved_embeddings,
                backend: self.params.knn.params().backend,
            },
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
