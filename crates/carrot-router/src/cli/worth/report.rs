use std::fmt::Write as _;

use dataset::{WorthEstimate, WorthEvidence, WorthPoint, WorthRecord, WorthTrade, WorthVerdict};

/// The answer and what it rests on, as text. Gains are in points of accuracy: hundredths of a score.
pub(super) fn text(record: &WorthRecord) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("a String can be written to");
    let it = record;
    let level = 100.0 * it.settings.level;
    line(format!(
        "{} on {}: {}",
        it.router,
        it.dataset,
        heading(it.verdict)
    ));
    line(it.sentence.clone());
    line(String::new());
    line(counts(it));
    line(format!(
        "mean gain    {}, {level}% interval; p {} for a gain, {} for a loss",
        points(&it.gain),
        p_value(it.p_gain),
        p_value(it.p_loss)
    ));
    if let Some(evidence) = &it.evidence {
        line(format!(
            "evidence     {}",
            support(evidence, it.counts.n_judged)
        ));
    }
    let is_established = it.verdict == WorthVerdict::WorthIt;
    if is_established {
        trades(it).into_iter().for_each(&mut line);
    }
    if let Some(needed) = &it.prompts_needed {
        let is_complete = it.evidence.is_none();
        line(format!(
            "to tell      {}",
            prompts_needed(needed, is_complete)
        ));
    }
    if let Some(fits) = fits(it) {
        line(format!("fits         {fits}"));
    }
    if let Some(null) = &it.null {
        for (gains, of) in [
            (&null.over_all, "over all rows"),
            (&null.within_tasks, "within tasks"),
        ] {
            let largest = gains
                .gains
                .iter()
                .copied()
                .fold(f64::NEG_INFINITY, f64::max);
            line(format!(
                "null         of {} permutations {of} the largest gain is {:+.2} points; p {}",
                gains.gains.len(),
                100.0 * largest,
                p_value(gains.p)
            ));
        }
    }
    line(String::new());
    curve(it).into_iter().for_each(&mut line);
    line(String::new());
    tasks(it).into_iter().for_each(&mut line);
    let not_established = if is_established {
        Vec::new()
    } else {
        trades(it)
    };
    if !not_established.is_empty() {
        line(String::new());
        line("not established, as routing is not known to be worth it:".to_owned());
        not_established.into_iter().for_each(&mut line);
    }
    if !it.notes.is_empty() {
        line(String::new());
        it.notes.iter().for_each(|note| line(format!("- {note}")));
    }
    text
}

fn heading(verdict: WorthVerdict) -> &'static str {
    match verdict {
        WorthVerdict::WorthIt => "worth it",
        WorthVerdict::NotWorthIt => "not worth it",
        WorthVerdict::CannotTell => "cannot tell",
    }
}

fn counts(it: &WorthRecord) -> String {
    let counts = &it.counts;
    format!(
        "{} prompts, of which {} were judged; {} LLMs, {:.1}% of the scores known; {} prompts have the text of an earlier one",
        counts.n_prompts,
        counts.n_judged,
        counts.n_models,
        // Rounded down, so that a single unknown score shows.
        (1000.0 * counts.known_scores).floor() / 10.0,
        counts.n_equal_prompts
    )
}

/// What the gain is an average of, and how much there is of it.
fn support(evidence: &WorthEvidence, n_judged: usize) -> String {
    format!(
        "{}: choices known as if by {:.0} of {n_judged} prompts, {:.1}% with a propensity below .01; by known scores alone {}",
        evidence.method(),
        evidence.effective_prompts,
        100.0 * evidence.low_propensity_share,
        points(&evidence.self_normalized)
    )
}

fn prompts_needed(needed: &dataset::PromptsNeeded, is_complete: bool) -> String {
    let gain = format!("a gain of {:.2} points", 100.0 * needed.at_least);
    match needed.n_prompts {
        Some(n) => format!(
            "{gain} takes about {n} prompts like these, scored {}, to be found with a probability of {:.0}%",
            if is_complete {
                "by every LLM"
            } else {
                "as these are"
            },
            100.0 * needed.power
        ),
        None => format!("{gain}: how many prompts it takes is unknown, as the gain does not vary"),
    }
}

