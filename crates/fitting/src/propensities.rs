//! With which probability a log's policy asked each LLM for each prompt, where the log does not say.

use dataset::{EstimatedPropensities, PartTable, TablePropensities};
use ndarray::{Array2, ArrayView2, Axis};
use routers::{PropensityFit, PropensityModel, PropensityParams};
use serde::{Deserialize, Serialize};

use crate::{Folds, LearnerParams, Result, Subject};

/// Estimated propensities of a log, each by a fit that did not see the prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct LogPropensities {
    /// The probability that an LLM was asked, shape `(n_prompts, n_models)`; rows that are only trained on have in-sample ones.
    pub values: Array2<f64>,
    /// What each fit chose, one for each fold.
    pub fits: Vec<PropensityFit>,
    /// How well they hold.
    pub calibration: Calibration,
}

/// Whether prompts stand for as many as there are.
///
/// An LLM's prompts, each counted as one over its propensity, are as many as all prompts in expectation. Where they are not, the policy went by
/// something that the embedding does not tell in this way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Calibration {
    /// The mean of `-log p` of the LLMs that were asked, out-of-fold.
    pub log_loss: f64,
    /// The same of the LLMs' shares in the other folds.
    pub log_loss_of_shares: f64,
    /// The smallest over LLMs of `sum of 1 / p / number of prompts`, out-of-fold; 1 in expectation.
    pub least_weight: f64,
    /// The largest.
    pub largest_weight: f64,
}

impl LogPropensities {
    /// The table with these propensities, so that whatever weighs by a table's own weighs by them.
    #[must_use]
    pub fn on(&self, table: &PartTable) -> PartTable {
        let mut table = table.clone();
        table.propensities = Some(TablePropensities::estimated(self.values.clone()));
        table
    }

    /// As a data set keeps them for all who judge by it, see [`LogPropensities::kept`]. `params` are those of the fits; `table` has the rows, and
    /// `folds` are theirs.
    ///
    /// # Errors
    /// [`crate::Error::Record`] for numbers that JSON does not have.
    pub fn to_keep(
        &self,
        params: &LearnerParams,
        table: &PartTable,
        folds: &Folds,
    ) -> Result<EstimatedPropensities> {
        let record = Record {
            settings: params.propensity.params().clone(),
            fits: self.fits.clone(),
            calibration: self.calibration,
        };
        Ok(EstimatedPropensities {
            ids: table.ids.clone(),
            models: table.models.clone(),
            values: self.values.clone(),
            folds: folds.of_row().to_vec(),
            fit: serde_json::to_value(record).map_err(crate::Error::Record)?,
        })
    }

    /// Those that a data set keeps, where they are what a fit with these settings to these folds would give; that the embeddings are the same is for
    /// whoever asks to know. `None` of others.
    pub fn kept(
        estimated: EstimatedPropensities,
        params: &LearnerParams,
        folds: &Folds,
    ) -> Option<Self> {
        let record: Record = serde_json::from_value(estimated.fit).ok()?;
        let is_same = as_read(params.propensity.params()) == Some(record.settings)
            && estimated.folds == folds.of_row()
            && record.fits.len() == folds.n_folds() as usize;
        is_same.then_some(Self {
            values: estimated.values,
            fits: record.fits,
            calibration: record.calibration,
        })
    }
}

/// What a data set keeps beside the estimates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Record {
    settings: PropensityParams,
    fits: Vec<PropensityFit>,
    calibration: Calibration,
}

/// Settings as they come back from JSON, where a number may lose its last bit.
fn as_read(params: &PropensityParams) -> Option<PropensityParams> {
    let text = serde_json::to_string(params).ok()?;
    serde_json::from_str(&text).ok()
}

/// The LLM asked for each prompt, where propensities have to be estimated: in a log that does not say them. Those that a data set keeps are for
/// judging alone: they know whom the rows of other folds were asked of.
fn asked_without_propensities(table: &PartTable) -> Option<Vec<Option<usize>>> {
    match &table.propensities {
        Some(recorded) if !recorded.are_estimated => None,
        _ => table.asked(),
    }
}

impl LearnerParams {
    /// A table with the propensities that a fit to it weighs by: its own; in-sample estimates, where it is a log that has none; `None` where it is
    /// no log, and there is nothing to add. `groups` as for [`LearnerParams::prepare`].
    ///
    /// # Errors
    /// [`crate::Error::Learner`] for embeddings that cannot be fitted on.
    pub(crate) fn with_propensities(
        &self,
        embeddings: ArrayView2<'_, f32>,
        table: &PartTable,
        groups: Option<&[usize]>,
    ) -> Result<Option<PartTable>> {
        let Some(asked) = asked_without_propensities(table) else {
            return Ok(None);
        };
        let n_models = table.models.len();
        let model = (self.propensity).fit(embeddings, &asked, n_models, groups)?;
        let mut table = table.clone();
        table.propensities = Some(TablePropensities::estimated(model.predict(embeddings)?));
        Ok(Some(table))
    }
}

