//! What a router's predictions are worth: predictions become decisions, decisions become curves, curves become numbers.
//!
//! Holds the routing rule, the exact routing curve and the paper's grid, the baselines (each LLM, oracle, random, zero router), the field's
//! metrics with their bootstrap intervals, what routing gains over not routing, the choice of lambda by a budget, calibration to a goal with
//! prediction intervals, and the numbers of the paper's figure of benchmarks. In come matrices of true and predicted scores and costs, of shape
//! `(n_prompts, n_models)`; out go points of mean cost and mean accuracy, and numbers made of them. Must not know how a prediction was made,
//! where a table lies on disk, or what a figure looks like.
//!
//! From truth and predictions to numbers: [`choice`] has the routing rule, [`curve`] what a router reaches by it, [`baseline`] what it is compared
//! with, [`metric`] the numbers made of both, and [`study`] these with their intervals over all prompts or benchmarks. [`worth`] answers whether
//! routing gains anything: most of [`metric`] is optimistic on the prompts that it is taken from.
//!
//! # What is unknown
//! NaN stands for unknown, and every item follows the same rules:
//! - a prompt counts for an LLM only where both its score and its cost are known, and a prompt that counts for no LLM is left out of
//!   everything ([`Truth::n_scored_prompts`] says how many remain, [`Truth::known_share`] how much of the table is known);
//! - a router chooses among *all* LLMs whose predictions are finite, as it does in use, whether or not the truth of its choice is known; a prompt
//!   where there is none is left out ([`Curve::n_prompts`] says how many remain), and shares count all the others;
//! - what a router earns is a weighted mean over the prompts whose choice is known. [`Propensities`] have the weights and what they take for granted:
//!   that scores are missing at random, at a rate of its own for each LLM, unless the table or an estimate says with which probability each was asked;
//! - a single LLM's mean is over the prompts that count for it, so weighted;
//! - only the oracle chooses among the LLMs that count for the prompt, and is too low where scores are missing.
//!
//! With nothing missing every weight is 1, and all means are plain.
//!
//! A metric that is not defined is `None` or NaN, a cost that is never enough is infinite; [`Predicted::check_finite`] refuses what the second
//! rule passes over.
//!
//! ```
//! use evaluation::{Predicted, Truth, baseline::best_single, curve::exact_curve};
//! use ndarray::array;
//!
//! let (scores, cost_usd) = (array![[0.0, 1.0], [1.0, 1.0]], array![[0.001, 0.010], [0.001, 0.010]]);
//! let truth = Truth::new(scores.view(), cost_usd.view())?;
//! let predicted_scores = array![[0.2, 0.9], [0.7, 0.8]];
//! let predicted = Predicted::new(predicted_scores.view(), cost_usd.view())?;
//!
//! let curve = exact_curve(&truth, predicted)?;
//! let (idx, best) = best_single(&truth).expect("two LLMs");
//! let routed = curve.best_within(0.006).expect("within the budget");
//! assert_eq!((idx, best.accuracy), (1, 1.0));
//! assert_eq!(routed.accuracy, 1.0);
//! assert!(routed.cost_usd < best.cost_usd);
//! # Ok::<(), evaluation::Error>(())
//! ```

pub mod baseline;
mod candidates;
pub mod choice;
pub mod curve;
mod error;
mod gaps;
mod interval;
pub mod metric;
mod point;
mod propensities;
pub mod published;
mod router;
mod rule;
pub mod study;
mod sum;
mod truth;
pub mod worth;

pub use crate::{
    error::{Error, Result},
    gaps::Gaps,
    interval::Interval,
    point::{Curve, CurvePoint, Point},
    propensities::{Propensities, PropensitySource},
    router::Router,
    truth::{Predicted, Truth},
};
