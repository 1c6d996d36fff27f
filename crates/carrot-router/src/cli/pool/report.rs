use std::path::Path;

use saved_routers::{AddedGain, AddedModel, BlendCandidate, EditedPool, RuleChange, RuleOutcome};
use serde::Serialize;

/// What was changed, as text or JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PoolReport<'a> {
    folder: &'a Path,
    models: Vec<&'a str>,
    added: &'a [AddedModel],
    /// What routing gains by what was added, where that could be measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    added_gain: Option<&'a AddedGain>,
    /// Of a blend.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a RuleChange>,
}

impl<'a> PoolReport<'a> {
    pub(super) fn of(edited: &'a EditedPool, folder: &'a Path) -> Self {
        let models = edited.record().models.iter();
        Self {
            folder,
            models: models.map(|model| model.name.as_str()).collect(),
            added: edited.added(),
            added_gain: edited.added_gain(),
            rule: edited.rule(),
        }
    }

    pub(super) fn table(&self) -> String {
        let shown = |value: Option<f64>| {
            value.map_or_else(|| "unknown".to_owned(), |it| format!("{it:.4}"))
        };
        let mut text = String::new();
        for added in self.added {
            text += &format!(
                "added `{}`: scored on {} train prompts, {:.1} of a prompt's {} neighbors; from these, held-out R2 {}, mean absolute error {}\n",
                added.name,
                added.n_scored,
                added.n_known_neighbors,
                added.n_neighbors,
                shown(added.r2),
                shown(added.mae)
            );
        }
        if !self.added.is_empty() {
            text += &added_gain(self.added_gain);
        }
        if let Some(rule) = self.rule {
            text += &format!(
                "before: {}\nafter:  {}\n",
                outcome(&rule.before),
                outcome(&rule.after)
            );
            text += &format!("kept from the fit: {}\n", kept(rule.after.candidate));
        }
        let folder = self.folder.display();
        text += &format!(
            "{} LLMs: {}\n{folder}\nnext: cargo run -p carrot-router -- route \"Why?\" --model {folder} --mu 0.3\n",
            self.models.len(),
            self.models.join(", "),
        );
        text
    }
}

/// What routing gains by the added LLMs.
fn added_gain(gain: Option<&AddedGain>) -> String {
    let Some(gain) = gain else {
        return "whether routing is better with what was added cannot be measured: no train prompt with a score of it has known costs\n".to_owned();
    };
    let error = gain
        .standard_error
        .map_or_else(|| "unknown".to_owned(), |it| format!("{it:.4}"));
    format!(
        "routing with what was added gains {:+.4} (standard error {error}) over routing without it, on {} held-out train prompts that have a score of \
         it; {:.0}% of choices fall on it\n",
        gain.gain,
        gain.n_prompts,
        100.0 * gain.share
    )
}

/// What a change of the LLMs does not choose again.
fn kept(candidate: BlendCandidate) -> String {
    let candidate = match candidate {
        BlendCandidate::LeastError => "the hyperparameters of least error",
        BlendCandidate::Smoothest => "the smoothest hyperparameters",
    };
    format!(
        "{candidate}, their weights, landmarks and clusters; whether the blend's other candidate would route better among these LLMs only a new fit tells, as it takes \
         every candidate of every learner"
    )
}

/// Whether a blend routes, and by what that was decided.
fn outcome(outcome: &RuleOutcome) -> String {
    let gain = |gain: Option<f64>, error: Option<f64>| match (gain, error) {
        (Some(gain), Some(error)) => format!("gains {gain:+.4} (standard error {error:.4})"),
        (Some(gain), None) => format!("gains {gain:+.4} (standard error unknown)"),
        (None, _) => "has an unknown gain".to_owned(),
    };
    let scale = outcome.scale;
    let held_back = match &outcome.held_back[..] {
        [] => String::new(),
        names => format!(
            "; never chooses {}, whose few scores do not show that choosing among all LLMs is better",
            names.join(", ")
        ),
    };
    let decision = match &outcome.best_tried {
        _ if outcome.routes() => format!(
            "routes; differences between LLMs times {scale}, which {} over the best single LLM",
            gain(outcome.gain, outcome.standard_error)
        ),
        Some(best) => format!(
            "does not route; the best factor of differences between LLMs, {}, {} over the best single LLM",
            best.scale,
            gain(best.gain, best.standard_error)
        ),
        None => "does not route; there are too few prompts to tell whether it would be worth it"
            .to_owned(),
    };
    decision + &held_back
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_in_words() {
        let tried = |scale, gain| {
            serde_json::from_value(serde_json::json!({
                "scale": scale, "gain": gain, "standard-error": 0.002,
            }))
            .expect("a gain")
        };
        for (scale, best_tried, expected) in [
            (
                0.75,
                Some(tried(0.75, 0.0123)),
                "routes; differences between LLMs times 0.75, which gains +0.0123 (standard error 0.0020) over the best single LLM",
            ),
            (
                0.0,
                Some(tried(0.5, -0.001)),
                "does not route; the best factor of differences between LLMs, 0.5, gains -0.0010 (standard error 0.0020) over the best single LLM",
            ),
            (0.0, None, "does not route; there are too few prompts"),
        ] {
            let found = outcome(&RuleOutcome {
                candidate: BlendCandidate::LeastError,
                scale,
                held_back: vec!["x".to_owned()],
                gain: Some(0.0123),
                standard_error: Some(0.002),
                best_tried,
            });
            assert!(found.starts_with(expected), "{found}");
            assert!(found.contains("; never chooses x, whose few"), "{found}");
        }
    }
}
