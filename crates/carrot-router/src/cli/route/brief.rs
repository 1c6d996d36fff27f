use carrot_router::Decision;
use serde::Serialize;

/// A decision without its reasons: what `--brief` leaves of it.
#[derive(Debug, Serialize)]
pub(super) struct Brief<'a> {
    pub(super) selected: &'a str,
    pub(super) selected_score: f32,
    pub(super) selected_cost_usd: f64,
    pub(super) mu: f64,
    pub(super) truncated: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) shards_missing: u32,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl<'a> Brief<'a> {
    pub(super) fn of(decision: &'a Decision) -> Self {
        let chosen = &decision.models[decision.selected_idx];
        Self {
            selected: &decision.selected,
            selected_score: chosen.score,
            selected_cost_usd: chosen.cost_usd,
            mu: decision.mu,
            truncated: decision.truncated,
            shards_missing: decision.shards_missing,
        }
    }

    /// A line for people.
    pub(super) fn line(&self) -> String {
        let cut = match self.truncated {
            true => "  (truncated: only a part of the prompt was used)",
            false => "",
        };
        let missing = match self.shards_missing {
            0 => String::new(),
            n => format!("  (shards missing: {n})"),
        };
        format!(
            "{}  score {:.4}  cost ${:.8}{cut}{missing}\n",
            self.selected, self.selected_score, self.selected_cost_usd
        )
    }
}
