use carrot_router::{COST_MULTIPLIER, Decision};

/// The longest part of a prompt that is shown, in characters.
const SHOWN: usize = 100;

/// A decision as text: the chosen LLM, then all of them, the best first.
pub(super) fn of(decision: &Decision) -> String {
    let models = &decision.models;
    let width = models.iter().map(|model| model.name.chars().count());
    let width = width.max().unwrap_or(0);
    let mut order: Vec<usize> = (0..models.len()).collect();
    // A stable sort keeps the chosen LLM before others of equal utility. Unknown utilities come last.
    let key = |&idx: &usize| match models[idx].utility {
        utility if utility.is_nan() => f64::INFINITY,
        utility => -utility,
    };
    order.sort_by(|a, b| key(a).total_cmp(&key(b)));
    let cut = match decision.truncated {
        true => "  (truncated: only a part of it was used)",
        false => "",
    };
    let missing = match decision.shards_missing {
        0 => String::new(),
        n => format!("  (shards of the index missing: {n})"),
    };
    let mut text = format!(
        "{}  at mu {}{missing}\n  for: {}{cut}\n  {:<width$}  {:>6}  {:>12}  {:>13}  {:>11}  {:>9}\n",
        decision.selected,
        decision.mu,
        shorten(&decision.prompt),
        "LLM",
        "score",
        "input tokens",
        "output tokens",
        "cost, $",
        "utility"
    );
    for idx in order {
        let model = &models[idx];
        let mark = if idx == decision.selected_idx {
            '*'
        } else {
            ' '
        };
        let output_tokens = model
            .output_tokens
            .map_or_else(|| "-".to_owned(), |tokens| format!("{tokens:.1}"));
        text += &format!(
            "{mark} {:<width$}  {:>6.4}  {:>12}  {output_tokens:>13}  {:>11.8}  {:>9.5}\n",
            model.name, model.score, model.input_tokens, model.cost_usd, model.utility
        );
    }
    text + "\n"
}

/// What the columns mean, printed once below all tables.
pub(super) fn legend(predictor: &str, token_counter: &str) -> String {
    format!(
        "* has the highest utility = (1 - mu) * score - mu * {COST_MULTIPLIER} * cost; ties go to the first in the router's order.\n\
         Predicted by {predictor}.\n\
         Input tokens are what the request gives, or else counted by {token_counter}."
    )
}

/// A prompt on one line.
fn shorten(prompt: &str) -> String {
    let line = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} ...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_shown_on_a_short_line() {
        assert_eq!(shorten("a\n\n  b\tc"), "a b c");
        let long = "\u{e9}".repeat(SHOWN + 1);
        assert_eq!(shorten(&long), format!("{} ...", "\u{e9}".repeat(SHOWN)));
        assert_eq!(shorten(&long[..2 * SHOWN]), &long[..2 * SHOWN]);
    }
}
