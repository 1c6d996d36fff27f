use ndarray::Array2;
use rayon::prelude::*;

use crate::{
    Error, Result, Truth,
    rule::argmax,
    sum::{Sum, mean},
    worth::{
        baseline::{Constants, CrossFit},
        estimate::folds_inflation,
        judged::{Judged, Outcomes, utilities},
        pseudo::PseudoOutcomes,
        support::{Choices, Estimator, Support},
    },
};

/// What each prompt says of a router's gain at each worth, see [`prompt_gains`].
#[derive(Debug, Clone, PartialEq)]
pub struct PromptGains {
    worths: Vec<f64>,
    n_models: usize,
    n_repeats: usize,
    /// See [`folds_inflation`]; of the repeat with the most folds.
    inflation: f64,
    /// One per worth.
    columns: Vec<Column>,
    support: Support,
}

/// One worth. Vectors have one number per prompt, means over the repeats; NaN for unknown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) gain: Vec<f64>,
    /// What comes of the router's choice.
    pub(super) routed: Outcomes,
    /// And of the best constant.
    pub(super) constant: Outcomes,
    /// In which share of the judged prompts the choice is not the best constant.
    pub(super) differing_share: f64,
    /// To which share of the judged prompts each LLM is the best constant, and the router's choice.
    pub(super) constant_shares: Vec<f64>,
    pub(super) routed_shares: Vec<f64>,
    /// What of the router's choices is known, and of the best constants, over the repeats.
    pub(super) routed_choices: Choices,
    pub(super) constant_choices: Choices,
}

