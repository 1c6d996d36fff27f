//! Is routing worth it: by how much the utility of a router's choices exceeds that of one LLM for every prompt.
//!
//! ```text
//! utility(v) = score - cost / v             v: the worth of a whole score, in dollars; see dataset::worth
//! gain(v)    = mean over prompts of utility of the router's choice at v - utility of the best constant at v
//!              best constant: the LLM of the largest mean utility at v over the prompts that the router was fitted on
//! ```
//!
//! Both policies are fixed before the prompts that judge them are looked at, so the gain is unbiased, and a router that knows nothing gains
//! nothing. That is what the areas under a hull lack ([`crate::metric::Metric::is_in_sample_optimum`]): a hull chooses its points by the truth
//! that measures them. The deciding statistic is the mean of the gain over a fixed grid of worths.
//!
//! From predictions to a verdict: [`doubly_robust_gains`] and [`pair_gains`] judge every prompt, [`GainReport`] has means, intervals and the band of the curve, and
//! [`GainReport::verdict`] the answer. [`trade`] says the same in money: what is saved at about equal quality. [`cross_fitted_areas`] are the
//! literature's AIQ and gain over the zero router without selection on the judging prompts. [`holm`] corrects for many comparisons. [`policy_values`]
//! judge any policy, followed or not, by a log of traffic.
//!
//! # What the numbers are about
//! With out-of-fold predictions, routers that were fitted on a part of the rows (four fifths with 5 folds), not quite the one that is fitted
//! on all. Intervals are of chance in the prompts, with an allowance for what folds share, see [`folds_inflation`]; that another draw of training
//! rows would give another router is not in them.
//!
//! # What is unknown
//! As everywhere in this crate a router chooses among all LLMs that it predicts for, also where the truth of the choice is unknown. Means are then over
//! the prompts where it is known, weighted by [`crate::Propensities`]; see [`prompt_gains`]. [`doubly_robust_gains`] have predictions for the others, too,
//! and are what a verdict goes by. [`Support`] says how far the known scores carry the choices, and when they carry none.

mod areas;
mod band;
mod baseline;
mod difference;
mod estimate;
mod halves;
mod judged;
mod knob;
mod pair_gains;
mod policy;
mod prompt_gains;
mod pseudo;
mod report;
pub(crate) mod student;
mod support;
mod trade;

pub(crate) use self::support::{Choices, decided_share};
pub use self::{
    areas::{Area, CrossFittedAreas, cross_fitted_areas, one_sided_p},
    baseline::{Baseline, CrossFit, means_of},
    difference::gain_difference,
    estimate::{Estimate, folds_inflation},
    knob::{lambda_of_worth, worth_of_lambda},
    pair_gains::{PairFit, pair_gains},
    policy::{PolicyChoices, PolicySettings, PolicyValue, policy_values},
    prompt_gains::{PromptGains, doubly_robust_gains, prompt_gains},
    report::{GainAt, GainReport, GainSettings, TaskGain, Verdict, gains_by_task, holm},
    support::{
        Estimator, FEWEST_EFFECTIVE, LOW_PROPENSITY, MOST_UNSUPPORTED, Refusal, Support, WIDEST,
    },
    trade::{Trade, TradeReport, trade},
};

#[cfg(test)]
mod tests;
