use embeddings::{Plan, Usage};
use serde::Serialize;

/// What embedding a data set took, or would take.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct EmbeddingReport {
    /// The folder under `data/<dataset>/embeddings/`.
    pub(super) embedder: String,
    pub(super) parts: Vec<PartReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PartReport {
    pub(super) part: &'static str,
    /// `None` where the embeddings existed already.
    pub(super) plan: Option<Plan>,
    /// `None` where nothing was requested.
    pub(super) usage: Option<Usage>,
}

impl EmbeddingReport {
    /// The name of the embeddings for train-and-infer.
    pub(crate) fn embedder(&self) -> &str {
        &self.embedder
    }

    /// A line per part.
    pub(crate) fn text(&self) -> String {
        let line = |part: &PartReport| {
            let Some(plan) = &part.plan else {
                return format!("{}: already embedded", part.part);
            };
            let (verb, n_tokens, n_requests, usd) = match &part.usage {
                None => ("would send", plan.n_tokens, plan.n_requests, plan.usd),
                Some(usage) => ("sent", usage.n_tokens, usage.n_requests, usage.usd),
            };
            let usd = usd.map_or("at an unknown price".to_owned(), |usd| format!("${usd:.4}"));
            let mut text = format!(
                "{}: {} prompts, {} different, {} in the store; {verb} {n_tokens} tokens in {n_requests} requests, {usd}",
                part.part, plan.n_texts, plan.n_distinct, plan.n_cached
            );
            for (n, what) in [
                (plan.n_truncated, "truncated"),
                (plan.n_empty, "empty, sent as a single space"),
                (
                    part.usage.map_or(0, |usage| usage.n_shortened),
                    "cut once more, as the server counts more tokens",
                ),
            ] {
                if n > 0 {
                    text.push_str(&format!("; {n} {what}"));
                }
            }
            text
        };
        let lines: Vec<String> = self.parts.iter().map(line).collect();
        format!(
            "embeddings of {}\n  {}\n",
            self.embedder,
            lines.join("\n  ")
        )
    }
}
