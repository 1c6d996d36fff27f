use dataset::TablePropensities;
use ndarray::{Array1, ArrayView2};

use crate::{Error, Propensities, Result, candidates::Answer};

/// The true side of a split: how good every LLM was on every prompt, and what it cost. Matrices have shape `(n_prompts, n_models)`; what is
/// not finite is unknown, and [`Propensities`] say for how many prompts each known one stands.
#[derive(Debug, Clone)]
pub struct Truth<'a> {
    scores: ArrayView2<'a, f32>,
    cost_usd: ArrayView2<'a, f64>,
    n_scored_prompts: usize,
    n_known: usize,
    propensities: Propensities,
}

/// The predicted side: what a router expects. Matrices have shape `(n_prompts, n_models)`; what is not finite is never chosen.
#[derive(Debug, Clone, Copy)]
pub struct Predicted<'a> {
    scores: ArrayView2<'a, f32>,
    cost_usd: ArrayView2<'a, f64>,
}

impl<'a> Truth<'a> {
    /// Takes true scores in [0, 1] and costs in US dollars. What is missing is taken to be missing at random, see
    /// [`Propensities::at_random`].
    ///
    /// # Errors
    /// [`Error::Empty`] without a prompt or an LLM; [`Error::Shape`] when the two matrices differ in shape. Where nothing is known at
    /// all, baselines are `None` and curves are [`Error::NothingToChoose`].
    pub fn new(scores: ArrayView2<'a, f32>, cost_usd: ArrayView2<'a, f64>) -> Result<Self> {
        check_shapes("true costs", scores.dim(), cost_usd.dim())?;
        let mut this = Self {
            scores,
            cost_usd,
            n_scored_prompts: 0,
            n_known: 0,
            propensities: Propensities::complete(),
        };
        for prompt_idx in 0..this.n_prompts() {
            let n_known = this.known(prompt_idx).count();
            this.n_known += n_known;
            this.n_scored_prompts += usize::from(n_known > 0);
        }
        this.propensities = Propensities::at_random(&this);
        Ok(this)
    }

    /// The same with the probabilities with which scores are known.
    ///
    /// # Errors
    /// As for [`Truth::new`]; [`Error::Shape`] for propensities of another shape; [`Error::UnknownPropensity`] where a score is known and its
    /// propensity is not.
    pub fn with_propensities(
        scores: ArrayView2<'a, f32>,
        cost_usd: ArrayView2<'a, f64>,
        propensities: Propensities,
    ) -> Result<Self> {
        let mut this = Self::new(scores, cost_usd)?;
        propensities.check_fits(&this)?;
        this.propensities = propensities.of_known(&this);
        Ok(this)
    }

    /// Takes a split's scores and costs, with its propensities, recorded or estimated, where it has them.
    ///
    /// # Errors
    /// As for [`Truth::with_propensities`]; [`Error::BadPropensity`].
    pub fn of(split: &'a dataset::PartTable) -> Result<Self> {
        let (scores, cost_usd) = (split.scores.view(), split.cost_usd.view());
        Self::with_table(scores, cost_usd, split.propensities.as_ref())
    }

    /// Takes scores and costs with the propensities of a table, if it has any.
    ///
    /// # Errors
    /// As for [`Truth::with_propensities`]; [`Error::BadPropensity`].
    pub fn with_table(
        scores: ArrayView2<'a, f32>,
        cost_usd: ArrayView2<'a, f64>,
        of_table: Option<&TablePropensities>,
    ) -> Result<Self> {
        let Some(TablePropensities {
            values,
            are_estimated,
        }) = of_table
        else {
            return Self::new(scores, cost_usd);
        };
        let propensities = match are_estimated {
            true => Propensities::estimated(values.clone()),
            false => Propensities::recorded(values.clone()),
        };
        Self::with_propensities(scores, cost_usd, propensities?)
    }

    /// Takes the true expected scores and costs, which only synthetic data has, in place of the observed ones: for what is to be measured
    /// without the chance in single answers.
    ///
    /// # Errors
    /// As for [`Truth::new`].
    pub fn expected(expectations: &'a dataset::PerModel) -> Result<Self> {
        Self::new(expectations.scores.view(), expectations.cost_usd.view())
    }

    /// Number of rows.
    pub fn n_prompts(&self) -> usize {
        self.scores.nrows()
    }

    /// Number of LLMs.
    pub fn n_models(&self) -> usize {
        self.scores.ncols()
    }

    /// Number of prompts for which at least one LLM's score and cost are both known; the others are left out of everything.
    pub fn n_scored_prompts(&self) -> usize {
        self.n_scored_prompts
    }

    /// The share of all scores that are known, with their costs, in [0, 1].
    pub fn known_share(&self) -> f64 {
        self.n_known as f64 / (self.n_prompts() * self.n_models()) as f64
    }