/// What is saved at about equal accuracy, and gained at about equal cost, each beside what was to stay.
fn trades(it: &WorthRecord) -> Vec<String> {
    let reference = |trade: &WorthTrade| match &trade.reference {
        Some(model) => format!("`{model}`"),
        None => "the best single LLM of each fold".to_owned(),
    };
    let savings = it.equal_quality.as_ref().map(|trade| {
        if trade.reference_usd_per_1k == 0.0 {
            return format!("savings      none: {} costs nothing", reference(trade));
        }
        format!(
            "savings      {} of the cost of {} at about equal accuracy, which changes by {}: ${:.3} instead of ${:.3} per 1,000 prompts",
            percent(&trade.saving),
            reference(trade),
            points(&trade.score_gain),
            trade.usd_per_1k,
            trade.reference_usd_per_1k
        )
    });
    let accuracy = it.equal_cost.as_ref().map(|trade| {
        let saved = match trade.reference_usd_per_1k {
            0.0 => ", which is nothing".to_owned(),
            _ => format!(", of which {} are saved", percent(&trade.saving)),
        };
        format!(
            "accuracy     {} beside {} at about equal cost{saved}: {:.1}% right instead of {:.1}%",
            points(&trade.score_gain),
            reference(trade),
            100.0 * trade.score,
            100.0 * trade.reference_score
        )
    });
    savings.into_iter().chain(accuracy).collect()
}

/// How many fits decided not to route; `None` for routers that do not decide.
fn fits(it: &WorthRecord) -> Option<String> {
    let n = it.fits.len();
    let n_idle = it.fits.iter().filter(|fit| fit.g == 0.0).count();
    let gs: Vec<String> = it.fits.iter().map(|fit| fit.g.to_string()).collect();
    (n > 0).then(|| {
        format!(
            "{n_idle} of {n} decided not to route (factors on the differences: {})",
            gs.join(", ")
        )
    })
}

/// The named worths and every sixth one: a table of 25 lines is for `--json`.
fn curve(it: &WorthRecord) -> Vec<String> {
    let last = it.curve.len().saturating_sub(1);
    let is_shown = |(i, point): &(usize, &WorthPoint)| {
        point.name.is_some() || i.is_multiple_of(6) || *i == last
    };
    let shown = it.curve.iter().enumerate().filter(is_shown);
    let shown: Vec<&WorthPoint> = shown.map(|(_, point)| point).collect();
    let names = shown.iter().map(|it| it.best_single.chars().count());
    let width = names.max().unwrap_or(0).max(11);
    let level = format!("{}% interval", 100.0 * it.settings.level);
    let row = |cells: [&str; 8]| {
        let [name, worth, single, moved, gain, interval, band, usd] = cells;
        format!(
            "{name:<6}  {worth:>13}  {single:<width$}  {moved:>5}  {gain:>7}  {interval:>16}  {band:>16}  {usd}"
        )
    };
    let mut lines = vec![
        row([
            "",
            "a whole score",
            "best single",
            "",
            "gain,",
            &level,
            "band for the",
            "gain, dollars per",
        ]),
        row([
            "",
            "is worth",
            "LLM",
            "moved",
            "points",
            "",
            "whole curve",
            "1,000 prompts",
        ]),
    ];
    lines.extend(shown.into_iter().map(|point| {
        let band = WorthEstimate {
            low: point.band_low,
            high: point.band_high,
            ..point.gain
        };
        row([
            point.name.as_deref().unwrap_or_default(),
            &worth(point.worth_usd),
            &point.best_single,
            &shown_number(100.0 * point.moved_share, |it| format!("{it:.0}%")),
            &shown_number(100.0 * point.gain.estimate, |it| format!("{it:+.2}")),
            &ends(&point.gain),
            &ends(&band),
            &dollars(&point.usd_per_1k),
        ])
    }));
    lines
}