/// Judges a router by every prompt, at every worth.
///
/// ```text
/// gain_i(v) = utility_v of the router's choice - utility_v of the best constant       0 where they are the same LLM
/// ```
///
/// Takes the truth, one [`CrossFit`] per repeat of cross-fitting (by other folds), whose gains are averaged per prompt, and worths in US
/// dollars, see [`dataset::worth::grid`]. The router's choice is the routing rule's, see [`crate::worth::worth_of_lambda`], among all LLMs that
/// it predicts for; of equals the first. A prompt is left out (NaN) where there is no prediction, no best constant, or no LLM whose truth is
/// known.
///
/// Where the truth of some choices is unknown, a prompt's number is what makes the mean
///
/// ```text
/// gain(v) = q (m_r - m_b)
///   q         share of prompts where the two choices differ
///   m_r, m_b  mean utility of the router's choice, of the best constant, over those of them where it is known, weighted by
///   w         1 / the probability that the LLM is known on the prompt: see Propensities
/// ```
///
/// and, up to second order, its variance: `d (m_r - m_b + w_r (u_r - m_r) / s_r - w_b (u_b - m_b) / s_b)` with `d` whether they differ, `w` 0
/// where unknown, `s` the mean of `w` where they differ. With all known this is `u_r - u_b`. It is consistent if the probabilities are right
/// (the estimating function of a mean with missing data, with a constant for the outcome model; Robins, Rotnitzky and Zhao 1994). With scores missing at
/// random an LLM's probability is its share of known scores; that it is measured on the same prompts makes the variance a little smaller than
/// stated. Where choices differ and none is known on one side, the column is unknown.
///
/// # Errors
/// [`Error::Shape`] for predictions, folds or means of other shapes; [`Error::BadWorth`] for a worth that is not above 0;
/// [`Error::NothingToJudge`] without a worth or a repeat, or where every number is unknown.
pub fn prompt_gains(
    truth: &Truth<'_>,
    cross_fits: &[CrossFit<'_>],
    worths: &[f64],
) -> Result<PromptGains> {
    judge(truth, cross_fits, worths, Estimator::of_known(truth))
}

/// Judges a router by every prompt, at every worth, with what it predicts of a choice for what is not known of it: as [`prompt_gains`], with
/// the outcomes
///
/// ```text
/// phi_im = f_im + c_m w_im (s_im - f_im)          where the truth is known; f_im elsewhere
/// c_m    = n / sum over prompts of w_im
///   s    score or cost that is known        f    what the router, which was not fitted on the prompt, predicts of it; the LLM's mean over
///                                                the known ones, weighted by w, where it predicts nothing
///   w    1 / propensity where known, else 0  n    prompts that are judged
/// ```
///
/// in the place of known ones: the doubly robust estimator (Robins, Rotnitzky and Zhao 1994; Dudik, Langford and Li 2011). It is right if either
/// predictions or propensities are, and where both are nearly so, and out-of-fold, its error is of the product of theirs (Chernozhukov et al. 2018).
/// `c_m` makes the weights of each LLM sum to the number of prompts (Swaminathan and Joachims 2015). A prompt's outcome less the mean is, to first
/// order, its influence, so intervals, groups, folds and the band are as for known ones. The best constants are still chosen by known scores alone.
///
/// With nothing missing these are [`prompt_gains`].
///
/// # Errors
/// As for [`prompt_gains`].
pub fn doubly_robust_gains(
    truth: &Truth<'_>,
    cross_fits: &[CrossFit<'_>],
    worths: &[f64],
) -> Result<PromptGains> {
    let estimator = match Estimator::of_known(truth) {
        Estimator::Mean => Estimator::Mean,
        Estimator::SelfNormalized | Estimator::DoublyRobust => Estimator::DoublyRobust,
    };
    judge(truth, cross_fits, worths, estimator)
}

fn judge(
    truth: &Truth<'_>,
    cross_fits: &[CrossFit<'_>],
    worths: &[f64],
    estimator: Estimator,
) -> Result<PromptGains> {
    check_worths(worths)?;
    let constants = cross_fits
        .iter()
        .map(|cross_fit| {
            truth.check_fits(&cross_fit.predicted)?;
            Constants::new(truth, cross_fit.baseline)
        })
        .collect::<Result<Vec<_>>>()?;
    let pseudo: Vec<PseudoOutcomes> = match estimator {
        Estimator::Mean | Estimator::SelfNormalized => Vec::new(),
        Estimator::DoublyRobust => (cross_fits.iter().zip(&constants))
            .map(|(cross_fit, constants)| {
                PseudoOutcomes::new(truth, &cross_fit.predicted, |i| constants.judges(i))
            })
            .collect(),
    };
    let pseudo = (pseudo.iter().map(PseudoOutcomes::truth)).collect::<Result<Vec<_>>>()?;
    let columns: Vec<Column> = worths
        .par_iter()
        .map(|&worth_usd| {
            let repeats = cross_fits.iter().zip(&constants).enumerate();
            let judged = repeats
                .map(|(repeat, (cross_fit, constants))| {
                    let predicted = cross_fit.predicted.views();
                    let constants = constants.at(worth_usd);
                    let choice = |i| argmax(utilities(predicted, i, worth_usd));
                    match pseudo.get(repeat) {
                        Some(outcomes) => Judged::new(outcomes, &constants, worth_usd, choice),
                        None => Judged::new(truth, &constants, worth_usd, choice),
                    }
                })
                .collect();
            Column::mean_of(judged, truth)
        })
        .collect();
    let n_mutual_folds = cross_fits.iter().map(|fit| fit.baseline.n_mutual_folds());
    PromptGains::new(
        truth,
        worths,
        cross_fits.len(),
        n_mutual_folds.max().unwrap_or(1),
        (columns, estimator),
    )
}

/// Refuses a worth that is not above 0.
pub(super) fn check_worths(worths: &[f64]) -> Result<()> {
    match worths.iter().find(|worth| worth.is_nan() || **worth <= 0.0) {
        Some(&worth_usd) => Err(Error::BadWorth { worth_usd }),
        None => Ok(()),
    }
}

impl PromptGains {
    /// Refuses columns of which nothing is known.
    pub(super) fn new(
        truth: &Truth<'_>,
        worths: &[f64],
        n_repeats: usize,
        n_mutual_folds: usize,
        (columns, estimator): (Vec<Column>, Estimator),
    ) -> Result<Self> {
        if columns.iter().all(|column| column.gain().is_none()) {
            return Err(Error::NothingToJudge {
                n_prompts: truth.n_prompts(),
            });
        }
        Ok(Self {
            worths: worths.to_vec(),
            n_models: truth.n_models(),
            n_repeats,
            inflation: folds_inflation(n_mutual_folds),
            support: Support::of(truth, estimator, n_repeats, &columns),
            columns,
        })
    }

    /// Takes off what the router itself costs, in US dollars per prompt, say for the embedding: that much less utility of routing at every
    /// worth, also where it chooses the best constant, and none less of not routing.
    #[must_use]
    pub fn less_router_cost(mut self, usd_per_prompt: f64) -> Self {
        for (column, &worth_usd) in self.columns.iter_mut().zip(&self.worths) {
            column
                .gain
                .iter_mut()
                .for_each(|gain| *gain -= usd_per_prompt / worth_usd);
            column
                .routed
                .cost_usd
                .iter_mut()
                .for_each(|cost| *cost += usd_per_prompt);
        }
        self
    }

    /// The worths, in US dollars.
    pub fn worths(&self) -> &[f64] {
        &self.worths
    }

    /// Number of prompts, with those that are left out.
    pub fn n_prompts(&self) -> usize {
        self.columns[0].gain.len()
    }

    /// Number of repeats that were averaged.
    pub fn n_repeats(&self) -> usize {
        self.n_repeats
    }

    /// Each prompt's gain at a worth, in scores; NaN for a prompt that is left out.
    ///
    /// # Panics
    /// When there is no such worth.
    pub fn at(&self, worth_idx: usize) -> &[f64] {
        &self.columns[worth_idx].gain
    }

    /// All gains, of shape `(n_prompts, n_worths)`.
    pub fn to_matrix(&self) -> Array2<f64> {
        Array2::from_shape_fn((self.n_prompts(), self.worths.len()), |(i, j)| {
            self.columns[j].gain[i]
        })
    }

    /// Each prompt's part in the mean over worths: the mean of the parts is the mean of the gains at the worths where they are known. NaN for
    /// a prompt that is left out at each of them.
    pub fn over_worths(&self) -> Vec<f64> {
        let known: Vec<(&Column, f64)> = self
            .columns
            .iter()
            .filter_map(|column| Some((column, column.gain()?)))
            .collect();
        let n_known = known.len() as f64;
        let total: f64 = known.iter().map(|(_, gain)| *gain).collect::<Sum>().value() / n_known;
        let is_judged: Vec<bool> = (0..self.n_prompts())
            .map(|i| known.iter().any(|(column, _)| !column.gain[i].is_nan()))
            .collect();
        let n_judged = is_judged.iter().filter(|&&is_judged| is_judged).count() as f64;
        // A worth with fewer judged prompts weighs each of them more. As a rule all worths have the same, and the weight is 1.
        let weights: Vec<f64> = known
            .iter()
            .map(|(column, _)| n_judged / column.n_judged() as f64)
            .collect();
        (0..self.n_prompts())
            .map(|i| {
                if !is_judged[i] {
                    return f64::NAN;
                }
                let deviations = known.iter().zip(&weights).map(|((column, gain), weight)| {
                    let of_prompt = column.gain[i];
                    if of_prompt.is_nan() {
                        0.0
                    } else if *weight == 1.0 {
                        // Exact, so that a gain of 0 remains one.
                        of_prompt - gain
                    } else {
                        weight * (of_prompt - gain)
                    }
                });
                total + deviations.collect::<Sum>().value() / n_known
            })
            .collect()
    }

    /// The deciding statistic: the mean over the worths where the gain is known.
    pub fn mean(&self) -> f64 {
        mean(self.columns.iter().filter_map(Column::gain)).unwrap_or(f64::NAN)
    }

    /// How far the known scores carry the choices.
    pub fn support(&self) -> &Support {
        &self.support
    }

    /// Number of LLMs.
    pub fn n_models(&self) -> usize {
        self.n_models
    }

    /// What standard errors are multiplied by, see [`folds_inflation`].
    pub(super) fn inflation(&self) -> f64 {
        self.inflation
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }
}

impl Column {
    /// The mean gain; `None` where no prompt is judged.
    pub(super) fn gain(&self) -> Option<f64> {
        mean(self.gain.iter().copied().filter(|gain| !gain.is_nan()))
    }

    fn n_judged(&self) -> usize {
        self.gain.iter().filter(|gain| !gain.is_nan()).count()
    }

    pub(super) fn mean_of(repeats: Vec<Judged>, truth: &Truth<'_>) -> Self {
        let n_prompts = truth.n_prompts();
        let over_repeats = |of_repeat: &dyn Fn(&Judged) -> &Vec<f64>| -> Vec<f64> {
            (0..n_prompts)
                .map(|i| {
                    let values = repeats.iter().map(|judged| of_repeat(judged)[i]);
                    mean(values.filter(|value| !value.is_nan())).unwrap_or(f64::NAN)
                })
                .collect()
        };
        let shares = |of_repeat: &dyn Fn(&Judged) -> &Vec<Option<usize>>| -> Vec<f64> {
            let mut n_of = vec![0_usize; truth.n_models()];
            let chosen = repeats.iter().flat_map(|judged| of_repeat(judged).iter());
            chosen.flatten().for_each(|&model_idx| n_of[model_idx] += 1);
            let n: usize = n_of.iter().sum();
            n_of.into_iter()
                .map(|n_of| n_of as f64 / n as f64)
                .collect()
        };
        let constant_shares = shares(&|judged| &judged.constant_model);
        let routed_shares = shares(&|judged| &judged.routed_model);
        let differing = repeats.iter().flat_map(|judged| {
            let pairs = judged.routed_model.iter().zip(&judged.constant_model);
            pairs.filter_map(|(routed, constant)| {
                let (routed, constant) = ((*routed)?, (*constant)?);
                Some(f64::from(u8::from(routed != constant)))
            })
        });
        Self {
            differing_share: mean(differing).unwrap_or(f64::NAN),
            gain: over_repeats(&|judged| &judged.gain),
            routed: Outcomes::mean_of(&repeats, |judged| (&judged.routed, &judged.routed_model)),
            constant: Outcomes::mean_of(&repeats, |judged| {
                (&judged.constant, &judged.constant_model)
            }),
            constant_shares,
            routed_shares,
            routed_choices: Choices::of(truth, repeats.iter().map(|it| &*it.routed_model)),
            constant_choices: Choices::of(truth, repeats.iter().map(|it| &*it.constant_model)),
        }
    }
}
