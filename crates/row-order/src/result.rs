use std::num::NonZeroUsize;

use serde::Serialize;

/// What the scores show about the order of their rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Audit {
    /// All LLMs together.
    pub verdict: Verdict,
    /// One for each LLM, in the order in which they were given.
    pub models: Vec<ModelAudit>,
    /// One for each task, in the order in which they were given.
    pub tasks: Vec<TaskAudit>,
}

/// All LLMs together. It covers only the LLMs whose [`Finding`] is not [`Finding::Undetermined`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The LLMs share one order: they fit each other under one width, and in any split of them in two the sides correlate. So
    /// a row is the same document for all of them, as published. Which order that is cannot be seen, unless an
    /// LLM's finding says so: de-interleaving all of them alike fits as well. For comparing LLMs it does not matter.
    OneOrder,
    /// LLMs were gathered in several orders: as published, a row holds different documents, and the LLMs must be de-interleaved.
    SeveralOrders,
    /// Fewer than two LLMs have scores that correlate under any order; or one width fits all, but some LLMs' rows do not go with those of the others
    /// ([`ModelAudit::part`]); or there are too few data to distinguish one order from several.
    Undetermined,
}

/// What is known of one LLM's width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// The rows fit the other LLMs' under the best width, and significantly less well under any other, however the others are ordered.
    Determined,
    /// The rows fit the other LLMs', but there is an explanation with the rival width that fits as well, or not significantly less well.
    Ambiguous,
    /// The rows fit the other LLMs' under no width better than in random order. The best width is a guess, not to be relied on.
    Undetermined,
}

/// What the scores show about one LLM. NaN where there is nothing to compute it from (JSON has null).
///
/// ```text
/// u_i    LLM i's scores, in each task with mean 0 and variance 1, brought from width w to the order of the documents
/// c_i    sum of the other LLMs' u_j under the widths found for them
/// z(w) = u_i(w) . c_i / sigma          sigma^2 = sum over tasks of |u_i|^2 |c_i|^2 / (n - 1)
/// ```
///
/// `sigma` is the exact standard deviation of the product over all orders of the LLM's rows within tasks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelAudit {
    /// The LLM's name.
    pub name: String,
    /// How much of the following may be believed.
    pub finding: Finding,
    /// Which part of the LLMs it belongs to, from 0, the largest: no part's rows go with those of another as far as the scores show. None where
    /// the finding is undetermined.
    pub part: Option<usize>,
    /// Rows of the tasks in which the LLM's scores vary.
    pub n_rows: usize,
    /// The width under which all LLMs together correlate most.
    pub best_width: NonZeroUsize,
    /// z of the best width.
    pub z: f64,
    /// Among the other widths the one with the largest z, the other LLMs staying as they are.
    pub runner_up_width: NonZeroUsize,
    /// z of that width.
    pub runner_up_z: f64,
    /// Among the other widths the one whose best explanation, in which the other LLMs may change their widths too, comes closest.
    pub rival_width: NonZeroUsize,
    /// By how many standard deviations that explanation fits less well; 0 if no data of these lengths could distinguish the two. Where only
    /// this LLM's width differs it is `z - z(rival_width)`.
    pub margin_z: f64,
    /// Share of random orders of this LLM's rows that fit as well to the other LLMs, over all widths. The other LLMs' widths are found without this
    /// LLM here, so the value is exact though widths were chosen; several arrangements of the others are tried where they do not settle it.
    pub p_value: f64,
    /// The p-value by Holm's method over all LLMs.
    pub adjusted_p_value: f64,
    /// Mean over the other LLMs of the row-weighted mean over tasks of the correlation with each, rows as published.
    pub mean_correlation_published: f64,
    /// The same, rows in the order found.
    pub mean_correlation_found: f64,
}

/// What the scores show about one task. NaN where there is nothing to compute it from (JSON has null).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskAudit {
    /// The task's name.
    pub name: String,
    /// Rows.
    pub n_rows: usize,
    /// LLMs whose scores vary in this task.
    pub n_models: usize,
    /// Mean over all pairs of these LLMs of the correlation within the task, rows as published.
    pub mean_correlation_published: f64,
    /// The same, rows in the order found. This task helped to find it.
    pub mean_correlation_found: f64,
    /// The same, rows in the order that is found from all other tasks. This task did not help; NaN if it is the only one.
    pub mean_correlation_held_out: f64,
    /// Share of random orders (each LLM's rows by themselves) in which the mean correlation is as large as published. Not adjusted.
    pub p_published: f64,
    /// The same for the order found from all other tasks. Not adjusted.
    pub p_held_out: f64,
    /// `p_held_out` by Holm's method over all tasks.
    pub adjusted_p_held_out: f64,
}

impl ModelAudit {
    /// The best width, if the scores say anything of it.
    ///
    /// It brings the LLMs of one part into one order. An ambiguous one is good for bringing the LLMs into one order, not for finding a row's number in the source.
    pub fn width(&self) -> Option<NonZeroUsize> {
        (self.finding != Finding::Undetermined).then_some(self.best_width)
    }
}
