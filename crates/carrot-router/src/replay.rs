//! What a log of decisions says about routing: what it cost against always taking each LLM, and how good it was, as far as anybody knows.

mod collect;
mod judge;

use decision_log::LogFiles;
use evaluation::worth::Estimate;
use serde::Serialize;

use self::collect::Collected;

/// Why a log cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be read.
    #[error(transparent)]
    Log(#[from] decision_log::Error),
    /// It holds probabilities that cannot be, or the level of confidence is none.
    #[error("cannot judge the log")]
    Evaluation(#[from] evaluation::Error),
}

/// What a log says. Predicted numbers are the router's own, and are called so; quality is known from feedback alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Replay {
    /// When the first request came, and the last.
    pub from: Option<String>,
    /// See `from`.
    pub to: Option<String>,
    /// Level of confidence of all intervals.
    pub level: f64,
    /// Numbers of requests.
    pub counts: ReplayCounts,
    /// What was predicted of the requests that were routed, at the LLM that each went to.
    pub routed: RoutedTotals,
    /// What was predicted of the same requests for each LLM.
    pub always: Vec<AlwaysTotals>,
    /// What was paid.
    pub paid: PaidTotals,
    /// Mean feedback for the answers of all LLMs, and of each. Each answered other requests, so they do not compare LLMs.
    pub feedback: Vec<AnswerFeedback>,
    /// What policies that were not followed would have earned; `None` where the log cannot say.
    pub off_policy: Option<OffPolicy>,
    /// What has to be known to read the numbers.
    pub notes: Vec<String>,
}

/// Numbers of requests in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReplayCounts {
    /// All.
    pub requests: usize,
    /// Those that routing sent somewhere, or would have.
    pub routed: usize,
    /// Those at which it only looked on.
    pub shadow: usize,
    /// Decisions that were asked for alone.
    pub decisions_alone: usize,
    /// Those that failed, or were refused.
    pub failed: usize,
    /// Changes of the upstream.
    pub fallbacks: usize,
    /// Those that chance chose the LLM of.
    pub explored: usize,
    /// Those whose answer came from an LLM that was chosen with a known probability.
    pub drawn: usize,
    /// Those with feedback.
    pub with_feedback: usize,
}

/// What was predicted of routed requests.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RoutedTotals {
    /// The mean predicted score; `None` where one is unknown.
    pub predicted_score: Option<f64>,
    /// The predicted cost of all in US dollars, with that of the decisions; `None` where one is unknown.
    pub predicted_usd: Option<f64>,
    /// The part of it that decisions cost.
    pub routing_usd: f64,
}

/// What was predicted of one LLM for all routed requests.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AlwaysTotals {
    /// The LLM.
    pub model: String,
    /// The share of routed requests that went to it.
    pub share: f64,
    /// For how many of them it was not eligible: always taking it was not possible.
    pub not_eligible: usize,
    /// The mean predicted score; `None` where one is unknown.
    pub predicted_score: Option<f64>,
    /// The predicted cost of all in US dollars; `None` where one is unknown.
    pub predicted_usd: Option<f64>,
    /// Which part of that routing saves, by predictions on both sides and less what decisions cost; below 0 where routing is dearer.
    pub saved: Option<f64>,
}

/// What was paid.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PaidTotals {
    /// Answers whose cost is known.
    pub answers: usize,
    /// What they cost in US dollars.
    pub usd: f64,
    /// The answers whose cost is estimated here, since the upstream reported no usage.
    pub estimated_answers: usize,
    /// And the part of the dollars that is.
    pub estimated_usd: f64,
    /// Routed answers whose cost is known and was predicted,
    pub compared_answers: usize,
    /// what they cost,
    pub compared_usd: f64,
    /// and what had been predicted.
    pub compared_predicted_usd: f64,
}

/// Feedback for answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AnswerFeedback {
    /// Whose answers; `None`: all.
    pub model: Option<String>,
    /// Their number.
    pub answers: usize,
    /// The mean score with its interval. Requests of one session count as one observation.
    pub score: Estimate,
}

/// What policies would have earned, by the requests whose LLM was drawn, see [`evaluation::worth::policy_values`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OffPolicy {
    /// Drawn requests with feedback, which judge quality.
    pub scored: usize,
    /// Drawn requests of known cost, which judge costs.
    pub paid: usize,
    /// First the router without exploration, then each LLM for everything.
    pub policies: Vec<PolicyRow>,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyRow {
    /// The LLM that it always takes; `None`: the router's choice.
    pub model: Option<String>,
    /// Requests with feedback on which it is known what this policy would have earned.
    pub known_scores: usize,
    /// As many of equal weight would say as much.
    pub effective_requests: f64,
    /// The mean score.
    pub score: Estimate,
    /// The mean cost of a request in US dollars.
    pub cost_usd: Estimate,
    /// By how much the router's mean score exceeds it.
    pub router_exceeds_score: Estimate,
    /// And by how much the router's mean cost does.
    pub router_exceeds_cost_usd: Estimate,
}

/// Reads a log, twice, and sums it up. Keeps some hundred bytes for each request that has feedback or was drawn, and none for the others.
///
/// # Errors
/// [`ReplayError`].
pub fn replay(files: &LogFiles, level: f64) -> Result<Replay, ReplayError> {
    let collected = Collected::read(files)?;
    let feedback = judge::feedback(&collected, level)?;
    let off_policy = judge::off_policy(&collected, level)?;
    Ok(collected.replay(level, feedback, off_policy))
}