/// Estimates with which probability each LLM was asked for each prompt, of a log with one answer per prompt that does not say it: the prompts of a
/// fold by a fit to the rows that their router is fitted on. `None` of any other table. `on_progress` counts folds.
///
/// Which LLM was asked is regressed on the embedding ([`routers::CheckedPropensityParams::fit`]); so they are right only as far as the policy went by what
/// the embedding tells.
///
/// # Errors
/// [`crate::Error::RowCount`] when table, embeddings and folds have different rows; [`crate::Error::Learner`].
pub fn log_propensities(
    subject: &Subject<'_>,
    folds: &Folds,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<Option<LogPropensities>> {
    subject.check(folds)?;
    let Some(mut estimates) = Estimates::of(subject) else {
        return Ok(None);
    };
    for fold in 0..folds.n_folds() {
        let model = estimates.fit(subject, folds, &folds.trained(fold))?;
        estimates.predict(subject, folds, fold, model)?;
        on_progress(1);
    }
    Ok(Some(estimates.finish(folds)))
}

/// Estimates as they are made, fold by fold.
pub(crate) struct Estimates {
    asked: Vec<Option<usize>>,
    values: Array2<f64>,
    fits: Vec<PropensityFit>,
}

impl Estimates {
    /// `None` where nothing is to be estimated.
    pub(crate) fn of(subject: &Subject<'_>) -> Option<Self> {
        let asked = asked_without_propensities(subject.table)?;
        let shape = (asked.len(), subject.table.models.len());
        Some(Self {
            asked,
            values: Array2::from_elem(shape, f64::NAN),
            fits: Vec::new(),
        })
    }

    /// A fit to some rows.
    pub(crate) fn fit(
        &self,
        subject: &Subject<'_>,
        folds: &Folds,
        rows: &[usize],
    ) -> Result<PropensityModel> {
        let embeddings = subject.embeddings.select(Axis(0), rows);
        let asked: Vec<Option<usize>> = rows.iter().map(|&row| self.asked[row]).collect();
        let together = subject.together(folds, rows)?;
        let groups = Some(together.groups());
        let params = &subject.params.propensity;
        Ok(params.fit(embeddings.view(), &asked, self.values.ncols(), groups)?)
    }

    /// Predicts the rows of a fold by the fit to those of the others; and with the first fold those that no fit leaves out.
    pub(crate) fn predict(
        &mut self,
        subject: &Subject<'_>,
        folds: &Folds,
        fold: u32,
        model: PropensityModel,
    ) -> Result<()> {
        let mut rows = folds.judged(fold);
        if self.fits.is_empty() {
            let of_rows = folds.of_row().iter().enumerate();
            rows.extend(
                of_rows
                    .filter(|(_, fold)| fold.is_none())
                    .map(|(row, _)| row),
            );
        }
        let predicted = model.predict(subject.embeddings.select(Axis(0), &rows).view())?;
        for (from, row) in rows.into_iter().enumerate() {
            self.values.row_mut(row).assign(&predicted.row(from));
        }
        self.fits.push(model.fit().clone());
        Ok(())
    }

    pub(crate) fn finish(self, folds: &Folds) -> LogPropensities {
        LogPropensities {
            calibration: Calibration::of(&self.values, &self.asked, folds),
            values: self.values,
            fits: self.fits,
        }
    }
}

impl Calibration {
    /// Of out-of-fold estimates.
    fn of(values: &Array2<f64>, asked: &[Option<usize>], folds: &Folds) -> Self {
        let n_models = values.ncols();
        let (mut loss, mut loss_of_shares, mut n) = (0.0, 0.0, 0_u32);
        let mut weights = vec![0.0; n_models];
        for fold in 0..folds.n_folds() {
            let mut counts = vec![0_u32; n_models];
            let trained = folds.trained(fold);
            let of_trained = trained.iter().filter_map(|&row| asked[row]);
            of_trained.for_each(|model_idx| counts[model_idx] += 1);
            let n_trained: u32 = counts.iter().sum();
            // As of an LLM that was asked in no row of a fit.
            let share = |model_idx: usize| match counts[model_idx] {
                0 => 1.0 / (f64::from(n_trained) + n_models as f64),
                count => f64::from(count) / f64::from(n_trained),
            };
            for row in folds.judged(fold) {
                let Some(model_idx) = asked[row] else {
                    continue;
                };
                let probability = values[[row, model_idx]];
                weights[model_idx] += 1.0 / probability;
                loss -= probability.ln();
                loss_of_shares -= share(model_idx).ln();
                n += 1;
            }
        }
        // An LLM that was never asked stands for nobody, whatever the estimates.
        let of_llms = weights.iter().filter(|weight| **weight > 0.0);
        let of_llms = of_llms.map(|weight| weight / f64::from(n));
        Self {
            log_loss: loss / f64::from(n),
            log_loss_of_shares: loss_of_shares / f64::from(n),
            least_weight: of_llms.clone().fold(f64::INFINITY, f64::min),
            largest_weight: of_llms.fold(f64::NEG_INFINITY, f64::max),
        }
    }
}