    /// With which probabilities scores are known.
    pub fn propensities(&self) -> &Propensities {
        &self.propensities
    }

    /// Scores and costs.
    pub(crate) fn views(&self) -> (ArrayView2<'a, f32>, ArrayView2<'a, f64>) {
        (self.scores, self.cost_usd)
    }

    /// Whether at least one LLM's score and cost are both known.
    pub(crate) fn is_scored(&self, prompt_idx: usize) -> bool {
        self.known(prompt_idx).next().is_some()
    }

    /// Score and cost of one LLM on one prompt, where both are known.
    pub(crate) fn get(&self, prompt_idx: usize, model_idx: usize) -> Option<(f64, f64)> {
        let score = self.scores[[prompt_idx, model_idx]];
        let cost = self.cost_usd[[prompt_idx, model_idx]];
        (score.is_finite() && cost.is_finite()).then_some((f64::from(score), cost))
    }

    /// What comes of sending a prompt to an LLM.
    pub(crate) fn answer(&self, prompt_idx: usize, model_idx: usize) -> Answer {
        match self.get(prompt_idx, model_idx) {
            Some((score, cost)) => Answer {
                model_idx,
                weight: self.propensities.weight(prompt_idx, model_idx),
                score,
                cost,
            },
            None => Answer::unknown(model_idx),
        }
    }

    /// For how many of the LLM's own prompts one stands where it is known. Of scores missing at random 1, as it is the same for all.
    pub(crate) fn weight_within_model(&self, prompt_idx: usize, model_idx: usize) -> f64 {
        match self.propensities.are_of_prompts() {
            true => self.propensities.weight(prompt_idx, model_idx),
            false => 1.0,
        }
    }

    /// Position, score and cost of each LLM that counts for the prompt, in column order.
    pub(crate) fn known(&self, prompt_idx: usize) -> impl Iterator<Item = (usize, f64, f64)> {
        (0..self.n_models()).filter_map(move |model_idx| {
            let (score, cost) = self.get(prompt_idx, model_idx)?;
            Some((model_idx, score, cost))
        })
    }

    /// Refuses predictions of another shape.
    pub(crate) fn check_fits(&self, predicted: &Predicted<'_>) -> Result<()> {
        let (expected, found) = (self.scores.dim(), predicted.scores.dim());
        if found == expected {
            Ok(())
        } else {
            Err(Error::Shape {
                what: "predictions",
                expected,
                found,
            })
        }
    }

    /// Refuses a position beyond the last LLM.
    pub(crate) fn check_model(&self, model_idx: usize) -> Result<()> {
        check_model(model_idx, self.n_models())
    }
}

impl<'a> Predicted<'a> {
    /// Takes predicted scores and costs in US dollars. Costs may be a broadcast view, for a rule that knows one mean per LLM.
    ///
    /// # Errors
    /// [`Error::Empty`] without a prompt or an LLM; [`Error::Shape`] when the two matrices differ in shape.
    pub fn new(scores: ArrayView2<'a, f32>, cost_usd: ArrayView2<'a, f64>) -> Result<Self> {
        check_shapes("predicted costs", scores.dim(), cost_usd.dim())?;
        Ok(Self { scores, cost_usd })
    }

    /// Takes a router's predictions.
    ///
    /// # Errors
    /// As for [`Predicted::new`].
    pub fn of(predictions: &'a dataset::PerModel) -> Result<Self> {
        Self::new(predictions.scores.view(), predictions.cost_usd.view())
    }

    /// Scores and costs.
    pub(crate) fn views(&self) -> (ArrayView2<'a, f32>, ArrayView2<'a, f64>) {
        (self.scores, self.cost_usd)
    }

    pub(crate) fn n_prompts(&self) -> usize {
        self.scores.nrows()
    }

    /// Refuses a position beyond the last LLM.
    pub(crate) fn check_model(&self, model_idx: usize) -> Result<()> {
        check_model(model_idx, self.scores.ncols())
    }

    /// The same scores with one cost per LLM in place of one per prompt and LLM: the RouterBench rule, see [`crate::baseline::mean_costs`]. An LLM whose
    /// mean is unknown is never chosen.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one mean per LLM.
    pub fn with_mean_costs(self, mean_costs: &'a Array1<f64>) -> Result<Self> {
        let (n_prompts, n_models) = self.scores.dim();
        check_one_per_model("mean costs", mean_costs.len(), n_models)?;
        let cost_usd = mean_costs
            .broadcast((n_prompts, n_models))
            .expect("one mean per column");
        Ok(Self { cost_usd, ..self })
    }

