use dataset::{
    DatasetInfo, OutOfFold, PartTable, PerModel, Predictions, SmallWins, TablePropensities, worth,
};
use evaluation::{
    Predicted, Truth,
    worth::{Baseline, CrossFit, PromptGains, doubly_robust_gains},
};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use routers::Rows;
use serde_json::Value;

use crate::{
    Error, FittedRouter, Folds, Learner, LearnerParams, LogPropensities, Result, Together,
    propensities::Estimates,
};

/// What is cross-fitted: a learner on a table.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The learner.
    pub learner: Learner,
    /// Its settings.
    pub params: &'a LearnerParams,
    /// The data set.
    pub info: &'a DatasetInfo,
    /// All prompts, of the train and of the test part.
    pub table: &'a PartTable,
    /// Their embeddings, of shape `(n_prompts, dim)`.
    pub embeddings: ArrayView2<'a, f32>,
}

/// Out-of-fold predictions, and the fits that made them.
#[derive(Debug, Clone)]
pub struct CrossFitted {
    /// Predictions for all prompts with their folds.
    pub out_of_fold: OutOfFold,
    /// One for each fold, in order.
    pub fits: Vec<FoldFit>,
    /// Of a log with one answer per prompt that does not say them; see [`crate::log_propensities`].
    pub propensities: Option<LogPropensities>,
}

/// The fit that predicted a fold.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldFit {
    /// Prompts that it was fitted on.
    pub n_train: usize,
    /// Prompts that it predicted.
    pub n_judged: usize,
    /// What was chosen or measured in the fit.
    pub results: Value,
    /// The same for people, a line each.
    pub summary: Vec<String>,
}

/// Predicts every row that has a fold by a router that was fitted without it: on the rows of all other folds, or of earlier ones
/// ([`Folds::in_order`]). Everything that a learner chooses is chosen inside those rows, by folds that keep the same groups whole
/// ([`Folds::groups`]). What is left to the table is decided by the whole of it ([`LearnerParams::resolved`]). `on_progress` counts folds.
///
/// # Errors
/// [`Error::RowCount`] when table, embeddings and folds have different rows; what the learner refuses.
pub fn cross_fit(
    subject: &Subject<'_>,
    folds: &Folds,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<CrossFitted> {
    subject.check(folds)?;
    // For all folds alike, by the whole table: one unknown score would otherwise decide for some of them.
    let params = subject.params.resolved(subject.table, subject.info);
    params.warn_of_copies(subject.learner, subject.table);
    let mut whole = None;
    let mut fits = Vec::new();
    // A pair's router weighs nothing.
    let mut estimates = match subject.learner.needs_pair() {
        true => None,
        false => Estimates::of(subject),
    };
    for fold in 0..folds.n_folds() {
        let (trained, judged) = (folds.trained(fold), folds.judged(fold));
        let mut table = subject.table.select(&trained);
        if let Some(estimates) = &mut estimates {
            let model = estimates.fit(subject, folds, &trained)?;
            // In-sample, for the fit must not know whom the judging rows were asked of.
            let embeddings = subject.embeddings.select(Axis(0), &trained);
            let of_trained = model.predict(embeddings.view())?;
            table.propensities = Some(TablePropensities::estimated(of_trained));
            estimates.predict(subject, folds, fold, model)?;
        }
        let fitted = subject.fit(&params, folds, &trained, &table)?;
        let predicted = subject.predict(&fitted, &judged)?;
        let whole = whole.get_or_insert_with(|| unknown_like(&predicted, subject.table));
        put(whole, &judged, &predicted);
        fits.push(FoldFit {
            n_train: trained.len(),
            n_judged: judged.len(),
            results: fitted.results(),
            summary: fitted.summary(&subject.table.models),
        });
        on_progress(1);
    }
    Ok(CrossFitted {
        out_of_fold: OutOfFold {
            predictions: whole.expect("there is at least one fold"),
            folds: folds.of_row().to_vec(),
        },
        fits,
        propensities: estimates.map(|estimates| estimates.finish(folds)),
    })
}

impl Subject<'_> {
    pub(crate) fn check(&self, folds: &Folds) -> Result<()> {
        let expected = self.table.n_prompts();
        for (what, found) in [
            ("matrix of embeddings", self.embeddings.nrows()),
            ("list of folds", folds.of_row().len()),
        ] {
            if found != expected {
                return Err(Error::RowCount {
                    what,
                    found,
                    expected,
                });
            }
        }
        Ok(())
    }

    /// `params` are resolved; `table` has the rows.
    fn fit(
        &self,
        params: &LearnerParams,
        folds: &Folds,
        rows: &[usize],
        table: &PartTable,
    ) -> Result<FittedRouter> {
        let embeddings = self.embeddings.select(Axis(0), rows);
        let together = self.together(folds, rows)?;
        let rows = Rows {
            embeddings: embeddings.view(),
            groups: Some(together.groups()),
        };
        let prepared = params.prepare(self.learner, rows, &|_| {})?;
        prepared.fit(table, self.info, &|_| {})
    }

    /// What a fit to some rows keeps in one fold of whatever it chooses: the groups that the folds keep whole, and equal prompts.
    pub(crate) fn together(&self, folds: &Folds, rows: &[usize]) -> Result<Together> {
        let prompts = rows.iter().map(|&row| &self.table.prompts[row]);
        let together = Together::new(rows.len()).join_prompts(prompts)?;
        match folds.groups() {
            Some(groups) => together.join(&rows.iter().map(|&row| groups[row]).collect::<Vec<_>>()),
            None => Ok(together),
        }
    }

    fn predict(&self, fitted: &FittedRouter, rows: &[usize]) -> Result<Predictions> {
        let embeddings = self.embeddings.select(Axis(0), rows);
        let table = self.table.select(rows);
        fitted.predictions(embeddings.view(), &table, self.info, &|_| {})
    }
}