/// An estimate with both ends, in dollars.
fn dollars(estimate: &WorthEstimate) -> String {
    let number = |value: f64| format!("{value:+.3}");
    if estimate.estimate.is_nan() {
        return "unknown".to_owned();
    }
    format!(
        "{} [{}, {}]",
        number(estimate.estimate),
        number(estimate.low),
        number(estimate.high)
    )
}

fn tasks(it: &WorthRecord) -> Vec<String> {
    let what = "task";
    let names = it.tasks.iter().map(|it| it.task.chars().count());
    let width = names
        .max()
        .unwrap_or(0)
        .clamp(what.chars().count().max(4), 40);
    let mut lines = vec![format!(
        "{what:<width$}  {:>7}  {:>7}  {:>16}",
        "prompts", "gain", "interval"
    )];
    // Best first; unknown ones last.
    let mut tasks: Vec<_> = it.tasks.iter().collect();
    let key = |gain: f64| {
        if gain.is_nan() {
            f64::NEG_INFINITY
        } else {
            gain
        }
    };
    tasks.sort_by(|a, b| key(b.gain.estimate).total_cmp(&key(a.gain.estimate)));
    lines.extend(tasks.iter().map(|task| {
        format!(
            "{:<width$}  {:>7}  {:>7}  {:>16}",
            task.task,
            task.n_prompts,
            shown_number(100.0 * task.gain.estimate, |it| format!("{it:+.2}")),
            ends(&task.gain)
        )
    }));
    lines
}

/// Both ends, in points.
fn ends(estimate: &WorthEstimate) -> String {
    let end = |value: f64| shown_number(100.0 * value, |it| format!("{it:+.2}"));
    format!("{} to {}", end(estimate.low), end(estimate.high))
}

/// An estimate with both ends, in points.
fn points(estimate: &WorthEstimate) -> String {
    let number = |value: f64| shown_number(100.0 * value, |it| format!("{it:+.2}"));
    format!(
        "{} points [{}, {}]",
        number(estimate.estimate),
        number(estimate.low),
        number(estimate.high)
    )
}

/// A share with both ends, in percent.
fn percent(estimate: &WorthEstimate) -> String {
    if estimate.estimate.is_nan() {
        return "an unknown share".to_owned();
    }
    let number = |value: f64| shown_number(100.0 * value, |it| format!("{it:.1}"));
    format!(
        "{}% [{}, {}]",
        number(estimate.estimate),
        number(estimate.low),
        number(estimate.high)
    )
}

fn shown_number(value: f64, shown: impl Fn(f64) -> String) -> String {
    if value.is_nan() {
        "unknown".to_owned()
    } else {
        shown(value)
    }
}

fn p_value(p: f64) -> String {
    shown_number(p, |p| {
        if p < 0.001 {
            format!("{p:.1e}")
        } else {
            format!("{p:.3}")
        }
    })
}

fn worth(usd: f64) -> String {
    if usd.is_infinite() {
        return "any".to_owned();
    }
    carrot_router::shown_usd(usd)
}

#[cfg(test)]
mod tests {
    use dataset::{NullGains, PartHashes, WorthNull};
    use test_support::worth_record;

    use super::*;

    fn record() -> WorthRecord {
        let parts = PartHashes {
            train: "a".to_owned(),
            test: "b".to_owned(),
        };
        worth_record("mine", parts)
    }

    const SAVINGS: &str = "savings      31.0% [30.0, 32.0] of the cost of `owner/dear` at about equal accuracy, which changes by +0.10 points \
                           [-0.90, +1.10]: $1.380 instead of $2.000 per 1,000 prompts";

