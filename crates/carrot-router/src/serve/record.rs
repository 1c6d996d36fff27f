//! The decision log's lines, as a request fills them in. Their format, writer and reader are the crate `decision-log`'s, which gen-custom reads
//! them by, too.

pub(crate) use decision_log::{
    AmountSource, DecisionLine, FallBack, ModelLine, Outcome, Usage, known, new_decision_id,
    prompt_sha256,
};

use crate::Decision;

/// What a decision predicted of each LLM. `is_eligible` and `propensities` have an entry per LLM, in the decision's order; there are no
/// propensities where exploration was not open to the request.
///
/// # Panics
/// When one of them has fewer entries than there are LLMs.
pub(crate) fn model_lines(
    decision: &Decision,
    is_eligible: &[bool],
    propensities: Option<&[f64]>,
) -> Vec<ModelLine> {
    let line = |(model_idx, model): (usize, &crate::decision::Candidate)| ModelLine {
        name: model.name.clone(),
        score: known(f64::from(model.score)),
        cost_usd: known(model.cost_usd),
        input_tokens: Some(model.input_tokens as u64),
        output_tokens: model.output_tokens.and_then(|n| known(f64::from(n))),
        utility: known(model.utility),
        eligible: is_eligible[model_idx],
        propensity: propensities.map(|all| all[model_idx]),
    };
    decision.models.iter().enumerate().map(line).collect()
}

/// Notes a decision in a request's line: its weight of cost, what was predicted, and which LLM the rule alone would choose.
pub(crate) fn note_decision(
    line: &mut DecisionLine,
    decision: &Decision,
    is_eligible: &[bool],
    best_idx: usize,
    propensities: Option<&[f64]>,
) {
    line.mu = Some(decision.mu);
    line.truncated = decision.truncated;
    line.best = Some(decision.models[best_idx].name.clone());
    line.models = model_lines(decision, is_eligible, propensities);
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::decision::{Candidate, TokenSource};

    #[test]
    fn a_line_has_every_prediction_and_no_prompt() {
        let candidate = |name: &str, score, cost_usd| Candidate {
            name: name.to_owned(),
            score,
            input_tokens: 7,
            input_tokens_from: TokenSource::StandIn,
            output_tokens: Some(12.5),
            cost_usd,
            utility: 0.25,
        };
        let decision = Decision {
            prompt: "a secret".to_owned(),
            selected: "a".to_owned(),
            selected_idx: 0,
            mu: 0.5,
            truncated: true,
            routes: true,
            shards_missing: 0,
            sketch: None,
            models: vec![
                candidate("a", 0.5, 0.01),
                candidate("b", f32::NAN, f64::NAN),
            ],
        };
        let mut line = DecisionLine::begin("dec_1".to_owned(), UNIX_EPOCH, "/x", "carrot");
        note_decision(&mut line, &decision, &[true, false], 0, Some(&[1.0, 0.0]));
        assert_eq!(line.models[0].output_tokens, Some(12.5));
        assert_eq!(
            [line.models[1].score, line.models[1].cost_usd],
            [None, None]
        );
        assert_eq!(line.models[1].propensity, Some(0.0));
        assert!(line.models[0].eligible && !line.models[1].eligible);
        assert_eq!((line.mu, line.best.as_deref()), (Some(0.5), Some("a")));
        assert!(line.truncated);
        let text = serde_json::to_string(&line).expect("JSON");
        assert!(!text.contains("secret"), "{text}");
    }
}
