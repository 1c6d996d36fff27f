use ndarray::{Array2, Axis};

use crate::{
    Curve, Error, Predicted, Propensities, Result, Truth, baseline::single::single_models,
    choice::Lambdas,
};

/// Prompts with what is known and predicted of them, and the benchmark that each belongs to.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    /// What is known.
    pub truth: Truth<'a>,
    /// What a router predicts.
    pub predicted: Predicted<'a>,
    /// One label per prompt.
    pub benchmarks: &'a [String],
}

/// What lambda is chosen on, and for which prompts of a benchmark.
pub(super) struct Source {
    /// The curve on the prompts to choose on, and the reference LLM's mean cost there; `None` where one of them is unknown.
    pub(super) basis: Option<(Curve, f64)>,
    /// Positions among the benchmark's test prompts.
    pub(super) routes: Vec<usize>,
}

impl Rows<'_> {
    pub(super) fn check(&self, reference: usize) -> Result<()> {
        self.truth.check_model(reference)?;
        self.truth.check_fits(&self.predicted)?;
        check_labels(
            "benchmark labels",
            self.truth.n_prompts(),
            self.benchmarks.len(),
        )
    }
}

/// Refuses labels that are not one per prompt.
pub(super) fn check_labels(what: &'static str, n_prompts: usize, n_labels: usize) -> Result<()> {
    if n_labels == n_prompts {
        Ok(())
    } else {
        Err(Error::Shape {
            what,
            expected: (n_prompts, 1),
            found: (n_labels, 1),
        })
    }
}

/// Some of the prompts, copied.
pub(super) struct Subset {
    /// Where they stand among all.
    pub(super) prompt_idxs: Vec<usize>,
    scores: Array2<f32>,
    cost_usd: Array2<f64>,
    /// `None`: what is missing is missing at random, at the rates of these prompts.
    propensities: Option<Propensities>,
    predicted_scores: Array2<f32>,
    predicted_cost_usd: Array2<f64>,
}

impl Subset {
    /// The prompts of one benchmark.
    pub(super) fn of(rows: &Rows<'_>, benchmark: &str) -> Result<Self> {
        let prompt_idxs: Vec<usize> = (0..rows.benchmarks.len())
            .filter(|&prompt_idx| rows.benchmarks[prompt_idx] == benchmark)
            .collect();
        // The labels are test's own unless the rows are for validation.
        if prompt_idxs.is_empty() {
            return Err(Error::NoValidation {
                benchmark: benchmark.to_owned(),
            });
        }
        let ((scores, cost_usd), (predicted_scores, predicted_cost_usd)) =
            (rows.truth.views(), rows.predicted.views());
        Ok(Self {
            scores: scores.select(Axis(0), &prompt_idxs),
            cost_usd: cost_usd.select(Axis(0), &prompt_idxs),
            propensities: rows.truth.propensities().of_prompts(&prompt_idxs),
            predicted_scores: predicted_scores.select(Axis(0), &prompt_idxs),
            predicted_cost_usd: predicted_cost_usd.select(Axis(0), &prompt_idxs),
            prompt_idxs,
        })
    }

    /// Some of these prompts, by their positions among these.
    fn select(&self, positions: &[usize]) -> Self {
        Self {
            prompt_idxs: positions.iter().map(|&i| self.prompt_idxs[i]).collect(),
            scores: self.scores.select(Axis(0), positions),
            cost_usd: self.cost_usd.select(Axis(0), positions),
            propensities: (self.propensities.as_ref())
                .and_then(|propensities| propensities.of_prompts(positions)),
            predicted_scores: self.predicted_scores.select(Axis(0), positions),
            predicted_cost_usd: self.predicted_cost_usd.select(Axis(0), positions),
        }
    }

    pub(super) fn views(&self) -> Result<(Truth<'_>, Predicted<'_>)> {
        let (scores, cost_usd) = (self.scores.view(), self.cost_usd.view());
        Ok((
            match &self.propensities {
                Some(propensities) => {
                    Truth::with_propensities(scores, cost_usd, propensities.clone())?
                }
                None => Truth::new(scores, cost_usd)?,
            },
            Predicted::new(self.predicted_scores.view(), self.predicted_cost_usd.view())?,
        ))
    }

    /// What lambda is chosen on when these prompts are to choose.
    pub(super) fn basis(&self, reference: usize, lambdas: Lambdas) -> Result<Option<(Curve, f64)>> {
        let (truth, predicted) = self.views()?;
        let Some(reference) = single_models(&truth)[reference] else {
            return Ok(None);
        };
        match lambdas.curve(&truth, predicted) {
            Ok(curve) => Ok(Some((curve, reference.cost_usd))),
            Err(Error::NothingToChoose { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// For each fold among these prompts the others.
    pub(super) fn by_fold(
        &self,
        folds: &[usize],
        reference: usize,
        lambdas: Lambdas,
    ) -> Result<Vec<Source>> {
        let fold_of = |position: usize| folds[self.prompt_idxs[position]];
        let mut present: Vec<usize> = (0..self.prompt_idxs.len()).map(fold_of).collect();
        present.sort_unstable();
        present.dedup();
        let source = |fold: usize| {
            let (routes, others): (Vec<usize>, Vec<usize>) =
                (0..self.prompt_idxs.len()).partition(|&position| fold_of(position) == fold);
            let basis = if others.is_empty() {
                None
            } else {
                self.select(&others).basis(reference, lambdas)?
            };
            Ok(Source { basis, routes })
        };
        present.into_iter().map(source).collect()
    }
}