    /// Refuses predictions unless all are finite. Curves do not need this check, since they never choose such LLMs; callers that expect a
    /// router to predict everything find out here where it did not.
    ///
    /// # Errors
    /// [`Error::NotFinite`] with the first such row and LLM; [`Error::Shape`] when there is not one name per LLM.
    pub fn check_finite(&self, models: &[String]) -> Result<()> {
        let (_, n_models) = self.scores.dim();
        check_one_per_model("LLM names", models.len(), n_models)?;
        for ((prompt_idx, model_idx), &score) in self.scores.indexed_iter() {
            let cost_usd = self.cost_usd[[prompt_idx, model_idx]];
            for (what, value) in [("score", f64::from(score)), ("cost", cost_usd)] {
                if !value.is_finite() {
                    return Err(Error::NotFinite {
                        what,
                        row: prompt_idx + 1,
                        model: models[model_idx].clone(),
                        value,
                    });
                }
            }
        }
        Ok(())
    }

    /// Predicted score and cost of one LLM on one prompt, where both are finite.
    pub(crate) fn get(&self, prompt_idx: usize, model_idx: usize) -> Option<(f64, f64)> {
        let score = self.scores[[prompt_idx, model_idx]];
        let cost = self.cost_usd[[prompt_idx, model_idx]];
        (score.is_finite() && cost.is_finite()).then_some((f64::from(score), cost))
    }
}

fn check_one_per_model(what: &'static str, n: usize, n_models: usize) -> Result<()> {
    if n == n_models {
        return Ok(());
    }
    Err(Error::Shape {
        what,
        expected: (1, n_models),
        found: (1, n),
    })
}

fn check_model(model_idx: usize, n_models: usize) -> Result<()> {
    if model_idx < n_models {
        Ok(())
    } else {
        Err(Error::NoSuchModel {
            model_idx,
            n_models,
        })
    }
}

fn check_shapes(what: &'static str, expected: (usize, usize), found: (usize, usize)) -> Result<()> {
    if expected != found {
        return Err(Error::Shape {
            what,
            expected,
            found,
        });
    }
    let (n_prompts, n_models) = expected;
    if n_prompts == 0 || n_models == 0 {
        return Err(Error::Empty {
            n_prompts,
            n_models,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    const UNKNOWN: f32 = f32::NAN;

    #[test]
    fn a_prompt_counts_where_score_and_cost_are_known() {
        let scores = array![
            [1.0, 0.0],
            [UNKNOWN, 0.5],
            [UNKNOWN, UNKNOWN],
            [1.0, UNKNOWN]
        ];
        let costs = array![[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [f64::NAN, 2.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        assert_eq!((truth.n_prompts(), truth.n_models()), (4, 2));
        assert_eq!(truth.n_scored_prompts(), 2);
        assert_eq!(truth.known(1).collect::<Vec<_>>(), [(1, 0.5, 2.0)]);
    }

    #[test]
    fn no_prompts_at_all_is_an_error() {
        let (scores, costs) = (Array2::zeros((0, 3)), Array2::zeros((0, 3)));
        let error = Truth::new(scores.view(), costs.view()).expect_err("no prompts");
        assert_eq!(
            error,
            Error::Empty {
                n_prompts: 0,
                n_models: 3
            }
        );
    }

    #[test]
    fn matrices_of_different_shapes_are_refused() {
        let (scores, costs) = (Array2::zeros((2, 3)), Array2::zeros((3, 2)));
        let error = Truth::new(scores.view(), costs.view()).expect_err("another shape");
        assert_eq!(
            error.to_string(),
            "true costs have shape `(3, 2)`, expected `(2, 3)`"
        );
        assert!(Predicted::new(scores.view(), costs.view()).is_err());
    }

    #[test]
    fn the_first_prediction_that_is_not_finite_is_named() {
        let scores = array![[0.5, 0.5], [0.5, UNKNOWN]];
        let costs = array![[1.0, 1.0], [f64::INFINITY, 1.0]];
        let models = ["a".to_owned(), "b".to_owned()];
        let check = |scores: &Array2<f32>, costs: &Array2<f64>| {
            Predicted::new(scores.view(), costs.view())
                .expect("predictions")
                .check_finite(&models)
                .map_err(|error| error.to_string())
        };
        let finite = Array2::ones((2, 2));
        assert_eq!(check(&array![[0.5, 0.5], [0.5, 0.5]], &finite), Ok(()));
        assert_eq!(
            check(&scores, &finite).expect_err("NaN"),
            "predicted score of `b` in row 2 is `NaN`, expected a finite number"
        );
        assert_eq!(
            check(&scores, &costs).expect_err("infinite"),
            "predicted cost of `a` in row 2 is `inf`, expected a finite number"
        );
        let predicted = Predicted::new(scores.view(), costs.view()).expect("predictions");
        assert!(matches!(
            predicted.check_finite(&models[..1]),
            Err(Error::Shape { .. })
        ));
    }
}
