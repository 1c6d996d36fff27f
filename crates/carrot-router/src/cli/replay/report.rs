use std::fmt::Write as _;

use carrot_router::Replay;
use evaluation::worth::Estimate;

/// How wide the column of names may be.
const LONGEST_NAME: usize = 40;

/// A log as text.
pub(super) fn text(it: &Replay) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        writeln!(text, "{}", line.trim_end()).expect("a String can be written to");
    };
    counts(it).into_iter().for_each(&mut line);
    let level = 100.0 * it.level;
    if it.counts.routed > 0 {
        line(String::new());
        line(format!(
            "predicted by the router, over the {} routed requests:",
            it.counts.routed
        ));
        predicted(it).into_iter().for_each(&mut line);
    }
    if !it.feedback.is_empty() {
        line(String::new());
        line(format!(
            "feedback for answers, {level}% interval; each LLM answered other requests, so this does not compare them:"
        ));
        feedback(it).into_iter().for_each(&mut line);
    }
    if let Some(off_policy) = &it.off_policy {
        line(String::new());
        line(format!(
            "judged off-policy, {level}% interval: quality by {} drawn requests with feedback, cost by {} that were paid for (doubly robust):",
            off_policy.scored, off_policy.paid
        ));
        policies(it).into_iter().for_each(&mut line);
    }
    line(String::new());
    it.notes.iter().for_each(|note| line(format!("- {note}")));
    text
}

fn counts(it: &Replay) -> Vec<String> {
    let counts = &it.counts;
    let (Some(from), Some(to)) = (&it.from, &it.to) else {
        return vec!["no request is in the log".to_owned()];
    };
    let some = |n: usize, what: &str| (n > 0).then(|| format!("{n} {what}"));
    let parts = [
        some(counts.routed, "routed"),
        some(counts.shadow, "in the shadow"),
        some(counts.decisions_alone, "decisions alone"),
        some(counts.failed, "failed or refused"),
        some(counts.fallbacks, "fall-backs"),
        some(counts.explored, "drawn to explore"),
        some(counts.with_feedback, "with feedback"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let mut lines = vec![format!(
        "{} requests from {from} to {to}: {}",
        counts.requests,
        parts.join(", ")
    )];
    let paid = &it.paid;
    if paid.answers > 0 {
        let estimated = match paid.estimated_answers {
            0 => String::new(),
            n => format!(
                ", {} of it estimated, for the {n} whose upstream reported no usage",
                usd(paid.estimated_usd)
            ),
        };
        lines.push(format!(
            "paid {} for {} answers{estimated}",
            usd(paid.usd),
            paid.answers
        ));
    }
    if paid.compared_answers > 0 {
        let ratio = paid.compared_usd / paid.compared_predicted_usd;
        let times = match ratio.is_finite() {
            true => format!(", {ratio:.2} times as much"),
            false => String::new(),
        };
        lines.push(format!(
            "for {} routed answers {} was predicted and {} paid{times}",
            paid.compared_answers,
            usd(paid.compared_predicted_usd),
            usd(paid.compared_usd)
        ));
    }
    lines
}

fn predicted(it: &Replay) -> Vec<String> {
    let mut rows = vec![
        ["", "share", "score", "total cost", "routing saves"].map(str::to_owned),
        [
            "routed".to_owned(),
            String::new(),
            score(it.routed.predicted_score),
            it.routed.predicted_usd.map_or_else(unknown, usd),
            String::new(),
        ],
    ];
    for always in &it.always {
        rows.push([
            format!("always {}", always.model),
            format!("{:.1}%", 100.0 * always.share),
            score(always.predicted_score),
            always.predicted_usd.map_or_else(unknown, usd),
            (always.saved).map_or_else(unknown, |saved| format!("{:.1}%", 100.0 * saved)),
        ]);
    }
    let mut lines = table(&rows);
    if it.routed.routing_usd > 0.0 {
        lines.push(format!(
            "the decisions themselves cost {}, which is in what was routed",
            usd(it.routed.routing_usd)
        ));
    }
    lines
}

fn feedback(it: &Replay) -> Vec<String> {
    let mut rows = vec![["", "answers", "mean", "interval"].map(str::to_owned)];
    for of in &it.feedback {
        rows.push([
            of.model.clone().unwrap_or_else(|| "all".to_owned()),
            of.answers.to_string(),
            number(of.score.value),
            interval(&of.score, number),
        ]);
    }
    table(&rows)
}

fn policies(it: &Replay) -> Vec<String> {
    let mut rows = vec![
        [
            "",
            "effective",
            "quality",
            "interval",
            "$ per 1,000",
            "interval",
            "router better by",
            "interval",
            "router dearer by",
            "interval",
        ]
        .map(str::to_owned),
    ];
    for row in it.off_policy.iter().flat_map(|it| &it.policies) {
        let per_1k = |dollars: f64| number(1e3 * dollars);
        let other = |of: &Estimate, shown: &dyn Fn(f64) -> String| match row.model {
            Some(_) => [shown(of.value), interval(of, shown)],
            None => [String::new(), String::new()],
        };
        let [better, better_interval] = other(&row.router_exceeds_score, &number);
        let [dearer, dearer_interval] = other(&row.router_exceeds_cost_usd, &per_1k);
        rows.push([
            match &row.model {
                Some(model) => format!("always {model}"),
                None => "the router alone".to_owned(),
            },
            format!("{:.0}", row.effective_requests),
            number(row.score.value),
            interval(&row.score, number),
            per_1k(row.cost_usd.value),
            interval(&row.cost_usd, per_1k),
            better,
            better_interval,
            dearer,
            dearer_interval,
        ]);
    }
    table(&rows)
}

/// Columns side by side: the first to the left, the others to the right.
fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| {
        let lengths = rows.iter().map(|row| row[column].chars().count());
        lengths.max().unwrap_or(0).min(LONGEST_NAME)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    rows.iter()
        .map(|row| {
            let mut line = format!("{:<width$}", row[0], width = widths[0]);
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                write!(line, "  {cell:>width$}").expect("a String can be written to");
            }
            line
        })
        .collect()
}

fn interval(of: &Estimate, shown: impl Fn(f64) -> String) -> String {
    match of.low.is_nan() {
        true => unknown(),
        false => format!("{} to {}", shown(of.low), shown(of.high)),
    }
}

fn score(score: Option<f64>) -> String {
    score.map_or_else(unknown, number)
}

fn number(number: f64) -> String {
    match number.is_nan() {
        true => unknown(),
        false => format!("{number:.3}"),
    }
}

/// Dollars with at least three digits that count.
fn usd(dollars: f64) -> String {
    let n_decimals = match dollars.abs() {
        0.0 => 2,
        below if below < 1.0 => (2 - below.log10().floor() as i32).clamp(2, 9) as usize,
        _ => 2,
    };
    format!("${dollars:.n_decimals$}")
}

fn unknown() -> String {
    "unknown".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_keep_their_digits() {
        for (dollars, expected) in [
            (0.0, "$0.00"),
            (1234.567, "$1234.57"),
            (0.25, "$0.250"),
            (0.001_234, "$0.00123"),
            (1e-12, "$0.000000000"),
        ] {
            assert_eq!(usd(dollars), expected);
        }
    }
}