    #[track_caller]
    fn assert_lines(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(
                text.lines().any(|found| found.trim_end() == *line),
                "no `{line}` in:\n{text}"
            );
        }
    }

    #[test]
    fn the_answer_comes_first_and_numbers_have_units() {
        let text = text(&record());
        assert!(
            text.starts_with("carrot-blend on mine: worth it\nRoute: "),
            "{text}"
        );
        assert_lines(
            &text,
            &[
                "1000 prompts, of which 1000 were judged; 2 LLMs, 100.0% of the scores known; 4 prompts have the text of an earlier one",
                "mean gain    +2.00 points [+1.00, +3.00], 95% interval; p 1.0e-4 for a gain, 1.000 for a loss",
                SAVINGS,
                "accuracy     +1.50 points [+0.50, +2.50] beside `owner/dear` at about equal cost, of which 2.0% [1.0, 3.0] are saved: 71.5% right \
                 instead of 70.0%",
                "to tell      a gain of 1.00 points takes about 2400 prompts like these, scored by every LLM, to be found with a probability of 80%",
                "fits         1 of 5 decided not to route (factors on the differences: 0.75, 0.75, 0, 0.75, 0.75)",
                "             $0.00200  cheap          25%    +1.70    +0.70 to +2.70    +0.20 to +3.20  +0.034 [+0.014, +0.054]",
                "low          $0.00484  cheap          25%    +1.80    +0.80 to +2.80    +0.30 to +3.30  +0.087 [+0.039, +0.135]",
                "mathematics      600    +3.00    +2.00 to +4.00",
            ],
        );
        let before = |a: &str, b: &str| text.find(a) < text.find(b);
        assert!(before("mathematics", "writing"), "best first: {text}");
        assert!(!text.contains("not established"), "{text}");
    }

    #[test]
    fn savings_are_no_headline_where_routing_is_not_worth_it() {
        for verdict in [WorthVerdict::NotWorthIt, WorthVerdict::CannotTell] {
            let mut record = record();
            record.verdict = verdict;
            let mut trade = record.equal_quality.clone().expect("a trade");
            trade.reference = None;
            record.equal_quality = Some(trade);
            let text = text(&record);
            let place = |part: &str| {
                text.find(part)
                    .unwrap_or_else(|| panic!("no {part} in {text}"))
            };
            // After all tables, and named as what it is.
            assert!(place("writing") < place("not established"), "{text}");
            assert!(place("not established") < place("savings  "), "{text}");
            let each = SAVINGS.replace("`owner/dear`", "the best single LLM of each fold");
            assert_lines(&text, &[&each]);
        }
    }

    #[test]
    fn beside_an_llm_that_costs_nothing_no_share_is_saved() {
        let mut record = record();
        let trades = [&mut record.equal_quality, &mut record.equal_cost];
        for trade in trades.into_iter().flatten() {
            trade.reference_usd_per_1k = 0.0;
            trade.saving = WorthEstimate::UNKNOWN;
        }
        assert_lines(
            &text(&record),
            &[
                "savings      none: `owner/dear` costs nothing",
                "accuracy     +1.50 points [+0.50, +2.50] beside `owner/dear` at about equal cost, which is nothing: 71.5% right instead of 70.0%",
            ],
        );
    }

    #[test]
    fn what_is_unknown_is_said_to_be() {
        let mut record = record();
        let unknown = WorthEstimate::UNKNOWN;
        record.curve.truncate(1);
        record.curve[0].worth_usd = f64::INFINITY;
        record.curve[0].usd_per_1k = unknown;
        record.tasks[0].gain = unknown;
        record.equal_quality = None;
        record.fits.clear();
        let gains = |p| NullGains {
            gains: vec![0.001, -0.002],
            p,
        };
        record.null = Some(WorthNull {
            over_all: gains(0.25),
            within_tasks: gains(0.5),
        });
        let text = text(&record);
        assert_lines(
            &text,
            &[
                "                  any  cheap          25%    +1.70    +0.70 to +2.70    +0.20 to +3.20  unknown",
                "mathematics      600  unknown  unknown to unknown",
                "null         of 2 permutations within tasks the largest gain is +0.10 points; p 0.500",
            ],
        );
        assert!(
            !text.contains("savings  ") && !text.contains("fits  "),
            "{text}"
        );
    }
}
