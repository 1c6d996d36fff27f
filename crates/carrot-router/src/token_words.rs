//! How input tokens are known, in words.

use saved_routers::{TokenLine, TokenLines};

/// Of a router whose embeddings a server computes.
pub(crate) const NO_LINES_OF_SERVER: &str = "of the prompt's text alone, since no line to what is billed can be fitted on a server's embeddings: give each \
                                             request's input tokens where a system prompt or a history is billed";

/// A whole number with separators: `1,530`.
pub(crate) fn grouped(n: f64) -> String {
    let digits = format!("{:.0}", n.max(0.0));
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Of LLMs whose tokens are expected by lines; `stand_in` names what counts.
pub(crate) fn of_lines(lines: &TokenLines, stand_in: &str) -> String {
    let all = lines.lines.values();
    let range = |of: fn(&TokenLine) -> f64, shown: fn(f64) -> String| {
        let least = all.clone().map(of).fold(f64::INFINITY, f64::min);
        let most = all.clone().map(of).fold(f64::NEG_INFINITY, f64::max);
        match (shown(least), shown(most)) {
            (least, most) if least == most => least,
            (least, most) => format!("{least} to {most}"),
        }
    };
    format!(
        "{stand_in}, and turned into what each LLM billed on the train prompts: {} tokens and {} for each counted one (R2 {})",
        range(|line| line.intercept, grouped),
        range(|line| line.slope, |slope| format!("{slope:.2}")),
        range(|line| line.r2, |r2| format!("{r2:.2}")),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use saved_routers::TokenRange;

    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, expected) in [
            (0.0, "0"),
            (999.4, "999"),
            (1529.7, "1,530"),
            (1e6, "1,000,000"),
        ] {
            assert_eq!(grouped(n), expected);
        }
    }

    #[test]
    fn lines_have_words() {
        let line = |intercept, slope, r2| TokenLine {
            intercept,
            slope,
            r2,
            n_prompts: 20,
        };
        let lines = TokenLines {
            counted: TokenRange::of([1.0]).expect("one"),
            lines: BTreeMap::from([
                ("a".to_owned(), line(1500.2, 1.0, 0.98)),
                ("b".to_owned(), line(1512.0, 1.25, 0.98)),
            ]),
        };
        let words = of_lines(&lines, "a tokenizer");
        assert_eq!(
            words,
            "a tokenizer, and turned into what each LLM billed on the train prompts: 1,500 to 1,512 tokens and 1.00 to 1.25 for each counted one (R2 0.98)"
        );
    }
}