/// Unknown predictions for all rows of a table, of the same kind as these.
fn unknown_like(predictions: &Predictions, table: &PartTable) -> Predictions {
    let ids = table.ids.clone();
    match predictions {
        Predictions::PerModel(like) => {
            let shape = (table.n_prompts(), like.models.len());
            Predictions::PerModel(PerModel {
                ids,
                models: like.models.clone(),
                scores: Array2::from_elem(shape, f32::NAN),
                output_tokens: None,
                cost_usd: Array2::from_elem(shape, f64::NAN),
            })
        }
        Predictions::SmallWins(_) => Predictions::SmallWins(SmallWins {
            probability: Array1::from_elem(ids.len(), f32::NAN),
            ids,
        }),
    }
}

/// Puts predictions for some rows in their places.
fn put(whole: &mut Predictions, rows: &[usize], predicted: &Predictions) {
    match (whole, predicted) {
        (Predictions::PerModel(whole), Predictions::PerModel(of_rows)) => {
            for (from, &row) in rows.iter().enumerate() {
                whole.scores.row_mut(row).assign(&of_rows.scores.row(from));
                (whole.cost_usd.row_mut(row)).assign(&of_rows.cost_usd.row(from));
                // A blend has tokens in the folds where it routes, and none in others.
                if let Some(of_rows) = &of_rows.output_tokens {
                    let unknown = || Array2::from_elem(whole.scores.dim(), f32::NAN);
                    let tokens = whole.output_tokens.get_or_insert_with(unknown);
                    tokens.row_mut(row).assign(&of_rows.row(from));
                }
            }
        }
        (Predictions::SmallWins(whole), Predictions::SmallWins(of_rows)) => {
            for (from, &row) in rows.iter().enumerate() {
                whole.probability[row] = of_rows.probability[from];
            }
        }
        _ => unreachable!("one learner predicts one kind"),
    }
}

/// The worths that gains on a table are averaged over, from the LLMs' mean costs over all of its rows. They fix the question, and no answer
/// depends on which rows judge.
pub fn worths(table: &PartTable) -> Vec<f64> {
    worth::grid(&means(table).1)
}

/// What each prompt says of a router's gain, from its cross-fits of one table; see [`doubly_robust_gains`]. Of a log whose propensities were estimated,
/// take the table with them ([`LogPropensities::on`]).
///
/// # Errors
/// [`Error::NoGain`] for a router of a pair; [`Error::Measure`] for predictions of other rows.
pub fn cross_fit_gains(
    learner: Learner,
    table: &PartTable,
    cross_fits: &[(&OutOfFold, &Folds)],
) -> Result<PromptGains> {
    let truth = Truth::of(table)?;
    let mut passes = Vec::new();
    for (out_of_fold, folds) in cross_fits {
        let Predictions::PerModel(predictions) = &out_of_fold.predictions else {
            return Err(Error::NoGain {
                router: learner.router(),
            });
        };
        let of_row = folds.of_row();
        passes.push(CrossFit {
            predicted: Predicted::of(predictions)?,
            baseline: match folds.is_in_order() {
                true => Baseline::Earlier(of_row),
                false => Baseline::Folds(of_row),
            },
        });
    }
    Ok(doubly_robust_gains(&truth, &passes, &worths(table))?)
}

/// Each LLM's mean score and cost over the rows where it is known, weighted by one over its propensity where the table says it; NaN where it is
/// known in none.
pub(crate) fn means(table: &PartTable) -> (Vec<f64>, Vec<f64>) {
    let weights = table.inverse_propensities();
    let mean = |values: ArrayView2<'_, f64>| {
        worth::weighted_means(values, weights.as_ref().map(Array2::view), |_| true)
    };
    (
        mean(table.scores.mapv(f64::from).view()),
        mean(table.cost_usd.view()),
    )
}
