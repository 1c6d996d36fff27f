//! Finds the order in which an evaluation gathered its results, from the results alone.
//!
//! Holds the orders in which `W` data-parallel ranks gather ([`order`]), and an audit that finds each LLM's `W` ([`CheckedAuditParams::audit`]).
//! In come tasks with one column of scores per LLM, out come widths, permutation p-values and a verdict. Must not know a file format, what a score
//! measures, or what an LLM is.
//!
//! An evaluation that runs on `W` ranks gives rank `r` the documents `r, r + W, r + 2 W, ...`; whoever writes the ranks one after the other stores
//! document 0, then `W`, then `2 W`. Where two LLMs ran on different numbers of ranks, row 7 refers to different documents in the two columns:
//! everything that compares LLMs within a row (an oracle, a router, an ensemble) is wrong, while every mean is right.
//!
//! ```text
//! published     W = 1:  0 1 2 3 4 5 6        row 1 is document 1
//!               W = 2:  0 2 4 6 1 3 5        row 1 is document 2
//! ```
//!
//! Documents differ in difficulty, so LLMs' scores correlate where their rows are the same documents and do not where they are not. The audit
//! chooses the widths under which all pairs together correlate most.
//!
//! # What it cannot see
//! Correlations see how LLMs are ordered *relative to each other*. Three things follow.
//!
//! - If all LLMs have one width, every common width fits equally well. The verdict is [`Verdict::OneOrder`]: rows are the same documents as
//!   published, and only their numbers in the source are unknown. Nothing that compares LLMs within a row is touched by that.
//! - If `W` divides the number of rows `n`, the document of row `p` is `p W mod (n - 1)`; if it divides `n + 1`, `p W mod n`. Where all tasks'
//!   lengths are such for 8, the widths {1, 2} are therefore the same data as {2, 4} and {4, 8}, while no set with both 1 and 8 has a double
//!   among {1, 2, 4, 8}. Other lengths distinguish them.
//! - LLMs whose scores have nothing in common with the others', or run against them, cannot be placed: one that answers at random, say. The same
//!   holds for parts of the LLMs: where half of the columns are shifted by a row, each LLM goes with its own half, and neither half with the
//!   other. The verdict is then not that there is one order, and [`ModelAudit::part`] says which LLMs go together.
//!
//! Every LLM's [`Finding`] says which of these holds for it, by searching for the best explanation in which it has another width
//! ([`ModelAudit::rival_width`], [`ModelAudit::margin_z`]).
//!
//! # Example
//! ```
//! use std::num::NonZeroUsize;
//!
//! use row_order::{AuditParams, Task, Verdict, deinterleave, interleave};
//!
//! # fn main() -> row_order::Result<()> {
//! let width = |width| NonZeroUsize::new(width).expect("no width is 0");
//! let params = AuditParams {
//!     candidate_widths: [1, 2, 4, 8].map(width).to_vec(),
//!     n_permutations: 1000,
//!     seed: 42,
//!     significance: 0.05,
//! };
//! // Two LLMs that know the same answers, gathered from one rank and from eight.
//! let scores: Vec<f64> = (0..500_u32).map(|document| f64::from(document * document % 11 % 2)).collect();
//! let tasks = [Task {
//!     name: "squares".into(),
//!     columns: vec![Some(scores.clone()), Some(interleave(&scores, width(8)))],
//! }];
//! let audit = params.check()?.audit(&["one".into(), "eight".into()], &tasks)?;
//! assert_eq!(audit.verdict, Verdict::SeveralOrders);
//! assert_eq!(audit.models[1].width(), Some(width(8)));
//! assert_eq!(deinterleave(tasks[0].columns[1].as_ref().expect("it was evaluated"), width(8)), scores);
//! # Ok(())
//! # }
//! ```

mod assign;
mod audit;
mod auditor;
mod error;
mod margin;
mod order;
mod panel;
mod params;
mod parts;
mod permute;
mod result;
mod table;

pub use crate::{
    error::{Error, Result},
    order::{deinterleave, interleave, order},
    panel::Task,
    params::{AuditParams, CheckedAuditParams},
    result::{Audit, Finding, ModelAudit, TaskAudit, Verdict},
};
